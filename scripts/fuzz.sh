# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The libFuzzer targets of tests/fuzz: each is an executable build/fuzz/tests/fuzz/<target>; its first inputs are in
# tests/fuzz/corpus/<target>, what it finds and learns stays in build/fuzz/corpus/<target>.

readonly fuzz_seconds_default=60

fuzz_targets() {
  find build/fuzz/tests/fuzz -maxdepth 1 -type f -executable -printf '%f\n' | sort
}

# fuzz_one TARGET SECONDS
fuzz_one() {
  local learnt=build/fuzz/corpus/$1 inputs=()
  mkdir -p "$learnt"
  [[ ! -d tests/fuzz/corpus/$1 ]] || inputs=("tests/fuzz/corpus/$1")
  note "fuzzing $1 for $2 s"
  "build/fuzz/tests/fuzz/$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
    -artifact_prefix="$learnt/" "$learnt" "${inputs[@]}" </dev/null
}

cmd_fuzz() {
  local seconds=$fuzz_seconds_default targets=() target
  while [[ $# -gt 0 ]]; do
    case $1 in
      --seconds) need_value "$@" && seconds=$2 && shift 2 ;;
      -*) usage_error "fuzz: unknown option '$1'" ;;
      *) targets+=("$1") && shift ;;
    esac
  done
  setup_for_build "${test_packages[@]}" "${fuzz_packages[@]}"
  configure fuzz
  compile fuzz fuzz_targets
  [[ ${#targets[@]} -gt 0 ]] || mapfile -t targets < <(fuzz_targets)
  sanitizer_environment
  for target in "${targets[@]}"; do
    if fuzz_one "$target" "$seconds"; then count 1 0 0; else count 0 1 0; fi
  done
  report_sum
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The libFuzzer targets: tests/fuzz/<target>.cpp becomes build/asan/tests/fuzz/fuzz_<target>, of the same libraries as the tests
# under ASan. First inputs are in tests/fuzz/corpus/<target>; what it learns goes to build/fuzz/corpus/<target>, what breaks it to
# build/fuzz/found, and what libFuzzer says to build/fuzz/<target>.log.

readonly fuzz_seconds_default=60

fuzz_targets() {
  find tests/fuzz/corpus -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort
}

need_fuzz_target() {
  is_line_of "$(fuzz_targets)" "$1" || usage_error "fuzz: unknown target '$1': $(fuzz_targets | paste -sd ' ')"
}

# fuzz_one TARGET SECONDS: libFuzzer prints much about a run without findings; only one line of it is shown.
fuzz_one() {
  local learnt=build/fuzz/corpus/$1 log=build/fuzz/$1.log
  mkdir -p "$learnt" build/fuzz/found
  note "fuzzing $1 for $2 s"
  if "build/asan/tests/fuzz/fuzz_$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/found/$1-" "$learnt" "tests/fuzz/corpus/$1" </dev/null >"$log" 2>&1; then
    echo "$1: $(awk '/number_of_executed_units/ {print $2}' "$log") inputs"
  else
    grep -v -e '# Uses:' -e NEW_FUNC "$log" >&2
    return 1
  fi
}

cmd_fuzz() {
  local seconds=$fuzz_seconds_default targets=() target
  while [[ $# -gt 0 ]]; do
    case $1 in
      --seconds) need_number "$@" && seconds=$2 && shift 2 ;;
      -*) usage_error "fuzz: unknown option '$1'" ;;
      *) need_fuzz_target "$1" && targets+=("$1") && shift ;;
    esac
  done
  setup_for_tests asan
  note "building the fuzz targets"
  configure asan -DQMUX_TESTS=ON
  compile asan fuzz_targets
  [[ ${#targets[@]} -gt 0 ]] || mapfile -t targets < <(fuzz_targets)
  sanitizer_environment
  for target in "${targets[@]}"; do
    if fuzz_one "$target" "$seconds"; then count 1 0 0; else count 0 1 0; fi
  done
  report_sum
}

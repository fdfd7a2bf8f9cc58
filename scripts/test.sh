# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Running tests and counting them. Every suite (unit, sim, e2e) adds to the three counters below. The last line printed is the sum
# over all suites.

readonly sim_seeds_default=1..300

passed=0
failed=0
skipped=0

# count PASSED FAILED SKIPPED
count() {
  passed=$((passed + $1))
  failed=$((failed + $2))
  skipped=$((skipped + $3))
}

# sum_line [PASSED FAILED SKIPPED]: the sum of all, or of the counts since the three had these values.
sum_line() {
  local line skips=$((skipped - ${3:-0}))
  line="$((passed - ${1:-0})) passed, $((failed - ${2:-0})) failed"
  [[ $skips -eq 0 ]] || line+=", $skips skipped"
  echo "$line"
}

# report_sum: prints the last line; fails when a test failed, or none ran.
report_sum() {
  sum_line
  [[ $failed -eq 0 && $passed -gt 0 ]]
}

# junit_attribute FILE NAME: the number in the first such attribute, which is that of the whole suite; 0 without one.
junit_attribute() {
  local number
  number=$(grep -o "[[:space:]]$2=\"[0-9]*\"" "$1" 2>/dev/null | head -n 1 | tr -dc '0-9')
  echo "${number:-0}"
}

# count_junit FILE STATUS: adds the counts of a JUnit report. A runner that failed although its report has no failure (or there is
# no report) counts as one.
count_junit() {
  local tests bad skips
  tests=$(junit_attribute "$1" tests)
  bad=$(($(junit_attribute "$1" failures) + $(junit_attribute "$1" errors)))
  skips=$(($(junit_attribute "$1" skipped) + $(junit_attribute "$1" disabled)))
  count $((tests - bad - skips)) "$bad" "$skips"
  [[ $2 -eq 0 || $bad -gt 0 ]] || count 0 1 0
}

# count_sum_line FILE STATUS: adds the counts of the "N passed, N failed[, N skipped]" line at the end of a program's output.
count_sum_line() {
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$1" | tail -n 1)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    count "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[4]:-0}"
    [[ $2 -eq 0 || ${BASH_REMATCH[2]} -gt 0 ]] || count 0 1 0
  else
    note "no sum line in the output: counted as one failure"
    count 0 1 0
  fi
}

sanitizer_environment() {
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
  export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
}

run_unit_tests() {
  local preset=$1 report=$PWD/build/$1/unit.xml status=0
  note "unit tests, preset $preset"
  rm -f "$report"
  ctest --test-dir "build/$preset" --parallel "$(nproc)" --output-on-failure --no-tests=error \
    --timeout 300 --output-junit "$report" </dev/null | grep -vE '^ +Start +[0-9]+:| Passed +[0-9.]+ sec$' || status=$?
  count_junit "$report" "$status"
}

# run_simulator PRESET SEEDS: these seeds, and those that failed once.
run_simulator() {
  local log=build/$1/sim.log status=0
  note "simulator, preset $1, seeds $2 and those that failed once"
  "build/$1/tests/sim/qmux_sim" --once-failed --seeds "$2" </dev/null 2>&1 | tee "$log" || status=$?
  count_sum_line "$log" "$status"
}

# run_end_to_end_tests PRESET: against the real program, in Python.
run_end_to_end_tests() {
  local preset=$1 report=$PWD/build/$1/e2e.xml status=0 python
  python=$(test_python)
  note "end to end, preset $preset"
  rm -f "$report"
  QMUX_BINARY=$PWD/build/$preset/qmux "$python" -m pytest tests/e2e -p no:cacheprovider --junitxml="$report" </dev/null ||
    status=$?
  count_junit "$report" "$status"
}

# test_python: prints the interpreter for the tests: one with everything in tests/e2e/requirements.txt if PyPI can be reached,
# else the system's (the tests that need aioquic are then reported as skipped).
test_python() {
  local wanted=tests/e2e/requirements.txt installed=.venv/requirements.txt
  if ! cmp -s "$wanted" "$installed"; then
    note "installing $wanted from PyPI into .venv"
    make_venv "$wanted" >&2 || {
      note "PyPI could not be used: going on with Debian's Python modules"
      echo /usr/bin/python3
      return
    }
    cp "$wanted" "$installed"
  fi
  echo .venv/bin/python
}

# pip trusts the machine's certificate authorities.
make_venv() {
  /usr/bin/python3 -m venv --clear .venv &&
    PIP_CERT=${PIP_CERT:-/etc/ssl/certs/ca-certificates.crt} .venv/bin/python -m pip install --quiet \
      --disable-pip-version-check --retries 2 --timeout 20 -r "$1" </dev/null
}

cmd_test() {
  local preset=release seeds=$sim_seeds_default suites=() suite
  while [[ $# -gt 0 ]]; do
    case $1 in
      --preset) need_value "$@" && preset=$2 && shift 2 ;;
      --seeds) need_seed_range "$@" && seeds=$2 && shift 2 ;;
      --only) need_value "$@" && suites+=("$2") && shift 2 ;;
      *) usage_error "test: unknown argument '$1'" ;;
    esac
  done
  check_preset "$preset"
  for suite in "${suites[@]}"; do need_suite "$suite" "$preset"; done
  [[ ${#suites[@]} -gt 0 ]] || mapfile -t suites < <(suites_of "$preset")
  setup_for_tests "$preset"
  build_everything "$preset"
  sanitizer_environment
  run_suites "$preset" "$seeds" "${suites[@]}"
  report_sum
}

# suites_of PRESET: the simulator runs in one thread, so tsan has nothing to check in it.
suites_of() {
  local suite
  for suite in unit sim e2e; do
    [[ $1 == tsan && $suite == sim || ! -d tests/$suite ]] || echo "$suite"
  done
}

# need_suite SUITE PRESET
need_suite() {
  is_line_of "$(suites_of "$2")" "$1" || usage_error "no suite '$1' with the preset $2: $(suites_of "$2" | paste -sd ' ')"
}

# run_suites PRESET SEEDS SUITE...: and at the end the time of each.
run_suites() {
  local preset=$1 seeds=$2 suite began before times=()
  shift 2
  for suite in "$@"; do
    began=$SECONDS
    before=("$passed" "$failed" "$skipped")
    case $suite in
      unit) run_unit_tests "$preset" ;;
      sim) run_simulator "$preset" "$seeds" ;;
      e2e) run_end_to_end_tests "$preset" ;;
    esac
    times+=("$(printf '%6d s  %-4s  %s' $((SECONDS - began)) "$suite" "$(sum_line "${before[@]}")")")
  done
  printf '%s\n' "${times[@]}"
}

# check_sim_options OPTION...: before anything is installed or built.
check_sim_options() {
  local ran=no hours=no from=no
  while [[ $# -gt 0 ]]; do
    case $1 in
      --seeds | --check-replay) need_seed_range "$@" && ran=yes && shift 2 ;;
      --seed) need_value "$@" && check_sim_value "$1" "$2" '[0-9]{1,19}' 'a number' && ran=yes && shift 2 ;;
      --hours) need_value "$@" && check_hours "$2" && ran=yes && hours=yes && shift 2 ;;
      --from) need_value "$@" && check_sim_value "$1" "$2" '[0-9]{1,19}' 'a number' && from=yes && shift 2 ;;
      --jobs) need_value "$@" && check_sim_value "$1" "$2" '[1-9][0-9]{0,4}' 'a number above 0' && shift 2 ;;
      --once-failed) ran=yes && shift ;;
      --with) need_value "$@" && check_sim_value "$1" "$2" '[a-z_]+' 'the name of a scenario' && shift 2 ;;
      --trace | --log) shift ;;
      *) usage_error "sim: unknown option '$1'" ;;
    esac
  done
  [[ $ran == yes ]] || usage_error "sim: one of --seeds, --seed, --hours, --once-failed, --check-replay is needed"
  [[ $from == no || $hours == yes ]] || usage_error "sim: --from needs --hours"
}

# check_sim_value OPTION VALUE PATTERN WHAT
check_sim_value() {
  [[ $2 =~ ^$3$ ]] || usage_error "sim: $1 takes $4, not '$2'"
}

check_hours() {
  check_sim_value --hours "$1" '[0-9]*[.]?[0-9]+' 'a number of hours'
  [[ $1 =~ [1-9] ]] || usage_error "sim: --hours takes more than 0"
}

cmd_sim() {
  check_sim_options "$@"
  setup_for_tests release
  configure release -DQMUX_TESTS=ON
  compile release qmux_sim
  exec build/release/tests/sim/qmux_sim "$@"
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The benchmark: tests/bench.

is_bench_part() {
  case $1 in tcp | udp | ha) ;; *) return 1 ;; esac
}

# check_bench_arguments ARG...: those of tests/bench/bench.py.
check_bench_arguments() {
  while [[ $# -gt 0 ]]; do
    case $1 in
      --quick) shift ;;
      --only)
        need_value "$@"
        is_bench_part "$2" || usage_error "bench: unknown part '$2': tcp, udp or ha"
        shift 2
        ;;
      --json) need_value "$@" && shift 2 ;;
      --peer)
        need_value "$@"
        [[ $2 == ?*=* && -x ${2#*=} && ! -d ${2#*=} ]] || usage_error "--peer needs NAME=PATH, a program, not '$2'"
        shift 2
        ;;
      *)
        is_bench_part "$1" || usage_error "bench: unknown argument '$1'"
        shift
        ;;
    esac
  done
}

cmd_bench() {
  check_bench_arguments "$@"
  setup_for_tests release
  note "building the program and the benchmark"
  configure release -DQMUX_TESTS=ON
  compile release qmux bare_quic plain_relay load udp_load
  exec python3 tests/bench/bench.py "$@"
}

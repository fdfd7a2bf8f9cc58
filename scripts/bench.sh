# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The benchmark: tests/bench.

cmd_bench() {
  setup_for_tests release
  note "building the program and the benchmark"
  configure release -DQMUX_TESTS=ON
  compile release qmux bare_quic plain_relay load udp_load
  exec python3 tests/bench/bench.py "$@"
}

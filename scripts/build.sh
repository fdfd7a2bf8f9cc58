# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Configuring and building a preset of CMakePresets.json into build/<preset>.

# Clones of the repository share the ccache. It caches what was compiled with a precompiled header only if told that what this
# hides of macros and times does not matter.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros

# configure PRESET [CMAKE-OPTION...]
configure() {
  local preset=$1 launcher=()
  shift
  have ccache && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  local log=build/configure-$preset.log
  mkdir -p build
  cmake --preset "$preset" "${launcher[@]}" "$@" >"$log" 2>&1 </dev/null || {
    cat "$log" >&2
    die "configuring the preset '$preset' failed"
  }
}

# compile PRESET [TARGET...]
compile() {
  local preset=$1 target targets=()
  shift
  for target in "$@"; do targets+=(--target "$target"); done
  cmake --build "build/$preset" --parallel "$(job_count)" "${targets[@]}" >&2 </dev/null || die "the build failed"
}

# build_program PRESET: the program alone. The tests are configured too if their packages are installed, so that alternating
# between `build` and `test` builds nothing twice.
build_program() {
  local tests=OFF
  have dpkg-query && [[ -z $(missing_packages "${test_packages[@]}") ]] && tests=ON
  note "building the program, preset $1"
  configure "$1" -DQMUX_TESTS=$tests
  compile "$1" qmux
}

# build_everything PRESET
build_everything() {
  note "building the program and the tests, preset $1"
  configure "$1" -DQMUX_TESTS=ON
  compile "$1"
}

# setup_for PRESET [PACKAGE...]: what building it needs, and those.
setup_for() {
  local preset=$1 clang=()
  shift
  case $preset in asan | tsan) clang=("${clang_packages[@]}") ;; esac
  require_packages "${build_packages[@]}" "${clang[@]}" "$@"
}

setup_for_tests() {
  setup_for "$1" "${test_packages[@]}"
}

cmd_build() {
  local preset=release
  while [[ $# -gt 0 ]]; do
    case $1 in
      --preset) need_value "$@" && preset=$2 && shift 2 ;;
      *) usage_error "build: unknown argument '$1'" ;;
    esac
  done
  check_preset "$preset"
  setup_for "$preset"
  build_program "$preset"
  echo "build/$preset/qmux"
}

cmd_demo() {
  local argument
  for argument in "$@"; do
    [[ $argument == --keep ]] || usage_error "demo: unknown argument '$argument'"
  done
  setup_for release
  build_program release
  exec build/release/qmux demo "$@"
}

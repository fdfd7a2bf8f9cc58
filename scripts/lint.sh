# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The static checks: format, clang-tidy, shellcheck, and the rules of scripts/tidy.py.

cxx_files() {
  find src tests -name '*.h' -o -name '*.cpp'
}

cmd_format() {
  local options=(-i)
  case $* in
    '') ;;
    --check) options=(--dry-run -Werror) ;;
    *) usage_error "format: it takes --check or nothing, not '$*'" ;;
  esac
  require_packages clang-format-19
  cxx_files | xargs -r clang-format-19 "${options[@]}"
}

# clang-tidy reads the flags from the release build; it is the slowest of all checks, so it covers only src/.
lint_cxx() {
  note "clang-tidy"
  configure release
  run-clang-tidy-19 -quiet -p build/release -j "$(job_count)" -warnings-as-errors='*' "$PWD/src/.*" \
    >build/clang-tidy.log 2>/dev/null </dev/null || {
    grep -v '^\[[0-9 /]*\]' build/clang-tidy.log
    return 1
  }
}

lint_shell() {
  note "shellcheck"
  shellcheck --external-sources dev .ci/run
}

lint_rules() {
  note "the project's own rules"
  python3 scripts/tidy.py
}

cmd_lint() {
  [[ $# -eq 0 ]] || usage_error "lint takes no options"
  require_packages "${build_packages[@]}" "${lint_packages[@]}"
  local check
  for check in lint_rules lint_shell lint_cxx; do
    if "$check"; then count 1 0 0; else count 0 1 0; fi
  done
  report_sum
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Common functions of ./dev: messages, properties of this machine, reading options. Sourced with the repository's top as the
# working directory.

note() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# usage_error MESSAGE: the command line is wrong.
usage_error() {
  printf 'dev: %s (see ./dev help)\n' "$*" >&2
  exit 2
}

asks_for_help() {
  local argument
  for argument in "$@"; do
    case $argument in -h | --help) return 0 ;; esac
  done
  return 1
}

# split_values ARG...: sets the array `split` to them, with every --option=value as two.
split_values() {
  local argument
  split=()
  for argument in "$@"; do
    case $argument in
      --*=*) split+=("${argument%%=*}" "${argument#*=}") ;;
      *) split+=("$argument") ;;
    esac
  done
}

# need_value OPTION [VALUE...]
need_value() {
  [[ $# -ge 2 ]] || usage_error "$1 needs a value"
}

# is_line_of TEXT LINE
is_line_of() {
  [[ $'\n'$1$'\n' == *$'\n'"$2"$'\n'* ]]
}

# need_number OPTION [VALUE...]
need_number() {
  need_value "$@"
  [[ $2 =~ ^[1-9][0-9]{0,17}$ ]] || usage_error "$1 needs a number, not '$2'"
}

# need_seed_range OPTION [VALUE...]
need_seed_range() {
  need_value "$@"
  [[ $2 =~ ^([0-9]{1,18})\.\.([0-9]{1,18})$ && 10#${BASH_REMATCH[1]} -le 10#${BASH_REMATCH[2]} ]] ||
    usage_error "$1 needs seeds as A..B, with A <= B, not '$2'"
}

have() { command -v "$1" >/dev/null 2>&1; }

# How many compilers may run at once: one per core, and 1.5 GiB of free memory for each.
job_count() {
  local cores memory_kib
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null)
  local by_memory=$((${memory_kib:-4194304} / 1572864))
  local jobs=$((cores < by_memory ? cores : by_memory))
  echo $((jobs > 0 ? jobs : 1))
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this needs root: $*"
  fi
}

check_preset() {
  case $1 in
    release | debug | asan | tsan) ;;
    *) usage_error "unknown preset '$1': release, debug, asan or tsan" ;;
  esac
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What every part of ./dev uses: messages, the shape of this machine, reading options. Sourced with the repository's top
# as the working directory.

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

# need_value OPTION [VALUE...]
need_value() {
  [[ $# -ge 2 ]] || usage_error "$1 needs a value"
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
    release | debug | asan | tsan | fuzz) ;;
    *) usage_error "unknown preset '$1': release, debug, asan, tsan or fuzz" ;;
  esac
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The Debian packages that building, testing and linting need, and their installation. When nothing is missing this calls dpkg
# once and changes nothing.

readonly ngtcp2_version_min=1.11

readonly build_packages=(
  g++ cmake ninja-build ccache pkgconf
  libngtcp2-dev libngtcp2-crypto-gnutls-dev libgnutls28-dev
  libasio-dev libcli11-dev libfmt-dev libspdlog-dev libyaml-cpp-dev nlohmann-json3-dev
)
readonly test_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev
  python3-venv python3-cryptography python3-pytest python3-pytest-timeout python3-yaml
  bind9-dnsutils ca-certificates curl dnsmasq-base haproxy iperf3 iproute2 nftables nginx openssl procps
)
readonly lint_packages=(clang-tidy-19 clang-format-19 shellcheck)
# The sanitizers and libFuzzer: clang takes half as long as g++ to compile for them.
readonly clang_packages=(clang-19 libclang-rt-19-dev)

# missing_packages PACKAGE...: prints those that are not installed, or too old.
missing_packages() {
  local -A installed=()
  local package version status
  while read -r status package version; do
    [[ $status == ii ]] && installed[$package]=$version
  # dpkg-query fails when any name is unknown to it, having printed the others.
  done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\n' "$@" 2>/dev/null)
  for package in "$@"; do
    [[ -n ${installed[$package]:-} ]] && fresh_enough "$package" "${installed[$package]}" || echo "$package"
  done
}

# fresh_enough PACKAGE VERSION
fresh_enough() {
  [[ $1 != libngtcp2* ]] || dpkg --compare-versions "$2" ge "$ngtcp2_version_min"
}

# require_packages PACKAGE...: installs what is missing.
require_packages() {
  if ! have dpkg-query; then
    note "not a Debian system: these are taken to be installed: $*"
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] || install_packages "${missing[@]}"
}

install_packages() {
  note "installing from Debian: $*"
  [[ $(id -u) -eq 0 ]] || have sudo || die "installing packages needs root or sudo; as root: apt-get install $*"
  update_package_lists
  [[ " $* " != *" libngtcp2"* ]] || require_ngtcp2_source
  local wanted=() package
  for package in "$@"; do
    wanted+=("$(pinned_to_wanted_version "$package")")
  done
  apt_get install -y --no-install-recommends "${wanted[@]}" || die "apt-get could not install: $*"
  local service
  for service in nginx haproxy; do
    [[ " $* " != *" $service "* ]] || keep_from_starting "$service"
  done
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@" </dev/null >&2
}

# An unrelated source may be broken. What matters is whether the packages are available, and installing them shows that.
update_package_lists() {
  apt_get update || note "apt-get update did not succeed for every source; going on with what there is"
}

# newest_version PACKAGE: the newest in any suite known to apt, whatever its priority.
newest_version() {
  local version newest=
  while read -r version; do
    if [[ -z $newest ]] || dpkg --compare-versions "$version" gt "$newest"; then newest=$version; fi
  done < <(apt-cache madison "$1" 2>/dev/null | awk -F' *[|] *' '{print $2}')
  echo "$newest"
}

# apt does not take a package from backports by itself: ask for the version by name.
pinned_to_wanted_version() {
  if [[ $1 == libngtcp2* ]]; then
    echo "$1=$(newest_version "$1")"
  else
    echo "$1"
  fi
}

ngtcp2_is_available() {
  local version
  version=$(newest_version libngtcp2-dev)
  [[ -n $version ]] && fresh_enough libngtcp2-dev "$version"
}

require_ngtcp2_source() {
  ngtcp2_is_available && return
  add_backports_source
  update_package_lists
  ngtcp2_is_available || die "no package source here has libngtcp2-dev $ngtcp2_version_min or newer"
}

# keep_from_starting SERVICE: the tests run their own nginx and HAProxy. The installation must not start such a service on the
# machine.
keep_from_starting() {
  [[ -d /run/systemd/system ]] || return 0
  as_root systemctl disable --quiet --now "$1" || note "$1 was installed and could not be stopped"
}

# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Debian 12 has a new enough ngtcp2 in its suite bookworm-backports. This adds that suite as one more source, with the mirror and
# the key of the machine's own Debian source.

readonly backports_file=/etc/apt/sources.list.d/qmux-backports.sources

add_backports_source() {
  local codename entry uri
  codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  [[ $codename == bookworm ]] || die "no source of libngtcp2-dev $ngtcp2_version_min is known for '$codename'"
  IFS='|' read -r entry uri < <(debian_source "$codename")
  [[ -n ${uri:-} ]] || die "apt names no source of Debian's suite $codename (is /etc/apt/sources.list.d empty?)"
  note "adding $codename-backports at $uri"
  {
    printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' "$uri" "$codename"
    trust_of "${entry%:*}" "${entry##*:}"
  } | as_root tee "$backports_file" >/dev/null
}

# debian_source CODENAME: prints "file:entry|URI" of the first source of that suite's main. apt parses both of its file formats.
debian_source() {
  # shellcheck disable=SC2016  # the words in $() are apt's
  apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(SOURCESENTRY)|$(REPO_URI)' 'Created-By: Packages' |
    awk -F'|' -v codename="$1" '$1 == "Debian" && $2 == codename && $3 == "main" {print $4 "|" $5; exit}'
}

# trust_of FILE ENTRY: the lines that say which key signs that source. apt counts a .list file's lines and a .sources
# file's stanzas, from 1.
trust_of() {
  case $1 in
    *.sources) trust_of_stanza "$1" "$2" ;;
    *) trust_of_line "$1" "$2" ;;
  esac
}

# A field continues in the lines that begin with a blank (a key may be included in full).
trust_of_stanza() {
  awk -v wanted="$2" '
    /^[[:space:]]*$/ { in_stanza = 0; next }
    /^#/ { next }
    !in_stanza { in_stanza = 1; ++stanza }
    /^[^[:space:]]/ { keep = stanza == wanted && tolower($0) ~ /^(signed-by|trusted):/ }
    keep
  ' "$1"
}

trust_of_line() {
  sed -n "${2}s/^[^[]*\[\([^]]*\)\].*/\1/p" "$1" | tr -s '[:space:]' '\n' |
    sed -n -e 's/^signed-by=/Signed-By: /p' -e 's/^trusted=/Trusted: /p'
}

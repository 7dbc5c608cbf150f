#!/bin/sh
# Builds a local mirror for the benchmark: the closures of some packages, indexed and signed with a key that is thrown away.
#
#   make-mirror.sh [PACKAGE...]    build/bench/mirror and build/bench/mirror.asc (default: python3 nginx)
#
# Needs the packages apt, dpkg-dev, gnupg and xz-utils, and what apt is set up to install from. A mirror that is there is kept:
# delete it to have it rebuilt.
set -eu
umask 022

cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- python3 nginx
mkdir -p build/bench
bench=$PWD/build/bench
mirror=$bench/mirror
[ ! -d "$mirror" ] || exit 0
work=$(mktemp -d "$bench/work-mirror.XXXXXX")
trap 'GNUPGHOME=$work/keys gpgconf --kill all 2>/dev/null || true; rm -rf "$work"' EXIT
arch=$(dpkg --print-architecture)

# As for a root in which nothing is installed.
: >"$work/status"
mkdir -p "$work/pool/partial" "$work/made/pool" "$work/made/dists/stable/main/binary-$arch"
apt-get -qq -y --no-install-recommends -o Dir::State::status="$work/status" -o Dir::Cache::archives="$work/pool" \
  -o APT::Sandbox::User=root -o Debug::NoLocking=1 --download-only install "$@" >/dev/null
mv "$work"/pool/*.deb "$work/made/pool/"

cd "$work/made"
dpkg-scanpackages --multiversion pool 2>/dev/null >"dists/stable/main/binary-$arch/Packages"
xz -k "dists/stable/main/binary-$arch/Packages"
cd dists/stable
{
  printf 'Suite: stable\nCodename: stable\nDate: %s\nArchitectures: %s\nComponents: main\nSHA256:\n' "$(date -u -R)" "$arch"
  for file in main/binary-"$arch"/Packages*; do
    printf ' %s %s %s\n' "$(sha256sum "$file" | cut -d ' ' -f 1)" "$(stat -c %s "$file")" "$file"
  done
} >Release
export GNUPGHOME="$work/keys"
mkdir -m 700 "$GNUPGHOME"
gpg --quiet --batch --passphrase '' --quick-generate-key 'bench <bench@example.com>' ed25519 sign never
gpg --quiet --batch --clearsign --output InRelease Release
gpg --quiet --armor --export >"$bench/mirror.asc"
mv "$work/made" "$mirror"

#!/bin/sh
# The closures of some packages as OCI images, from a local mirror: ocix against mmdebstrap and umoci.
# usage: debian.sh MIRROR PACKAGE...   MIRROR: a folder with dists/ and pool/; KEYRING: the keys that vouch for it; RUNS: 3
set -eu
mirror=$1
shift
runs=${RUNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
measure() {
  /usr/bin/time -f "%e s  cpu %U+%S s  %M KB  $name" "$@" 2>&1 >/dev/null | tail -1
}
for package in "$@"; do
  for run in $(seq "$runs"); do
    name="ocix $package"
    measure node "$(dirname "$0")/../../dist/ocix.js" convert -q "apt:stable/$package" "$work/ocix-$package-$run" \
      --apt-repo "$mirror" --apt-keyring "$KEYRING"
    name="mmdebstrap + umoci $package"
    measure sh -c "mmdebstrap --quiet --variant=extract --include=$package stable $work/root \
        'deb [signed-by=$KEYRING] copy:$mirror stable main' && umoci init --layout $work/umoci &&
      umoci new --image $work/umoci:x && umoci insert --image $work/umoci:x --rootless $work/root /"
    rm -rf "$work/root" "$work/umoci"
  done
done

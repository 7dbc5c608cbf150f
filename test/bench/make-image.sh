#!/bin/sh
# Builds the image that the benchmark converts, with a real engine, from Debian's packages alone.
#
#   make-image.sh           build/bench/image.tar and image.tar.gz: four layers, about 450 MB uncompressed
#   make-image.sh small     build/bench/small.tar: four layers of a few hundred kB, to see what grows with size
#   make-image.sh large     build/bench/large.tar: the same four steps with ten times the data, for peak memory
#   make-image.sh aci       build/bench/app.aci: the first image, flattened, as an App Container Image
#   make-image.sh many      build/bench/many: a layout of 200,000 small files in three layers
#
# Needs root, and the packages buildah, mmdebstrap and skopeo. What is there already is kept: delete a file to have it
# rebuilt. APT_SOURCES names the apt source files to install from (default: the Debian ones of this machine) and
# SUITE their release. The large image needs about 25 GB of free disk while it is built, and 4 GB afterwards.
set -eu
umask 022

kind=${1:-image}
suite=${SUITE:-bookworm}
cd "$(dirname "$0")/../.."
mkdir -p build/bench
bench=$PWD/build/bench
work=$bench/work-$kind
out=$bench/$kind.tar

if [ "$kind" = many ]; then
  [ -d "$bench/many" ] || python3 test/bench/make-many.py "$bench/many"
  exit 0
fi

if [ "$kind" = aci ]; then
  if [ ! -s "$bench/app.aci" ]; then
    mkdir -p "$work"
    printf '%s' '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/bench","labels":[{"name":"version","value":"1.0.0"},{"name":"os","value":"linux"},{"name":"arch","value":"amd64"}],"app":{"exec":["/usr/bin/env"],"user":"0","group":"0"}}' > "$work/manifest"
    node dist/ocix.js convert -q --to tar "$bench/image.tar" "$work/flat.tar" > /dev/null
    mkdir "$work/rootfs"
    tar -xf "$work/flat.tar" -C "$work/rootfs" --xattrs --xattrs-include='*' -p
    tar --format pax --xattrs --xattrs-include='*' --numeric-owner -cf - -C "$work" manifest rootfs | gzip -n > "$work/app.aci"
    mv "$work/app.aci" "$bench/app.aci"
    rm -r "$work"
  fi
  ls -l "$bench/app.aci"
  exit 0
fi

case $kind in
  image) copies=1 ;;
  small) copies=0 ;;
  large) copies=10 ;;
  *) echo "usage: $0 [image|small|large|many|aci]" >&2; exit 2 ;;
esac

# The sources are read from the machine, so that no mirror is named here.
sources() {
  if [ -n "${APT_SOURCES:-}" ]; then echo "$APT_SOURCES"; return; fi
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    if [ -s "$file" ]; then echo "$file"; return; fi
  done
  echo "no Debian sources found: set APT_SOURCES" >&2
  return 1
}

# The base is made once and is the start of all three images.
base=$bench/base.tar
if [ ! -s "$base" ]; then
  files=$(sources)
  # ca-certificates: a mirror may be reached over https, and the second step installs from inside the image.
  # shellcheck disable=SC2086
  mmdebstrap --variant=minbase --include=ca-certificates "$suite" "$base.part.tar" $files
  mv "$base.part.tar" "$base"
fi

if [ ! -s "$out" ]; then
  # A storage of its own: the machine's images are neither used nor changed. vfs works on any file system.
  storage=$work/storage
  rm -rf --one-file-system "$work"
  mkdir -p "$work/tmp"
  export TMPDIR="$work/tmp"
  printf '{"default":[{"type":"insecureAcceptAnything"}]}' > "$work/policy.json"
  b() { buildah --root "$storage" --runroot "$work/run" --storage-driver vfs "$@"; }
  container=
  cleanup() {
    if [ -n "$container" ]; then b umount "$container" > /dev/null 2>&1 || true; fi
    # Should a mount of the machine's folders be left in there, it is not followed.
    rm -rf --one-file-system "$work"
  }
  trap cleanup EXIT
  trap 'exit 1' INT TERM

  # Every step is one layer: a container of the step before, changed through its mount point or by a command
  # run inside, and committed in Docker's format.
  open() { container=$(b from --pull-never "$1"); root=$(b mount "$container"); }
  close() {
    b umount "$container" > /dev/null
    b commit --quiet --rm --format docker --signature-policy "$work/policy.json" "$container" "$1" > /dev/null
    container=
  }
  # extra DIR...: the numbered trees that make the large image large, none for the others.
  extra() { n=1; while [ "$n" -lt "$copies" ]; do echo "$root/copies/$n"; n=$((n + 1)); done; }

  # 1. The base system.
  open scratch
  if [ "$copies" -eq 0 ]; then
    tar -xf "$base" -C "$root" ./etc ./usr/share/base-files
  else
    tar -xf "$base" -C "$root"
  fi
  for tree in $(extra); do mkdir -p "$tree"; tar -xf "$base" -C "$tree" --exclude='./dev/*'; done
  b config --env LANG=C.UTF-8 --env 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --label org.opencontainers.image.title=bench "$container"
  close step1

  # 2. Packages: programs, libraries and scripts, which compress as those of ordinary images do.
  open step1
  if [ "$copies" -eq 0 ]; then
    mkdir -p "$root/usr/share/doc"
    tar -xf "$base" -C "$root" ./usr/share/doc/bash ./usr/share/doc/dpkg ./usr/share/doc/apt
  else
    touch "$work/before"
    b run --isolation chroot "$container" -- sh -ec '
      export DEBIAN_FRONTEND=noninteractive
      apt-get -qq update
      apt-get -qq install --no-install-recommends python3 perl git gcc libc6-dev > /dev/null
      apt-get clean
      rm -rf /var/lib/apt/lists/*'
    if [ "$copies" -gt 1 ]; then
      # By change time: packages keep the modification times of their files.
      (cd "$root" && find . -xdev -path ./copies -prune -o -type f -cnewer "$work/before" -print0) > "$work/list"
      tar -cf "$work/packages.tar" -C "$root" --null -T "$work/list"
      for tree in $(extra); do tar -xf "$work/packages.tar" -C "$tree"; done
    fi
  fi
  close step2

  # 3. Removals: single files, a whole folder, and a folder emptied and filled again.
  open step2
  for tree in "$root" $(extra); do
    rm -rf "$tree/usr/share/doc" "$tree/usr/share/man" "$tree/var/cache/apt" "$tree/etc/cron.daily"
    find "$tree/usr/share/locale" -mindepth 1 -maxdepth 1 -type d -name '[a-d]*' -exec rm -rf {} + 2> /dev/null || true
    mkdir -p "$tree/usr/share/doc"
    echo 'The documentation was removed.' > "$tree/usr/share/doc/README"
  done
  close step3

  # 4. A small COPY, the application of this image: this folder.
  open step3
  mkdir -p "$work/app"
  cp test/bench/* "$work/app/"
  b copy --quiet "$container" "$work/app" /opt/app > /dev/null
  for tree in $(extra); do mkdir -p "$tree/opt"; cp -r "$work/app" "$tree/opt/app"; done
  b config --workingdir /opt/app --entrypoint '["/usr/bin/env"]' --cmd '["bash"]' "$container"
  close "localhost/bench:$kind"

  b push --quiet --signature-policy "$work/policy.json" "localhost/bench:$kind" \
    "docker-archive:$out.part:localhost/bench:$kind"
  mv "$out.part" "$out"
fi

if [ "$kind" = image ] && [ ! -s "$out.gz" ]; then
  gzip -nc "$out" > "$out.gz.part"
  mv "$out.gz.part" "$out.gz"
fi
# What the comparisons of unpacking start from: a layout, and the layers side by side.
if [ "$kind" = image ] && [ ! -d "$bench/layout" ]; then
  skopeo --insecure-policy copy --quiet "docker-archive:$out" "oci:$bench/layout:ref"
fi
if [ "$kind" = image ] && [ ! -d "$bench/layers" ]; then
  mkdir "$bench/layers"
  tar -xf "$out" -C "$bench/layers" --wildcards '*.tar' --exclude '*/layer.tar'
fi
ls -l "$bench/$kind".tar*

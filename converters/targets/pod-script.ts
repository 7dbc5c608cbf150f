/**
 * The script that starts the bundles of a pod together, and what it holds their namespaces with.
 *
 * The namespaces belong to a container that is created and never started: its process waits in them until it is removed, and runs
 * nothing, so it needs no program; the file that stands for one is empty. Every app joins them by path. The paths have the number of a
 * process in them, which is known only when it is there; so each start gives each app a copy of its `config.json` with
 * the paths in it, in a folder beside the app's own, from where everything relative leads to the same place.
 */

export const HOLDER = {
  /** Of its bundle. Names of apps have no dots. */
  folder: 'pod.holder',
  /** It must be there and be executable. */
  program: 'hold',
  /** Nobody else has this id, so no app may look into the process or trace it. */
  user: '2147483646:2147483646',
} as const;

/** What the apps share, as `config.json` and /proc call it. */
const NAMESPACES = [
  ['pid', 'pid'],
  ['network', 'net'],
  ['ipc', 'ipc'],
  ['uts', 'uts'],
] as const;

/** POSIX shared memory and semaphores lie in a file system of each container, and become one folder of the run. */
const SHARED_MEMORY = [
  ['^      "type": "tmpfs"', '      "type": "none"'],
  ['^      "source": "shm"', `      "source": "../run.'"$$"'/shm"`],
  ['^        "mode=1777"', '        "bind"'],
  ['^        "size=65536k"', '        "private"'],
] as const;

/** @param folders of the apps: letters, digits, `-` and `.` only; nothing else of a pod is in the script */
export const startScript = (folders: readonly string[]): string => `#!/bin/sh
# Starts the apps of a pod, waits for all of them, and ends as the first did that failed:  run [NAME]
# NAME is new on this host. The containers are NAME (which holds the namespaces) and NAME-APP.
# OCI_RUNTIME is the runtime, perhaps with options: runc unless said.
set -eu
umask 077

apps='${folders.join(' ')}'
runtime=\${OCI_RUNTIME:-runc}
name=\${1:-pod-$$}
dir=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
work=$dir/run.$$

# Whatever is left goes with the holder, which is the first process of them all.
finish() {
  trap '' HUP INT TERM
  if [ -s "$work/pid" ]; then
    $runtime delete --force "$name" >/dev/null 2>&1 || :
    wait
    for app in $apps; do
      $runtime delete --force "$name-$app" >/dev/null 2>&1 || :
      rm -rf -- "$dir/$app.run.$$"
    done
  fi
  rm -rf -- "$work"
}

# Apps get ten seconds to end by themselves.
stop() {
  trap '' HUP INT TERM
  for app in $apps; do
    $runtime kill "$name-$app" TERM >/dev/null 2>&1 || :
  done
  for app in $apps; do
    while [ -s "$work/pid" ] && [ ! -e "$work/$app.ended" ] && [ ! -e "$work/late" ]; do
      sleep 1
      echo >>"$work/seconds"
      [ "$(wc -l <"$work/seconds")" -lt 10 ] || : >"$work/late"
    done
  done
  exit "$1"
}

mkdir -- "$work"
trap finish EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
mkdir -m 1777 -- "$work/shm"

$runtime create --bundle "$dir/${HOLDER.folder}" --pid-file "$work/pid" "$name" </dev/null >"$work/log" 2>&1 || {
  cat "$work/log" >&2
  exit 1
}
ns=/proc/$(cat "$work/pid")/ns

start() {
  mkdir -- "$dir/$1.run.$$"
  sed -e '/^  "root": {$/,/^  }/s|^    "path": "rootfs"|    "path": "../'"$1"'/rootfs"|' \\
${NAMESPACES.map(([type, file]) => `    -e '/^    "namespaces": \\[$/,/^    \\]/s|^        "type": "${type}"|&, "path": "'"$ns"'/${file}"|' \\`).join('\n')}
${SHARED_MEMORY.map(([from, to]) => `    -e '/^      "destination": "\\/dev\\/shm",$/,/^    }/s|${from}|${to}|' \\`).join('\n')}
    "$dir/$1/config.json" >"$dir/$1.run.$$/config.json"
  {
    $runtime run --bundle "$dir/$1.run.$$" "$name-$1" || echo "$?" >>"$work/failed"
    : >"$work/$1.ended"
  } &
}
for app in $apps; do
  start "$app"
done
wait
if [ -s "$work/failed" ]; then
  read -r status <"$work/failed"
  exit "$status"
fi
`;

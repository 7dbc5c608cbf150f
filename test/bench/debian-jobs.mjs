// Debian packages: closures from a local mirror as images, against what others need two tools for. Run as root, after make-mirror.sh.
import { join } from 'node:path';

const MB = 1_000_000;
const PACKAGES = ['python3', 'nginx'];

export function debianJobs({ node, ocix, bench, scratch }) {
  const mirror = join(bench, 'mirror');
  const keys = join(bench, 'mirror.asc');
  const at = (name) => join(scratch, name);
  const closure = (name) => ({
    label: `apt, ${name}`,
    ours: {
      command: [
        ...[node, ocix, 'convert', `apt:stable/${name}`, at('ocix')],
        ...['--apt-repo', mirror, '--apt-keyring', keys],
      ],
      remove: [at('ocix')],
    },
    peer: {
      command: [
        ...['sh', '-c'],
        // apt makes its own choices; the tree is about the same, and neither side runs scripts.
        'mmdebstrap --quiet --variant=extract --include="$1" stable "$2" "deb [signed-by=$4] copy:$5 stable main" && umoci init --layout "$3" && umoci new --image "$3:a" && umoci insert --image "$3:a" "$2" /',
        ...['sh', name, at('peer-tree'), at('peer-layout'), keys, mirror],
      ],
      remove: [at('peer-tree'), at('peer-layout')],
    },
    target: { ratio: 0.5, memory: 200 * MB },
    needs: [mirror, keys],
  });
  return { debian: PACKAGES.map(closure) };
}

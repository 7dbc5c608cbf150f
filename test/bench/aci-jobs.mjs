// App Container Images: against the pipe that does the same work, and against the only route that other tools offer. Run as root.
import { join } from 'node:path';

const MB = 1_000_000;

export function aciJobs({ node, ocix, bench, scratch }) {
  const image = join(bench, 'app.aci');
  const at = (name) => join(scratch, name);
  const shell = (script, ...args) => ['sh', '-c', script, 'sh', ...args];
  const ours = {
    command: [node, ocix, 'aci2oci', image, at('ocix')],
    remove: [at('ocix')],
  };
  const memory = 120 * MB;
  return {
    aci: [
      {
        label: 'aci, pipe',
        ours,
        peer: {
          command: shell(
            'gunzip -c "$1" | bsdtar --format pax -cf - -s "#^rootfs/##S" @- | pigz -p 2 > "$2"',
            ...[image, at('peer.tar.gz')],
          ),
          remove: [at('peer.tar.gz')],
        },
        target: { ratio: 1.2, memory },
        needs: [image],
      },
      {
        label: 'aci, umoci',
        ours,
        peer: {
          command: shell(
            'mkdir "$2" && tar -xzf "$1" -C "$2" --xattrs && umoci init --layout "$3" && umoci new --image "$3:a" && umoci insert --image "$3:a" "$2/rootfs" / && umoci config --image "$3:a" --config.entrypoint /usr/bin/env',
            ...[image, at('peer-tree'), at('peer-layout')],
          ),
          remove: [at('peer-tree'), at('peer-layout')],
        },
        target: { ratio: 1 },
        needs: [image],
      },
    ],
  };
}

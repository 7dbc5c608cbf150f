// The other ways out: archives against the tool that copies between the same two formats, and App Container Images against unpacking the layers and packing
// the tree again, which is how docker2aci goes. Run as root: tar sets owners.
import { join } from 'node:path';

const MB = 1_000_000;

export function targetJobs({ node, ocix, bench, scratch }) {
  const image = join(bench, 'image.tar');
  const layout = join(bench, 'layout');
  const layers = join(bench, 'layers');
  const at = (name) => join(scratch, name);
  const ours = (to, source) => ({
    command: [node, ocix, 'convert', '--to', to, source, at('ocix')],
    remove: [at('ocix')],
  });
  const skopeo = (from, to) => ({
    command: ['skopeo', '--insecure-policy', 'copy', '--quiet', from, to],
    remove: [at('peer')],
  });
  const memory = 200 * MB;
  const dockerArchive = `docker-archive:${at('peer')}:example.com/app:1.0`;
  const ociArchive = `oci-archive:${at('peer')}:ref`;
  const sources = [
    { name: 'docker', ours: image, peer: `docker-archive:${image}`, needs: [image] },
    { name: 'layout', ours: `oci:${layout}`, peer: `oci:${layout}:ref`, needs: [layout] },
  ];
  const copies = (to, theirs) =>
    sources.map((source) => ({
      label: `${source.name} → ${to}`,
      ours: ours(to, source.ours),
      peer: skopeo(source.peer, theirs),
      target: { ratio: 0.8, memory },
      needs: source.needs,
    }));
  return {
    'to-docker-archive': copies('docker-archive', dockerArchive),
    // From layout to archive skopeo uncompresses nothing; we do, to check that each layer is what the configuration promises, and miss the target for it.
    'to-oci-archive': copies('oci-archive', ociArchive),
    'to-aci': [
      {
        label: 'docker → aci',
        ours: ours('aci', image),
        peer: {
          // The layers lie beside each other already; tar knows nothing of whiteouts, so it has a little less to do.
          command: [
            ...['sh', '-c'],
            'mkdir "$2" && for layer in "$1"/*.tar; do tar -xf "$layer" -C "$2"; done && tar -c --numeric-owner -C "$2" . | pigz > "$3"',
            ...['sh', layers, at('peer-tree'), at('peer.aci')],
          ],
          remove: [at('peer-tree'), at('peer.aci')],
        },
        target: { ratio: 0.5, memory },
        needs: [image, layers],
      },
    ],
  };
}

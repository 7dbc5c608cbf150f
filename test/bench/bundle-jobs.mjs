// Unpacking: what is compared with what, and how good it has to be. Run as root: the peers set owners.
import { join } from 'node:path';

const MB = 1_000_000;

export function bundleJobs({ node, ocix, bench, scratch }) {
  const image = join(bench, 'image.tar');
  const layout = join(bench, 'layout');
  const many = join(bench, 'many');
  const at = (name) => join(scratch, name);
  const bundle = (source) => ({ command: [node, ocix, 'bundle', source, at('bundle')], remove: [at('bundle')] });
  const shell = (script, ...args) => ['sh', '-c', script, 'sh', ...args];
  const umoci = (source) => ({
    command: ['umoci', 'unpack', '--image', `${source}:ref`, at('peer-bundle')],
    remove: [at('peer-bundle')],
  });
  const memory = 120 * MB;
  return {
    'docker-bundle': [
      {
        ours: bundle(image),
        peer: {
          command: shell(
            'skopeo --insecure-policy copy --quiet "docker-archive:$1" "oci:$2:ref" && umoci unpack --image "$2:ref" "$3"',
            ...[image, at('peer-layout'), at('peer-bundle')],
          ),
          remove: [at('peer-layout'), at('peer-bundle')],
        },
        target: { ratio: 0.3, memory },
        needs: [image],
      },
    ],
    'oci-bundle': [
      { ours: bundle(`oci:${layout}`), peer: umoci(layout), target: { ratio: 0.45, memory }, needs: [layout] },
    ],
    rootfs: [
      {
        ours: { command: [node, ocix, 'unpack', image, at('rootfs')], remove: [at('rootfs')] },
        // The layers lie beside each other already; tar knows nothing of whiteouts, so it has a little less to do.
        peer: {
          command: shell(
            'mkdir "$2" && for layer in "$1"/*.tar; do tar -xf "$layer" -C "$2"; done',
            join(bench, 'layers'),
            at('peer-rootfs'),
          ),
          remove: [at('peer-rootfs')],
        },
        target: { ratio: 2, memory },
        needs: [image, join(bench, 'layers')],
      },
    ],
    'many-files': [{ ours: bundle(`oci:${many}`), peer: umoci(many), target: { ratio: 0.6 }, needs: [many] }],
  };
}

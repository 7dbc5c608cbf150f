// What is compared with what, and how good it has to be.
import { join } from 'node:path';
import { aciJobs } from './aci-jobs.mjs';
import { bundleJobs } from './bundle-jobs.mjs';
import { debianJobs } from './debian-jobs.mjs';
import { targetJobs } from './target-jobs.mjs';

const MB = 1_000_000;

/**
 * The jobs by name, each a list of comparisons: `ours` and `peer` as commands with the paths to remove before each
 * run, the layout they leave and the suffix of its layers' media type, and the targets. `ratio` limits our median
 * time by the peer's, `size` our output by the peer's, `memory` our own peak in bytes.
 */
export function jobs({ node, ocix, bench, scratch, nodeHasZstd }) {
  const image = join(bench, 'image.tar');
  const large = join(bench, 'large.tar');
  const small = join(bench, 'small.tar');
  const out = (side) => join(scratch, side);
  const unpacked = join(scratch, 'unpacked.tar');

  const ours = (...args) => ({ command: [node, ocix, ...args] });
  const writing = (side, suffix, command, more = []) => ({
    command,
    suffix,
    output: out(side),
    remove: [out(side), ...more],
  });
  const convert = (source, suffix, ...options) =>
    writing('ocix', suffix, [node, ocix, 'convert', ...options, source, out('ocix')]);
  const skopeo = (source, suffix, ...options) =>
    writing('peer', suffix, [
      ...['skopeo', '--insecure-policy', 'copy', '--quiet', ...options],
      ...[`docker-archive:${source}`, `oci:${out('peer')}:ref`],
    ]);
  const shell = (script, ...args) => ['sh', '-c', script, 'sh', ...args];
  const empty = { command: [node, join(scratch, 'empty.cjs')] };

  const plain = '--dest-oci-accept-uncompressed-layers';
  return {
    gzip: [
      {
        ours: convert(image, '+gzip'),
        peer: skopeo(image, '+gzip'),
        target: { ratio: 1, size: 1.015 },
        needs: [image],
      },
    ],
    uncompressed: [
      {
        ours: convert(image, '', '--compress', 'none'),
        // Of no kind to check: skopeo calls the plain layers of a docker archive gzipped (containers/image#1270).
        peer: skopeo(image, undefined, plain),
        target: { ratio: 0.8 },
        needs: [image],
      },
    ],
    zstd: [
      {
        ours: convert(image, '+zstd', '--compress', 'zstd'),
        peer: skopeo(image, '+zstd', '--dest-compress-format', 'zstd'),
        // A Node without zstd of its own has to use WebAssembly.
        target: { ratio: nodeHasZstd ? 1 : 1.2 },
        needs: [image],
      },
    ],
    pipe: [
      {
        ours: writing(
          'ocix',
          '+gzip',
          shell('cat "$1" | "$2" "$3" convert - "$4"', `${image}.gz`, node, ocix, out('ocix')),
        ),
        // skopeo cannot read from a pipe: what people do instead.
        peer: writing(
          'peer',
          '+gzip',
          shell(
            'gunzip -c "$1" > "$2" && skopeo --insecure-policy copy --quiet "docker-archive:$2" "oci:$3:ref"',
            ...[`${image}.gz`, unpacked, out('peer')],
          ),
          [unpacked],
        ),
        target: { ratio: 0.8 },
        needs: [image, `${image}.gz`],
      },
    ],
    inspect: [
      {
        label: 'inspect / empty program',
        ours: ours('inspect', image),
        peer: empty,
        target: { ratio: 2 },
        quick: true,
        needs: [image],
      },
      {
        // The same number of layers, hundreds of times smaller. The tenth is room for noise.
        label: 'inspect / inspect of small image',
        ours: ours('inspect', image),
        peer: ours('inspect', small),
        self: true,
        target: { ratio: 1.1 },
        quick: true,
        needs: [image, small],
      },
    ],
    version: [
      {
        label: 'version / empty program',
        ours: ours('--version'),
        peer: empty,
        target: { ratio: 1.5 },
        quick: true,
        needs: [],
      },
    ],
    memory: [
      [image, 'image', 3],
      [large, 'large', 1],
    ].flatMap(([source, name, runs]) => [
      {
        label: `memory gzip ${name}`,
        ours: convert(source, '+gzip'),
        target: { memory: 200 * MB },
        needs: [source],
        runs,
      },
      {
        label: `memory uncompressed ${name}`,
        ours: convert(source, '', '--compress', 'none'),
        target: { memory: 120 * MB },
        needs: [source],
        runs,
      },
    ]),
    ...bundleJobs({ node, ocix, bench, scratch }),
    ...aciJobs({ node, ocix, bench, scratch }),
    ...debianJobs({ node, ocix, bench, scratch }),
    ...targetJobs({ node, ocix, bench, scratch }),
  };
}

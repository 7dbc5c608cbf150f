/** An image as a person wants to see it. */
import type { ImageSummary, SourceSummary } from '../../converters/summary.ts';
import { printable } from '../../formats/bytes/text.ts';
import { commandText } from './command.ts';
import { packagesText } from './packages.ts';
import { podText } from './pod.ts';
import { clip, type Paint, plain } from './terminal.ts';
import { countText, shortDigest, sizeText } from './units.ts';

export function summaryText(
  { source, images, artifacts, pods = [], notes }: SourceSummary,
  width: number,
  paint: Paint,
): string {
  const parts = pods.map((pod) => podText(pod, width, paint));
  parts.push(...images.map((image) => imageText(image, source.title, width, paint)));
  if (artifacts.length)
    parts.push(
      artifacts
        .map(
          ({ names, mediaType, digest }) =>
            `${printable(names[0] ?? shortDigest(digest))}  ${printable(mediaType)}: no image, copied whole`,
        )
        .join('\n'),
    );
  if (!parts.length) parts.push(`${printable(source.name)}: ${source.title}, without an image`);
  if (notes.length)
    parts.push(
      [
        paint('bold', 'Notes'),
        ...notes.map(
          ({ kind, message, at }) =>
            `  ${kind}: ${printable(message)}${at.length ? `  (${at.map(printable).join(' > ')})` : ''}`,
        ),
      ].join('\n'),
    );
  return `${parts.join('\n\n')}\n`;
}

function imageText(image: ImageSummary, title: string, width: number, paint: Paint): string {
  const { config, layers } = image;
  const facts = [
    image.platform,
    ...(config.created ? [`created ${printable(config.created.slice(0, 10))}`] : []),
    title,
  ].join(' · ');
  const name = printable(image.names[0] ?? '(no name)');
  const gap = Math.max(2, width - name.length - facts.length);
  const known = layers.every(({ plainSize }) => plainSize !== undefined);
  const total = layers.reduce((sum, layer) => sum + (known ? layer.plainSize! : layer.size), 0);
  const head = [
    `${paint('bold', name)}${' '.repeat(gap)}${paint('dim', facts)}`,
    ...image.names.slice(1).map((other) => `also      ${printable(other)}`),
    `${image.id ? `image id  ${image.id.slice(0, 19)}   ` : ''}${sizeText(total)} in ${countText(layers.length, 'layer')}${known ? '' : ', as stored'}`,
  ];
  const parts = [
    head.join('\n'),
    runText(image).join('\n'),
    confinedText(image).join('\n'),
    dependencyText(image, paint),
    packagesText(image.packages ?? [], width, paint),
    layersText(image, width, paint),
  ];
  return parts.filter(Boolean).join('\n\n');
}

function runText({ config }: ImageSummary): readonly string[] {
  const rows: (readonly [string, string | undefined])[] = [
    ['Runs', commandText([...config.entrypoint, ...config.cmd]) || 'nothing by itself'],
    ['User', config.user],
    ['Folder', config.workingDir],
    ['Stops on', config.stopSignal],
    ...config.env.map((line, i) => [i ? '' : 'Env', line] as const),
    ['Ports', config.exposedPorts.join('  ')],
    ['Volumes', config.volumes.join('  ')],
    ['Health', config.healthcheck && commandText(config.healthcheck.test)],
    ['Shell', commandText(config.shell)],
    ['Author', config.author],
    ...labelRows(config.labels),
  ];
  return rowsText(rows);
}

type Row = readonly [string, string | undefined];

const rowsText = (rows: readonly Row[]): readonly string[] =>
  rows.filter(([, value]) => value).map(([label, value]) => `${label.padEnd(9)} ${printable(value!)}`);

/** Longer than this is for machines: a manifest in a label, a list of system calls. */
const LONG_LABEL = 200;

const labelRows = (labels: Readonly<Record<string, string>>): readonly Row[] =>
  Object.entries(labels).map(([key, value], i) => [
    i ? '' : 'Labels',
    value.length > LONG_LABEL ? `${key}  (${sizeText(value.length)}, --json shows it)` : `${key}=${value}`,
  ]);

/** What the image asks of whoever runs it, where it says so. */
function confinedText({ config }: ImageSummary): readonly string[] {
  const { isolation = {}, mountPoints = [], supplementaryGroups = [] } = config;
  const { cpu, memory, seccomp } = isolation;
  const amounts = (
    of: { readonly request?: number; readonly limit?: number } | undefined,
    text: (n: number) => string,
  ) =>
    [
      ...(of?.limit === undefined ? [] : [`at most ${text(of.limit)}`]),
      ...(of?.request === undefined ? [] : [`${text(of.request)} set aside`]),
    ].join(', ');
  return rowsText([
    ['Groups', supplementaryGroups.join('  ')],
    ...mountPoints.map(
      ({ name, path, readOnly }, i): Row => [i ? '' : 'Mounts', `${name} at ${path}${readOnly ? ' (read-only)' : ''}`],
    ),
    [
      'CPU',
      [amounts(cpu, (n) => `${n / 1000} cores`), cpu?.shares ? `${cpu.shares} shares` : ''].filter(Boolean).join(', '),
    ],
    ['Memory', amounts(memory, sizeText)],
    ['Caps', isolation.capabilities?.map((name) => name.replace(/^CAP_/, '')).join(' ')],
    [
      'Seccomp',
      seccomp &&
        `${seccomp.mode === 'retain' ? 'only' : 'all but'} ${countText(seccomp.calls.length, 'call')}, others ${seccomp.errno ?? 'end the process'}`,
    ],
    ['SELinux', isolation.selinuxLabel],
    ['AppArmor', isolation.apparmorProfile],
    ['OOM', isolation.oomScoreAdj === undefined ? undefined : `score ${isolation.oomScoreAdj}`],
    ...Object.entries(isolation.sysctl ?? {}).map(([name, value], i): Row => [i ? '' : 'Sysctl', `${name}=${value}`]),
    ...(isolation.unsupported ?? []).map(
      ({ name }, i): Row => [i ? '' : 'Asks too', `${name} (no runtime can be told)`],
    ),
  ]);
}

function dependencyText({ dependencies = [] }: ImageSummary, paint: Paint): string {
  if (!dependencies.length) return '';
  const lines = (of: typeof dependencies, indent: string): readonly string[] =>
    of.flatMap(({ name, place, dependencies: below }) => [
      `${indent}${printable(name)}  ${place === undefined ? paint('yellow', 'not found') : paint('dim', printable(place))}`,
      ...lines(below, `${indent}  `),
    ]);
  return [paint('bold', 'Made of'), ...lines(dependencies, '  ')].join('\n');
}

/** Characters of the bar of the largest layer. */
const BAR = 18;

function layersText({ layers }: ImageSummary, width: number, paint: Paint): string {
  if (!layers.length) return 'Layers    none';
  const largest = Math.max(...layers.map(({ size }) => size), 1);
  const number = String(layers.length).length;
  const rows = layers.map((layer, i) => {
    const left = `  ${String(i + 1).padStart(number)}  ${shortDigest(layer.diffId ?? layer.digest ?? '').padEnd(12)}  ${sizeText(layer.size).padStart(9)}  ${layer.compression.padEnd(5)}  `;
    const bar = paint === plain ? '' : barText(layer.size / largest, paint);
    const room = width - (number + 36 + (bar ? BAR + 2 : 0));
    return `${left}${bar}${clip(stepText(layer.createdBy), Math.max(10, room))}`.trimEnd();
  });
  return [paint('bold', 'Layers'), ...rows].join('\n');
}

/** @param share of the largest, from 0 to 1 */
function barText(share: number, paint: Paint): string {
  const bar = '█'.repeat(Math.round(BAR * share)) || '▏';
  return `${paint('cyan', bar)}${' '.repeat(BAR - bar.length)}  `;
}

/** A builder's line without what every line has. */
const stepText = (createdBy = ''): string =>
  printable(
    createdBy
      .replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
      .replace(/^\/bin\/sh -c /, 'RUN ')
      .replace(/\s+/g, ' '),
  );

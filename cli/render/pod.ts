/** A pod as a person wants to see it. */
import type { PodSummary } from '../../converters/summary.ts';
import { printable } from '../../formats/bytes/text.ts';
import { commandText } from './command.ts';
import { clip, type Paint } from './terminal.ts';
import { countText } from './units.ts';

export function podText({ names, apps, volumes }: PodSummary, width: number, paint: Paint): string {
  const lines = [`${paint('bold', `pod ${printable(names[0] ?? '')}`.trimEnd())}  ${countText(apps.length, 'app')}`];
  for (const { name, image, command, user = 'root', mounts, readOnlyRoot } of apps) {
    const kind = `in ${printable(image[0] ?? 'an image without a name')}, as ${printable(user)}${readOnlyRoot ? ', root read only' : ''}`;
    lines.push('', `${name}  ${paint('dim', kind)}`, clip(`  runs    ${printable(commandText(command))}`, width));
    for (const { volume, path, readOnly } of mounts)
      lines.push(clip(`  mounts  ${volume} at ${printable(path)}${readOnly ? ', read only' : ''}`, width));
  }
  if (volumes.length) lines.push('', 'Volumes');
  for (const { name, volume } of volumes) lines.push(clip(`  ${name}  ${volumeText(volume)}`, width));
  return lines.join('\n');
}

const volumeText = (volume: PodSummary['volumes'][number]['volume']): string =>
  volume.kind === 'host'
    ? `${printable(volume.source)} of the host`
    : `empty, ${volume.mode.toString(8).padStart(4, '0')} of ${volume.uid}:${volume.gid}`;

/** Writing App Container Images and looking at what was written, for the tests of that target. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type ConvertOptions, convert } from '../../../converters/index.ts';
import { runPeer, scratch } from '../../fixtures/peers.ts';
import { memberJson, membersOf, type Packed } from './archives.ts';

export interface Manifest {
  readonly name: string;
  readonly labels: readonly { readonly name: string; readonly value: string }[];
  readonly app?: Readonly<Record<string, unknown>>;
  readonly annotations?: readonly { readonly name: string; readonly value: string }[];
  readonly dependencies?: readonly { readonly imageName: string; readonly imageID: string }[];
  readonly pathWhitelist?: readonly string[];
}

export interface MadeAci {
  readonly out: string;
  readonly members: readonly Packed[];
  readonly manifest: Manifest;
  readonly notes: readonly string[];
}

/** Not compressed. What actool, where it is there, has against the image is an error. */
export async function aciOf(source: string, options: ConvertOptions = {}): Promise<MadeAci> {
  const out = join(scratch(), 'out.aci');
  const { notes } = await convert(source, out, { to: 'aci', compress: 'none', ...options });
  accepted(out);
  const members = await membersOf(out);
  return {
    out,
    members,
    manifest: memberJson(members, 'manifest') as Manifest,
    notes: notes.map(({ kind, message }) => `${kind}: ${message}`),
  };
}

const absent = spawnSync('actool', ['version'], { stdio: 'ignore' }).error !== undefined;

export function accepted(path: string): void {
  if (!absent || process.env.OCIX_REQUIRE_PEERS) runPeer({ tool: 'actool', args: ['validate', path] });
}

export const labelOf = (list: Manifest['labels'] | undefined, wanted: string): string | undefined =>
  list?.find(({ name }) => name === wanted)?.value;

/** How every advisory is held: the command refuses by its code, soon, and what lies around the output is as it was. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { type Layout, layoutTar } from '../../fixtures/oci-layout.ts';
import { type TarEntry, tar } from '../../fixtures/tar.ts';
import { ocix, type Refusal, refusalOf, snapshot } from '../cases/command.ts';
import { scratch } from '../fixtures/peers.ts';

/** Milliseconds; a run that refuses has no reason to take longer, on a slow machine either. */
export const SOON = 10_000;

export interface Attack {
  readonly bytes: Uint8Array;
  readonly code: string | RegExp;
  readonly status?: number;
  /** `convert` from a file and from a pipe; or `ls`, where only the merged tree shows it. */
  readonly commands?: readonly ('convert' | 'pipe' | 'ls' | 'inspect')[];
}

/** @returns what each command said, in their order */
export function expectRefused({ bytes, code, status = 4, commands = ['convert', 'pipe'] }: Attack): readonly Refusal[] {
  const folder = scratch();
  const source = join(folder, 'attack.tar');
  writeFileSync(source, bytes);
  mkdirSync(join(folder, 'around'));
  writeFileSync(join(folder, 'around/sentinel'), 'as it was');
  const before = snapshot(folder);
  return commands.map((command) => {
    const out = join(folder, 'around/out');
    const run = refusalOf(
      command === 'pipe'
        ? ocix(['convert', '-q', '-', out], { input: bytes })
        : ocix(command === 'convert' ? ['convert', '-q', source, out] : [command, source]),
    );
    expect([command, run.status, run.code]).toEqual([
      command,
      status,
      typeof code === 'string' ? code : expect.stringMatching(code),
    ]);
    expect(run.stdout).toBe('');
    expect(run.lines.length).toBeLessThanOrEqual(3);
    expect(run.milliseconds).toBeLessThan(SOON);
    expect(snapshot(folder)).toEqual(before);
    return run;
  });
}

export const archiveOf = (layout: Layout): Buffer => layoutTar(layout);

/** An image of the layers given, each a list of entries. */
export const imageOf = (...layers: readonly (readonly TarEntry[])[]): Buffer =>
  dockerSave({ layers: layers.map((entries) => tar(entries)), tags: ['attack:1'] }, { generation: '1.10' });

/** `path` to the rest of each line of `ls --json`; and that it came soon. */
export function listed(bytes: Uint8Array, ...options: readonly string[]): ReadonlyMap<string, Record<string, unknown>> {
  const run = ocix(['ls', '--json', ...options, '-'], { input: bytes });
  expect([run.status, run.stderr.includes('ocix: ')]).toEqual([0, false]);
  expect(run.milliseconds).toBeLessThan(SOON);
  const lines = run.stdout.split('\n').filter(Boolean);
  return new Map(lines.map((line) => [JSON.parse(line).path, JSON.parse(line)]));
}

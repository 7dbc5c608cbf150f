/** One file as output: whole or not at all. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openOutput } from '../../../formats/store/output-file.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { codeOf } from '../support.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('an output file', () => {
  test('is not there before it is committed, and then nothing else is', async () => {
    const folder = scratch();
    const out = join(folder, 'out');
    const file = await openOutput(out, { replace: false });
    await file.write([bytes('a'), bytes(''), bytes('bc')]);
    await file.write([bytes('d')]);
    writeFileSync(join(file.folder, 'scratch'), 'goes with it');
    expect(existsSync(out)).toBe(false);
    await file.commit();
    expect(readFileSync(out, 'utf8')).toBe('abcd');
    expect(readdirSync(folder)).toEqual(['out']);
  });

  test('leaves nothing when it is discarded', async () => {
    const folder = scratch();
    const file = await openOutput(join(folder, 'out'), { replace: false });
    await file.write([bytes('a')]);
    await file.discard();
    expect(readdirSync(folder)).toEqual([]);
  });

  test('reads as zeros where it was skipped', async () => {
    const out = join(scratch(), 'out');
    const file = await openOutput(out, { replace: false });
    await file.write([bytes('a')]);
    file.skip(1_000_000);
    await file.write([bytes('b')]);
    await file.commit();
    const found = readFileSync(out);
    expect([found.length, found[0], found[500_000], found.at(-1)]).toEqual([1_000_002, 97, 0, 98]);
  });

  test('refuses a file and a folder, and keeps a file that comes while it is made', async () => {
    const folder = scratch();
    const [out, other] = [join(folder, 'out'), join(folder, 'other')];
    mkdirSync(other);
    expect(await codeOf(() => openOutput(other, { replace: false }))).toBe('output/exists');
    const file = await openOutput(out, { replace: false });
    await file.write([bytes('ours')]);
    writeFileSync(out, 'theirs');
    expect(await codeOf(() => openOutput(out, { replace: false }))).toBe('output/exists');
    expect(await codeOf(() => file.commit())).toBe('output/exists');
    await file.discard();
    expect(readFileSync(out, 'utf8')).toBe('theirs');
    expect(readdirSync(folder).sort()).toEqual(['other', 'out']);
  });

  test('takes the place of a file or a folder where that is asked for', async () => {
    const folder = scratch();
    for (const name of ['file', 'folder', 'absent']) {
      const out = join(folder, name);
      if (name === 'file') writeFileSync(out, 'old');
      if (name === 'folder') mkdirSync(join(out, 'with', 'content'), { recursive: true });
      const file = await openOutput(out, { replace: true });
      await file.write([bytes('new')]);
      await file.commit();
      expect([name, readFileSync(out, 'utf8')]).toEqual([name, 'new']);
    }
    expect(readdirSync(folder).sort()).toEqual(['absent', 'file', 'folder']);
  });

  withPeer('mkfifo')('never takes the place of a pipe or a device', async () => {
    const pipe = join(scratch(), 'pipe');
    runPeer({ tool: 'mkfifo', args: [pipe] });
    expect(await codeOf(() => openOutput(pipe, { replace: true }))).toBe('output/exists');
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  test('needs the folder that it is to be in', async () => {
    expect(await codeOf(() => openOutput(join(scratch(), 'no', 'out'), { replace: false }))).toBe('output/write');
  });
});

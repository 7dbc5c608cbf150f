/** A run that is asked to stop at each of its stages in turn: it stops, and everything is as it was; or it was done already. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ConvertOptions, convert, type Source, unpack } from '../../converters/index.ts';
import { aciTar, leastApp } from '../../fixtures/aci.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { sampleLayer } from '../../fixtures/images.ts';
import { layoutTar, ociLayout } from '../../fixtures/oci-layout.ts';
import { fileOf, snapshot } from '../cases/command.ts';
import { scratch } from '../fixtures/peers.ts';
import { sliced } from '../formats/support.ts';

const layer = (name: string) => sampleLayer([{ name: 'etc/' }, { name: `etc/${name}`, body: name.repeat(2000) }]);
const image = { layers: [layer('a'), layer('b')], tags: ['app:1'], config: { config: { Cmd: ['/x'] } } };
const SOURCES: Readonly<Record<string, Uint8Array>> = {
  'docker archive': dockerSave(image, { generation: '1.10' }),
  'oci archive': layoutTar(ociLayout(image)),
  aci: aciTar({ manifest: { app: leastApp() }, rootfs: [{ name: 'a', body: 'x'.repeat(9000) }] }),
};
const TARGETS = ['oci', 'oci-archive', 'docker-archive', 'tar', 'bundle', 'root filesystem'];
const MOST = 200;

const run = (source: Source, to: string, out: string, options: ConvertOptions): Promise<unknown> =>
  to === 'root filesystem' ? unpack(source, out, options) : convert(source, out, { ...options, to });

/** Runs with the N-th stage, counted from 1, asking to stop, until a run has fewer stages. Gives how many were stopped. */
async function everyStage(
  begin: (out: string, signal: AbortSignal, stage: () => void) => Promise<unknown>,
): Promise<number> {
  let stopped = 0;
  for (let number = 1; number < MOST; number++) {
    const folder = scratch();
    const abort = new AbortController();
    let stages = 0;
    const stage = (): void => {
      if (++stages === number) abort.abort();
    };
    const failure = await begin(join(folder, 'out'), abort.signal, stage).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) expect(snapshot(folder)).not.toEqual([]);
    else {
      stopped++;
      expect(failure, `stage ${number}`).toMatchObject({ code: 'interrupted', status: 130 });
      expect(snapshot(folder), `stage ${number}`).toEqual([]);
    }
    if (stages < number) return stopped;
  }
  throw new Error(`more than ${MOST} stages`);
}

describe.each(Object.keys(SOURCES))('%s', (name) => {
  test.each(TARGETS)('to %s, stopped at each thing that is told of its progress', async (to) => {
    const source = fileOf(SOURCES[name]!);
    const stopped = await everyStage((out, signal, stage) => run(source, to, out, { signal, progress: stage }));
    expect(stopped).toBeGreaterThan(0);
  });

  test.each(TARGETS)('to %s from a pipe, stopped at each piece that it is given', async (to) => {
    const bytes = readFileSync(fileOf(SOURCES[name]!));
    const stopped = await everyStage((out, signal, stage) => {
      async function* stream() {
        for await (const chunk of sliced(bytes, 3000)) {
          stage();
          yield chunk;
        }
      }
      return run({ stream: stream() }, to, out, { signal });
    });
    expect(stopped).toBeGreaterThan(0);
  });
});

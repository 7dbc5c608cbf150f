/** Folders that inputs are read from, and folders that outputs go to: gone when the work is done. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Find } from './subject.ts';

export type Files = ReadonlyMap<string, Uint8Array>;

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ocix-fuzz-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Files on the disk, for as long as the work takes. */
export const onDisk = <T>(files: Files, work: (folder: string) => Promise<T>): Promise<T> =>
  withFolder((folder) => {
    for (const [path, bytes] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    return work(folder);
  });

/** The bytes of all, for what is kept of a find. */
export const inputOf = (files: Files) => ({
  files,
  bytes: Buffer.concat([...files].flatMap(([path, bytes]) => [Buffer.from(`== ${path} ${bytes.length}\n`), bytes])),
});

/** Runs with a folder of its own, in which nothing but `out` may have come, and that only where the run succeeds. */
export const inFolder = (work: (folder: string, out: string) => Promise<unknown>): Promise<void> =>
  withFolder(async (folder) => {
    mkdirSync(join(folder, 'around'));
    writeFileSync(join(folder, 'sentinel'), 'as it was');
    const before = lstatSync(join(folder, 'sentinel'), { bigint: true }).ctimeNs;
    const succeeded = await work(folder, join(folder, 'around/out')).then(
      () => true,
      (error: unknown) => {
        expectNothing(folder, before, []);
        throw error;
      },
    );
    if (succeeded) expectNothing(folder, before, ['out']);
  });

function expectNothing(folder: string, before: unknown, names: readonly string[]): void {
  const found = [readdirSync(folder).sort().join(), readdirSync(join(folder, 'around')).join()];
  if (found[0] !== 'around,sentinel' || found[1] !== names.join())
    throw new Find(`left behind: ${found.join(' and ')}`);
  if (lstatSync(join(folder, 'sentinel'), { bigint: true }).ctimeNs !== before)
    throw new Find('something beside the output has changed');
}

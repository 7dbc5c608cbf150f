/** What is fetched lies in files of a private folder, so that it can be read like any other image; nothing of it outlives the run. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { outputError } from '../bytes/output-error.ts';
import { type Asked, get, type Net } from './http.ts';
import type { Zone } from './zones.ts';

export interface Downloads {
  /** Gives the file, which nobody else can write to. @throws OcixError network/…, limit/total-bytes over all of them together, output/write */
  fetch(asked: Asked, what: Wished): Promise<Downloaded>;
  remove(): Promise<void>;
}

export interface Wished {
  /** For a person. */
  readonly name: string;
  /** Bytes, where it can have only so many. */
  readonly most?: number | undefined;
  /** The file that it is to lie beside, with the same name and `.asc` behind it. */
  readonly signatureOf?: string | undefined;
}

export interface Downloaded {
  readonly file: string;
  readonly zone: Zone;
}

/** The folder is made when the first file comes. */
export function downloads(net: Net, context: Context): Downloads {
  let folder: Promise<string> | undefined;
  let count = 0;
  let bytes = 0;
  return {
    async fetch(asked, wished) {
      const answer = await get(asked, net, context);
      try {
        if (answer.size !== undefined) check(answer.size, wished);
        folder ??= newFolder();
        const { signatureOf } = wished;
        const file = signatureOf === undefined ? join(await folder, `${count++}.aci`) : `${signatureOf}.asc`;
        await writeWhole(file, counted(answer.body, wished, answer.size));
        return { file, zone: answer.zone };
      } finally {
        answer.close();
      }
    },
    async remove() {
      if (folder) await rm(await folder, { recursive: true, force: true });
    },
  };

  async function* counted(body: Chunks, wished: Wished, size: number | undefined): AsyncGenerator<Uint8Array> {
    const before = bytes;
    for await (const chunk of body) {
      check(chunk.length, wished);
      bytes += chunk.length;
      const done = bytes - before;
      if (wished.most !== undefined && done > wished.most) throw tooLarge(wished);
      context.progress({ type: 'reading', name: wished.name, done, ...(size === undefined ? {} : { total: size }) });
      yield chunk;
    }
  }

  function check(more: number, wished: Wished): void {
    checkLimit(context.limits, 'total-bytes', bytes + more, 'what is fetched');
    if (wished.most !== undefined && more > wished.most) throw tooLarge(wished);
  }
}

const tooLarge = ({ name, most }: Wished): OcixError =>
  new OcixError('network/failed', `${name} is larger than it can be`, { expected: `at most ${most} bytes` });

async function newFolder(): Promise<string> {
  const path = join(tmpdir(), 'ocix-');
  return mkdtemp(path).catch((cause: unknown) => {
    throw outputError(path, cause);
  });
}

async function writeWhole(file: string, content: Chunks): Promise<void> {
  const handle = await open(file, 'wx', 0o600).catch((cause: unknown) => {
    throw outputError(file, cause);
  });
  try {
    for await (const chunk of content)
      await handle.writeFile(chunk).catch((cause: unknown) => {
        throw outputError(file, cause);
      });
  } finally {
    await handle.close();
  }
}

/**
 * Files of a repository, by HTTP or from a folder. What comes is checked against its digest and size before anybody sees it; files whose
 * digest is known are kept under it, so that the next run does not fetch them again, and one that was cut off is gone on with.
 */
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError, STATUS } from '../base/errors.ts';
import { algorithmOf, type Digest, hexOf, verify } from '../bytes/digest.ts';
import { outputError } from '../bytes/output-error.ts';
import { type ByteSource, fileBelow, fileSource, type RandomSource } from '../bytes/source.ts';
import { printable } from '../bytes/text.ts';

export interface Wanted {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface Place {
  /** A folder, or the address of one. */
  readonly base: string;
  /** Below it. */
  readonly path: string;
}

export interface Downloads {
  /** A small file whose digest nobody knows; undefined where it is not there. @throws OcixError network/…, limit/… */
  small(place: Place, most: number): Promise<Uint8Array | undefined>;
  /** A file that is what it should be; undefined where it is not there. @throws OcixError network/…, digest/mismatch, size/mismatch */
  file(place: Place, wanted: Wanted): Promise<RandomSource | undefined>;
}

const MOST_SILENCE = 30_000;
/** In each span of waiting so much has to come: a byte now and then is as good as nothing. */
const LEAST_BYTES = 16 * 1024;
const MOST_REDIRECTS = 5;

const isRemote = (base: string): boolean => /^https?:\/\//i.test(base);

/**
 * @param cache the folder where files are kept; it is made where it is needed
 * @param silence milliseconds of waiting in which nothing comes, or next to nothing, after which nothing more is expected
 */
export function downloads(cache: string, context: Context, silence = MOST_SILENCE): Downloads {
  const ask = (address: URL, from: number) => request(address, { from, silence }, context);
  return {
    async small({ base, path }, most) {
      if (!isRemote(base)) {
        const file = await fileBelow(base, path);
        if (!file) return undefined;
        try {
          return await bounded(file.window(0, file.size), most, path);
        } finally {
          await file.close();
        }
      }
      const answer = await ask(addressOf(base, path), 0);
      return answer && bounded(answer.chunks, most, path);
    },
    async file({ base, path }, wanted) {
      if (!isRemote(base)) return checkedFile(base, path, wanted);
      const name = join(cache, algorithmOf(wanted.digest), hexOf(wanted.digest));
      if (!(await isWhole(name, wanted)) && !(await fetchTo(name, wanted, (from) => ask(addressOf(base, path), from))))
        return undefined;
      return asRandom(await fileSource(name));
    },
  };
}

const addressOf = (base: string, path: string): URL =>
  new URL(path.split('/').map(encodeURIComponent).join('/'), base.endsWith('/') ? base : `${base}/`);

async function bounded(chunks: AsyncIterable<Uint8Array>, most: number, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > most)
      throw new OcixError('size/mismatch', `${printable(path)} has more than ${most} bytes`, {
        hint: 'No repository needs as much. Do not trust it.',
      });
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

function asRandom(source: ByteSource): RandomSource {
  if (source.kind === 'random') return source;
  throw new OcixError('source/unreadable', `${printable(source.name)} is not a file`);
}

/** A file of a folder is checked where it is. */
async function checkedFile(base: string, path: string, wanted: Wanted): Promise<RandomSource | undefined> {
  const file = await fileBelow(base, path);
  if (!file) return undefined;
  try {
    for await (const _ of verify(file.window(0, file.size), wanted, printable(path)));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file got its name when its digest was right; what was changed since has another one. */
async function isWhole(name: string, wanted: Wanted): Promise<boolean> {
  if ((await stat(name).catch(() => undefined))?.size !== wanted.size) return false;
  try {
    for await (const _ of verify(createReadStream(name, { highWaterMark: 2 ** 20 }), wanted, name));
    return true;
  } catch {
    await rm(name, { force: true });
    return false;
  }
}

async function fetchTo(
  name: string,
  wanted: Wanted,
  ask: (from: number) => Promise<Answer | undefined>,
): Promise<boolean> {
  const part = `${name}.part-${process.pid}`;
  const started = `${name}.part`;
  await attempt(name, () => mkdir(join(name, '..'), { recursive: true }));
  // Only one run goes on with what another left: whoever takes its name away.
  await rename(started, part).catch(() => {});
  try {
    const there = (await stat(part).catch(() => undefined))?.size ?? 0;
    const answer = await ask(there < wanted.size ? there : 0);
    if (!answer) {
      await rename(part, started).catch(() => {}); // another mirror may have the rest
      return false;
    }
    await append(part, answer.from, answer.chunks, wanted);
    for await (const _ of verify(createReadStream(part, { highWaterMark: 2 ** 20 }), wanted, hexOf(wanted.digest)));
    await attempt(name, () => rename(part, name));
    return true;
  } catch (error) {
    const keep = error instanceof OcixError && (error.status === STATUS.network || error.code === 'interrupted');
    if (keep) await rename(part, started).catch(() => {});
    else await rm(part, { force: true });
    throw error;
  }
}

async function append(part: string, from: number, chunks: AsyncIterable<Uint8Array>, wanted: Wanted): Promise<void> {
  const handle = await attempt(part, () => open(part, from ? 'r+' : 'w'));
  try {
    let at = from;
    for await (const chunk of chunks) {
      if (at + chunk.length > wanted.size)
        throw new OcixError('size/mismatch', 'the server sends more than was promised', {
          expected: `${wanted.size} bytes`,
        });
      // The system may take fewer bytes than it is given; a disk that is full says so at the next.
      for (let done = 0; done < chunk.length; )
        done += (await attempt(part, () => handle.write(chunk, done, chunk.length - done, at + done))).bytesWritten;
      at += chunk.length;
    }
    await attempt(part, () => handle.truncate(at));
  } finally {
    await handle.close();
  }
}

interface Answer {
  /** Where in the file its bytes start. */
  readonly from: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Undefined where there is nothing. @throws OcixError network/… */
async function request(
  address: URL,
  { from, silence: most }: { readonly from: number; readonly silence: number },
  context: Context,
): Promise<Answer | undefined> {
  const silence = alarm(most, context);
  let at = address;
  for (let redirects = 0; ; redirects++) {
    const response = await silence.guard(at, () =>
      fetch(at, {
        redirect: 'manual',
        signal: silence.signal,
        // Compression would be undone, and then sizes and ranges are those of something else.
        headers: { 'accept-encoding': 'identity', 'user-agent': 'ocix', ...(from ? { range: `bytes=${from}-` } : {}) },
      }),
    );
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel();
      if (redirects === MOST_REDIRECTS) throw failed(at, 'it leads on and on');
      const next = new URL(location, at);
      if (!isRemote(next.href) || (at.protocol === 'https:' && next.protocol === 'http:'))
        throw failed(at, `it leads to ${printable(next.href)}`);
      at = next;
      continue;
    }
    if (response.status === 404 || response.status === 410) {
      await response.body?.cancel();
      return undefined;
    }
    // A part that is not there to go on with: from the beginning.
    if (response.status === 416 && from) {
      await response.body?.cancel();
      return request(address, { from: 0, silence: most }, context);
    }
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      throw failed(at, `the server answers ${response.status}`);
    }
    const start =
      response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${from}-`) ? from : 0;
    if (response.status === 206 && start !== from) throw failed(at, 'the server sends another part than was asked for');
    return { from: start, chunks: silence.body(at, response) };
  }
}

const failed = (address: URL, why: string): OcixError =>
  new OcixError('network/status', `${printable(address.href)} cannot be fetched: ${why}`, {
    hint: 'Check the address, or use another mirror.',
  });

/** Ends a connection that says nothing or next to nothing, and tells an interruption from a failure. What the consumer takes does not count. */
function alarm(most: number, context: Context) {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const rest = (): void => clearTimeout(timer);
  const wait = (milliseconds = most): void => {
    rest();
    timer = setTimeout(() => controller.abort(), milliseconds);
  };
  const signal = AbortSignal.any([controller.signal, context.signal]);
  const told = (address: URL, cause: unknown): Error => {
    checkAbort(context);
    if (cause instanceof OcixError) return cause;
    if (controller.signal.aborted)
      return new OcixError(
        'network/timeout',
        `${printable(address.host)} has sent nothing, or next to nothing, for ${most / 1000} seconds`,
        {
          hint: 'Try again later, or use another mirror. What came so far is kept.',
          cause,
        },
      );
    const code = ((cause as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? (cause as Error).message;
    return new OcixError('network/failed', `${printable(address.host)} cannot be reached (${printable(code)})`, {
      hint: 'Check the address and the network.',
      cause,
    });
  };
  return {
    signal,
    async guard<T>(address: URL, work: () => Promise<T>): Promise<T> {
      wait();
      try {
        return await work();
      } catch (cause) {
        throw told(address, cause);
      } finally {
        rest();
      }
    },
    async *body(address: URL, { body }: Response): AsyncGenerator<Uint8Array> {
      let left = most;
      let received = 0;
      try {
        wait();
        let since = performance.now();
        for await (const chunk of body ?? []) {
          rest();
          left -= performance.now() - since;
          received += (chunk as Uint8Array).length;
          if (received >= LEAST_BYTES) [left, received] = [most, 0];
          yield chunk as Uint8Array;
          wait(left);
          since = performance.now();
        }
      } catch (cause) {
        throw told(address, cause);
      } finally {
        rest();
      }
    },
  };
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof OcixError ? cause : outputError(path, cause);
  }
}

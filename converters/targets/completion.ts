/**
 * Runs what completes an image in a container of its own, before the bundle is put in place. Nothing of the image runs outside of it.
 * It has no network: what it needs is in the image.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Context, checkAbort } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';

const RUNTIMES: readonly string[] = ['runc', 'crun'];
/** Of what it says, kept for an error. */
const MOST_SAID = 4000;

type Document = { readonly [name: string]: Json };

/** @param config the bundle's own @throws OcixError image/completion */
export async function completeImage(
  rootfs: string,
  argv: readonly string[],
  config: Document,
  context: Context,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ocix-'));
  try {
    const { process: own, root: _root, ...rest } = config;
    const process_ = { ...(own as Document), args: argv, cwd: '/', terminal: false, user: { uid: 0, gid: 0 } };
    // A folder that is held open has a path that means something to this process alone.
    const document = { ...rest, process: process_, root: { path: await realpath(rootfs), readonly: false } };
    await writeFile(join(folder, 'config.json'), JSON.stringify(document));
    await runIn(folder, context);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runIn(folder: string, context: Context): Promise<void> {
  for (const runtime of RUNTIMES) {
    const id = `ocix-${process.pid}-${folder.slice(-6)}`;
    const args = ['--root', join(folder, 'state'), 'run', '--bundle', folder, id];
    const ended = await run(runtime, args, context);
    if (!ended) continue;
    checkAbort(context);
    if (ended.status === 0) return;
    throw new OcixError('image/completion', 'the image could not be completed: its scripts ended with an error', {
      found: printable(ended.said.trim().split('\n').slice(-4).join('; ')),
      hint: 'Without --configure it is unpacked only; a system needs its essential packages for this.',
    });
  }
  throw new OcixError('image/completion', `none of ${RUNTIMES.join(', ')} is there to run the scripts in`, {
    hint: 'Install runc, or leave --configure out.',
  });
}

interface Ended {
  readonly status: number | null;
  readonly said: string;
}

/** Undefined where there is no such program. */
function run(program: string, args: readonly string[], { signal }: Context): Promise<Ended | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
    let said = '';
    const hear = (bytes: Buffer): void => {
      said = (said + bytes.toString('latin1')).slice(-MOST_SAID);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') resolve(undefined);
      else if (error.name === 'AbortError') resolve({ status: null, said });
      else reject(error);
    });
    child.on('close', (status) => resolve({ status, said }));
  });
}

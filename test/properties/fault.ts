/** Calls of `node:fs` that fail as a full disk, a lost permission or a signal makes them fail: the N-th of a run, and no other. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { loadSyscalls, type Syscalls } from '../../formats/rootfs/syscalls.ts';

/** What writing needs. What removing needs is left alone, `chmodSync` and `renameSync` with it: what failed has to be cleaned up. */
const PROMISED = ['mkdir', 'mkdtemp', 'open', 'rename', 'writeFile', 'link', 'chmod', 'chown'] as const;
const SYNC = [
  ...['mkdirSync', 'openSync', 'writeSync', 'writeFileSync', 'symlinkSync', 'linkSync', 'ftruncateSync'],
  ...['chownSync', 'fchmodSync', 'fchownSync', 'lchownSync', 'futimesSync', 'lutimesSync'],
] as const;
const OF_HANDLES = ['write', 'writev', 'writeFile', 'truncate'] as const;

export interface Fault {
  /** Counted from 1. */
  readonly number: number;
  readonly code: string;
}

export interface Faulted<T> {
  readonly result: PromiseSettledResult<T>;
  /** The call that failed; undefined where there were fewer. */
  readonly call: string | undefined;
}

type Any = (...args: unknown[]) => unknown;

/** Runs `work` with its N-th writing call failing. Reading is not: a file that is opened to be read opens. */
export async function withFault<T>({ number, code }: Fault, work: () => Promise<T>): Promise<Faulted<T>> {
  let calls = 0;
  let call: string | undefined;
  const undo: (() => void)[] = [];
  const faulty = (holder: Record<string, Any>, name: string, fail: (error: Error) => unknown): void => {
    const original = holder[name]!;
    undo.push(() => (holder[name] = original));
    holder[name] = function (this: unknown, ...args: unknown[]) {
      if (/^open/.test(name) && !isForWriting(args[1])) return original.apply(this, args);
      if (++calls !== number) return original.apply(this, args);
      call = name;
      return fail(Object.assign(new Error(`${code}: injected, ${name}`), { code, syscall: name, errno: -1 }));
    };
  };
  const reject = (error: Error) => Promise.reject(error);
  const raise = (error: Error) => {
    throw error;
  };
  const handle = await fs.promises.open('/dev/null');
  const handles = Object.getPrototypeOf(handle) as Record<string, Any>;
  await handle.close();
  for (const name of PROMISED) faulty(fs.promises as unknown as Record<string, Any>, name, reject);
  for (const name of SYNC) faulty(fs as unknown as Record<string, Any>, name, raise);
  for (const name of OF_HANDLES) faulty(handles, name, reject);
  syncBuiltinESMExports();
  try {
    const [result] = await Promise.allSettled([work()]);
    return { result, call };
  } finally {
    for (const one of undo) one();
    syncBuiltinESMExports();
  }
}

/** What the system says to these calls of libc, whenever they are made, or to the N-th of them alone. */
export async function withRefusals<T>(
  refusals: { readonly [call in keyof Syscalls]?: number },
  work: () => Promise<T>,
  nth?: number,
): Promise<{ readonly result: PromiseSettledResult<T>; readonly calls: number }> {
  const syscalls = (await loadSyscalls())! as unknown as Record<string, Any>;
  const original = { ...syscalls };
  let calls = 0;
  for (const [call, answer] of Object.entries(refusals))
    syscalls[call] = (...args) => {
      calls++;
      return nth === undefined || calls === nth ? answer : original[call]!(...args);
    };
  try {
    const [result] = await Promise.allSettled([work()]);
    return { result, calls };
  } finally {
    Object.assign(syscalls, original);
  }
}

const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
const isForWriting = (flags: unknown): boolean =>
  typeof flags === 'number'
    ? (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0
    : typeof flags === 'string' && flags !== 'r';

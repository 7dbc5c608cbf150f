/**
 * Entry point of `make fuzz`: gives each subject its share of the time, in a process of its own that is watched from here, so
 * that a run without an end and a heap without a bound are found like any other fault.
 *
 * SEED (a new one each day unless said), SECONDS (60), ONLY (names of subjects, with commas), NUMBER (one input again).
 * What is found is kept in build/fuzz/: the input, and what it did.
 */
import { fork } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Order, Report } from './batch.ts';
import { inputAt, subjectNamed } from './one.ts';
import { SUBJECTS } from './subjects/index.ts';

/** Milliseconds of computing for one input, where its subject does not ask for more. */
const MOST_TIME = 5000;
/** How many times as long one may wait, on a busy machine or for what never comes. */
const WAITING = 6;
/** What a process may take on top of that before its first input. */
const MOST_START = 20_000;
/** Memory of the whole process, which holds garbage too. */
const MOST_MEMORY = 1536 * 2 ** 20;
const WATCH_EVERY = 250;
/** Characters of a line of what is shown; the file has all. */
const MOST_WIDTH = 200;

const { SEED = new Date().toISOString().slice(0, 10), SECONDS = '60', ONLY, NUMBER } = process.env;
const folder = join(import.meta.dirname, 'finds');
const wanted = SUBJECTS.map(({ name }) => name).filter((name) => !ONLY || ONLY.split(',').includes(name));
const found = new Set<string>();

async function keep(subject: string, number: number, what: string): Promise<void> {
  found.add(`${subject} ${number}`);
  const lines = what.split('\n').slice(0, 6);
  console.log(
    `find: SEED=${SEED} ONLY=${subject} NUMBER=${number} make fuzz\n  ${lines.map((line) => line.slice(0, MOST_WIDTH)).join('\n  ')}`,
  );
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${subject}-${SEED}-${number}`);
  writeFileSync(`${path}.txt`, `${what}\n`);
  // An input that cannot be made is a find too, and has no bytes.
  const input = await inputAt({ seed: SEED, subject, number }).catch(() => undefined);
  if (input) writeFileSync(path, input.bytes);
}

/** Inputs of one subject from a number on, until the time is over or the process is. */
function batch(order: Order, outcomes: Map<string, number>): Promise<number> {
  const { patience = MOST_TIME } = subjectNamed(order.subject);
  const child = fork(join(import.meta.dirname, 'batch.js'), { serialization: 'json' });
  let number = order.from;
  let since = performance.now() + MOST_START;
  let computed = Number.POSITIVE_INFINITY;
  let next: number | undefined;
  let killed: string | undefined;
  const watch = setInterval(() => {
    const { memory, cpu } = usageOf(child.pid!);
    if (cpu - computed > patience) killed ??= `it did not end in ${patience} ms of computing`;
    else if (performance.now() - since > WAITING * patience) killed ??= `it did not end in ${WAITING * patience} ms`;
    else if (memory > MOST_MEMORY) killed ??= `it took more than ${MOST_MEMORY} bytes`;
    if (killed) child.kill('SIGKILL');
  }, WATCH_EVERY);
  const kept: Promise<void>[] = [];
  child.on('message', (message: Report) => {
    if (message.kind === 'find') kept.push(keep(order.subject, message.number, message.what));
    if (message.kind === 'at') {
      number = message.number;
      since = performance.now();
      computed = usageOf(child.pid!).cpu;
    }
    if (message.kind === 'done') {
      next = message.next;
      for (const [outcome, count] of message.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + count);
    }
  });
  child.send(order);
  return new Promise((resolve) =>
    child.on('exit', async (status, signal) => {
      clearInterval(watch);
      if (next === undefined) await keep(order.subject, number, killed ?? `the process ended with ${signal ?? status}`);
      await Promise.all(kept);
      resolve(next ?? number + 1);
    }),
  );
}

/** Clock ticks of the kernel in a second, as Linux shows them to every program. */
const TICKS = 100;

/** Bytes held, and milliseconds computed, where the system says it; elsewhere the child alone watches its growth, and the clock its time. */
function usageOf(pid: number): { readonly memory: number; readonly cpu: number } {
  try {
    const memory = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { memory, cpu: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS };
  } catch {
    return { memory: 0, cpu: 0 };
  }
}

async function fuzz(subject: string, milliseconds: number): Promise<void> {
  const outcomes = new Map<string, number>();
  const end = performance.now() + milliseconds;
  let next = NUMBER === undefined ? 0 : Number(NUMBER);
  do {
    const left = Math.max(end - performance.now(), 100);
    const most = NUMBER === undefined ? Number.MAX_SAFE_INTEGER : 1;
    next = await batch({ seed: SEED, subject, from: next, milliseconds: left, most }, outcomes);
  } while (NUMBER === undefined && performance.now() < end - 100);
  const inputs = [...outcomes.values()].reduce((sum, count) => sum + count, 0);
  const share = Math.round(((outcomes.get('accepted') ?? 0) / Math.max(inputs, 1)) * 100);
  console.log(
    `${subject.padEnd(18)} ${String(inputs).padStart(8)} inputs, ${share}% accepted, ${outcomes.size} outcomes`,
  );
  if (NUMBER !== undefined) console.log([...outcomes.keys()].join());
}

if (!wanted.length) throw new Error(`ONLY=${ONLY} names none of ${SUBJECTS.map(({ name }) => name).join(', ')}`);
console.log(`SEED=${SEED} SECONDS=${SECONDS}`);
for (const subject of wanted) await fuzz(subject, (Number(SECONDS) * 1000) / wanted.length);
console.log(found.size ? `${found.size} finds, kept in ${folder}` : 'no find');
process.exitCode = found.size ? 1 : 0;

/**
 * What a run of the command has written, held against `validate --level should` and `oci-image-tool`: every layout, archive, ACI and bundle that comes out of
 * a run in any test has to be one that no other tool could object to.
 */
import { readdirSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Finding, RuleId } from '../../converters/index.ts';
import { objectionOfTool, partsOf, stateOf } from '../soundness.ts';

/** What a test knows to be wrong with its input, and to come along as it is; `all` where another process changes the output. */
export type Inherited = readonly RuleId[] | 'all';

const WRITERS = ['convert', 'bundle', 'migrate', 'docker2oci', 'aci2oci', 'deb2oci', 'docker2aci', 'deb2aci'];
/** Options whose values are files that are written beside the output. */
const BESIDE = ['--report', '--lock', '--sign-key'];
/** Written for other programs; there is nothing in them that a specification of images speaks of. */
const NOT_VALIDATED = ['kube'];

/**
 * To be called before a run.
 * @returns to be called after it: throws where something that its arguments name, or that is new in its folder, is not sound
 */
export function watchOutputs(args: readonly string[], cwd: string | undefined): (inherited?: Inherited) => void {
  if (!WRITERS.includes(args[0] ?? '')) return () => {};
  const to = args[args.indexOf('--to') + 1] ?? '';
  if (args.includes('--to') && NOT_VALIDATED.includes(to)) return () => {};
  const before = new Map(named(args, cwd).map((path) => [path, stateOf(path)]));
  return (inherited = []) => {
    if (inherited === 'all') return;
    const written = named(args, cwd).filter((path) => stateOf(path) !== (before.get(path) ?? ''));
    for (const path of written) {
      const findings = soundnessOf(path, args.includes('--to') && to === 'tar' ? 'tar:' : '');
      const wrong = findings.filter(({ rule }) => !inherited.includes(rule)).map(line);
      const objections = [...wrong, ...[objectionOfTool(path) ?? []].flat()];
      if (objections.length)
        throw new Error(`ocix ${args.join(' ')}: what it wrote is not sound:\n${objections.join('\n')}`);
    }
  };
}

const line = ({ rule, at, message }: Finding): string => `  ${rule}: ${at.join(' > ')}: ${message}`;

/** Files and folders that the arguments name, and what stands in the folder that the run starts in; of a folder and what is in it, the latter. */
function named(args: readonly string[], cwd = '.'): readonly string[] {
  const places = args.slice(1).map((value) => resolve(cwd, value.replace(/^[a-z][a-z0-9-]*:/, '')));
  const beside = places.filter((_, i) => BESIDE.includes(args[i]!));
  const around = cwd === '.' ? [] : readdirSync(cwd).map((name) => resolve(cwd, name));
  const paths = [...new Set([...places, ...around])].filter((path) => !beside.includes(path));
  return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}${sep}`)));
}

/** What is wrong with an image, or with each bundle of a pod; notes are not asked for. */
const soundnessOf = (path: string, transport: string): readonly Finding[] =>
  partsOf(path).flatMap(({ path: part, whole }) => findingsIn(`${transport}${part}`, whole));

let validator: { readonly port: MessagePort; readonly flag: Int32Array } | undefined;

function startValidator() {
  const { port1, port2 } = new MessageChannel();
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./validator.mjs', import.meta.url), {
    execArgv: [],
    workerData: { port: port2, flag },
    transferList: [port2],
  });
  worker.unref();
  port1.unref();
  return { port: port1, flag };
}

function findingsIn(source: string, whole: boolean): readonly Finding[] {
  const { port, flag } = (validator ??= startValidator());
  Atomics.store(flag, 0, 0);
  port.postMessage({ source, fast: !whole });
  if (Atomics.wait(flag, 0, 0, 60_000) === 'timed-out') throw new Error(`${source} could not be validated in a minute`);
  const answer = receiveMessageOnPort(port)?.message as {
    readonly findings?: readonly Finding[];
    readonly error?: string;
  };
  if (!answer.findings) throw new Error(`${source} could not be validated: ${answer.error}`);
  return answer.findings.filter(({ level }) => level !== 'note');
}

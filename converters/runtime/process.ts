/**
 * What runs: arguments, environment, folder.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/conversion.md#verbatim-fields
 */
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { ImageConfig } from '../../formats/model/config.ts';
import { cleanText } from '../../formats/rootfs/path.ts';
import type { RuntimeIsolation } from './isolation.ts';
import type { ResolvedUser } from './user.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface ProcessOptions {
  readonly terminal: boolean;
  readonly isolation: RuntimeIsolation;
}

/** @throws OcixError image/config */
export function checkProcess(config: ImageConfig): void {
  argumentsOf(config);
  for (const line of config.env) nameIn(line);
  folderOf(config);
}

/** @throws OcixError image/config */
export function processOf(config: ImageConfig, user: ResolvedUser, { terminal, isolation }: ProcessOptions): Json {
  const { capabilities } = isolation;
  return {
    terminal,
    user: { uid: user.uid, gid: user.gid, ...(user.groups.length ? { additionalGids: user.groups } : {}) },
    args: argumentsOf(config),
    env: environmentOf(config, user, terminal),
    cwd: folderOf(config),
    // Inheritable and ambient sets stay empty: with them a program gains what its file does not grant (CVE-2022-24769).
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...isolation.process,
  };
}

function argumentsOf({ entrypoint, cmd }: ImageConfig): readonly string[] {
  const args = [...entrypoint, ...cmd];
  if (!args.length)
    throw bad(
      'the image has nothing to run: neither Entrypoint nor Cmd',
      '/config/Cmd',
      'Unpack it instead: ocix unpack SOURCE DIR.',
    );
  for (const word of args) checkText(word, '/config/Cmd');
  return args;
}

/** Everything that the image sets, as it sets it and in its order; behind that what a program may expect and the image leaves out. */
function environmentOf(
  { env, runtimeEnv = [] }: ImageConfig,
  user: ResolvedUser,
  terminal: boolean,
): readonly string[] {
  const names = new Set(env.map(nameIn));
  const added = [...runtimeEnv, PATH, `HOME=${user.home ?? '/'}`, ...(terminal ? ['TERM=xterm'] : [])];
  const missing = added.filter((line) => {
    const known = names.has(nameIn(line));
    names.add(nameIn(line));
    return !known;
  });
  return [...env, ...missing];
}

function nameIn(line: string): string {
  checkText(line, '/config/Env');
  const equals = line.indexOf('=');
  if (equals > 0) return line.slice(0, equals);
  throw bad(
    `${JSON.stringify(printable(line.slice(0, 80)))} in Env is not of the form NAME=VALUE`,
    '/config/Env',
    'Correct the image.',
  );
}

/** A folder below /proc/…/fd, which /dev/fd is too, leads to what the runtime has open on the host (CVE-2024-21626). */
function folderOf({ workingDir }: ImageConfig): string {
  if (workingDir === undefined || workingDir === '') return '/';
  checkText(workingDir, '/config/WorkingDir');
  if (!workingDir.startsWith('/'))
    throw bad(
      `WorkingDir ${JSON.stringify(printable(workingDir))} is not absolute`,
      '/config/WorkingDir',
      'Correct the image.',
    );
  if (passesDescriptors(workingDir)) {
    throw bad(
      `WorkingDir ${JSON.stringify(printable(workingDir))} leads to files that the runtime has open on the host`,
      '/config/WorkingDir',
      'Do not trust this image.',
    );
  }
  return workingDir;
}

/** Every folder on the way counts, since .. behind a link leads up from where that points to. */
const passesDescriptors = (path: string): boolean =>
  path
    .split('/')
    .some((_, i, parts) => /^(?:proc\/(?:.*\/)?|dev\/)fd$/s.test(cleanText(parts.slice(0, i + 1).join('/')).path));

function checkText(text: string, pointer: string): void {
  if (text.includes('\0'))
    throw bad('a NUL byte in a text that a program is to get', pointer, 'Do not trust this image.');
}

const bad = (message: string, pointer: string, hint: string): OcixError =>
  new OcixError('image/config', message, { at: ['configuration', pointer], hint });

/** Where packages come from, as the command line says it; and what becomes of what was decided about them. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { OcixError } from '../formats/base/errors.ts';
import { outputError } from '../formats/bytes/output-error.ts';
import { printable } from '../formats/bytes/text.ts';
import type { Decision, Repositories } from '../formats/model/reader.ts';

export interface RepositoryOptions {
  readonly aptRepo?: readonly string[];
  readonly aptKeyring?: readonly string[];
  readonly arch?: string;
  readonly components?: string;
  readonly lock?: string;
  readonly configure?: boolean;
  readonly explain?: readonly string[];
}

export interface ChosenRepositories {
  readonly repositories: Repositories;
  /** To be called when everything is written. */
  finish(stderr: { write(text: string): void }): Promise<void>;
}

/** @throws OcixError source/unreadable where a lock file is there and cannot be read */
export function chosenRepositories(options: RepositoryOptions, env: NodeJS.ProcessEnv): ChosenRepositories {
  const { aptRepo = [], aptKeyring = [], arch, components, lock, explain = [] } = options;
  const there = lock === undefined ? undefined : lockAt(lock);
  let decision: Decision | undefined;
  return {
    repositories: {
      places: aptRepo,
      keyrings: aptKeyring,
      components: components?.split(',').filter((name) => name !== ''),
      architecture: arch,
      essential: options.configure,
      cache: join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'ocix'),
      now: new Date(),
      lock: lock === undefined ? undefined : { text: there },
      decided: (one) => {
        decision = one;
      },
    },
    async finish(stderr) {
      for (const name of explain) stderr.write(`${explanation(name, decision)}\n`);
      if (lock === undefined || there !== undefined || decision?.lock === undefined) return;
      await writeFile(lock, decision.lock, { flag: 'wx' }).catch((cause: unknown) => {
        throw outputError(lock, cause);
      });
    },
  };
}

function explanation(name: string, decision: Decision | undefined): string {
  if (!decision) return `${printable(name)}: nothing was decided, what is in was given`;
  return (decision.why(name) ?? [`${printable(name)} is not in`]).map(printable).join('\n  ');
}

function lockAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new OcixError('source/unreadable', `${printable(path)} cannot be read`, { cause });
  }
}

/** Failures of the output, as sentences. */
import { OcixError } from '../base/errors.ts';
import { printable } from './text.ts';

const SENTENCES: Readonly<Record<string, readonly [string, string]>> = {
  ENOSPC: ['there is no space left', 'Free some space, or write somewhere else.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, or write somewhere else.'],
  EACCES: ['there is no permission to write', 'Choose a folder that you may write to.'],
  EPERM: ['there is no permission to write', 'Choose a folder that you may write to.'],
  EROFS: ['the file system is read-only', 'Choose a folder that you may write to.'],
  ENOENT: ['its parent folder does not exist', 'Make the parent folder first.'],
  ENOTDIR: ['something above it is not a folder', 'Check the path.'],
  EPIPE: ['the reader of the output has gone', 'Nothing else to do.'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter name.'],
};

export function outputError(path: string, cause: unknown): OcixError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const [sentence, hint] = SENTENCES[code] ?? [
    `the system says ${code}`,
    'Check the path, and the space and permissions there.',
  ];
  return new OcixError('output/write', `${printable(path)} cannot be written: ${sentence}`, { hint, cause });
}

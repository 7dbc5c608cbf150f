/**
 * The content of a member as a stream.
 *
 * `ar-async` reads members of archives that lie on a disk, and only where the table says that it can: its walk over the headers
 * runs in callbacks of the file system, and what it does not expect there (a header without its end mark, a size that is no number, a
 * member of length 0) is thrown where nobody can catch it and ends the process. It also ends a truncated member quietly. So it is
 * given nothing but archives whose table was walked to the end without a fault, and what comes is counted. Everything else
 * (a pipe, an archive with an oddity behind the members that are wanted) is read through a window over the source.
 */
import type { ArEntry } from 'ar-async';
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { verify } from '../bytes/digest.ts';
import type { RandomSource } from '../bytes/source.ts';
import { printable } from '../bytes/text.ts';
import type { ArMember, ArTable } from './table.ts';

/** The content, exactly as long as the table says. Can be called again. @throws OcixError size/mismatch, source/unreadable */
export function memberContent(source: RandomSource, table: ArTable, member: ArMember, context: Context): Chunks {
  const chunks =
    source.path !== undefined && canBeStreamed(table)
      ? streamed(source.path, table.members.indexOf(member), context)
      : source.window(member.offset, member.size);
  return verify(chunks, { size: member.size }, printable(member.name));
}

/** Whether `ar-async` reads this archive as it is. */
export const canBeStreamed = ({ members, fault }: ArTable): boolean =>
  fault === undefined && members.every(({ name, size }) => size > 0 && !/^[/#]/.test(name));

async function* streamed(path: string, wanted: number, context: Context): AsyncGenerator<Uint8Array> {
  const { ArReader } = (await import('ar-async')).default;
  const reader = new ArReader(path);
  const entry = await new Promise<ArEntry>((resolve, reject) => {
    let index = 0;
    let found: ArEntry | undefined;
    const gone = (cause?: Error): void =>
      reject(
        new OcixError('source/unreadable', `${printable(path)} has changed while it was read`, {
          hint: 'Try again.',
          cause,
        }),
      );
    reader.on('error', gone);
    // It closes the file when it is through, so it is let through to the end. An entry opens the file for itself after that.
    reader.on('close', () => (found ? resolve(found) : gone()));
    reader.on('entry', (each, next) => {
      if (index++ === wanted) found = each;
      next();
    });
  });
  for await (const chunk of entry.fileData()) {
    checkAbort(context);
    yield chunk;
  }
}

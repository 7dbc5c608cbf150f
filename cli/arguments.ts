/** What was typed, as far as this process can know it. Names are bytes; Node decodes arguments as UTF-8, and what is none becomes another name. */
import { readFileSync } from 'node:fs';
import { OcixError } from '../formats/base/errors.ts';
import { printable, strictUtf8 } from '../formats/bytes/text.ts';

/** What a decoder puts in the place of bytes that are no UTF-8; it may also be a character of a name. */
const REPLACEMENT = '\ufffd';

/** Where the system does not show the bytes, nothing is refused. @throws OcixError usage/argument */
export function checkArguments(args: readonly string[]): void {
  const doubtful = args.find((argument) => argument.includes(REPLACEMENT));
  if (doubtful === undefined || strictUtf8(typedBytes()) !== undefined) return;
  throw new OcixError('usage/argument', `an argument is not UTF-8, and would be taken for ${printable(doubtful)}`, {
    hint: 'Rename the file, lead to it by a link, or send it to standard input, which is -.',
  });
}

function typedBytes(): Uint8Array {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return new Uint8Array();
  }
}

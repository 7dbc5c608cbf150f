/**
 * The members of an `ar` archive, found by walking over its headers, none of whose content is read. Everything that a header
 * says is checked before anybody trusts it: the end mark, decimal numbers, a size that lies within the file.
 *
 * There is no standard; deb(5) of dpkg and ar(5) of the BSDs describe the form. Names of the GNU and BSD kinds of long names stand
 * here as the header has them: nothing that is read from such archives has one.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
 */
import { OcixError } from '../base/errors.ts';
import { checkLimit, type Limits } from '../base/limits.ts';
import { collect } from '../bytes/chunks.ts';
import type { RandomSource } from '../bytes/source.ts';
import { binaryString, printable } from '../bytes/text.ts';

export interface ArMember {
  /** Without padding, and without the slash that GNU ar ends names with. A binary string. */
  readonly name: string;
  /** Where the content starts, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

export interface ArTable {
  /** In the order of the file, up to the first fault. */
  readonly members: readonly ArMember[];
  /** What is wrong behind the last of them, for whoever needs more. */
  readonly fault: OcixError | undefined;
}

const MAGIC = '!<arch>\n';
const HEADER = 60;
const END_MARK = '`\n';
const HINT = 'The file is damaged or incomplete. Fetch it again.';

export const isAr = (head: Uint8Array): boolean => binaryString(head.subarray(0, MAGIC.length)) === MAGIC;

/**
 * A fault does not hide the members before it: readers of packages stop at the member that they want.
 * @throws OcixError ar/header where it is no ar archive, limit/members
 */
export async function arTable(source: RandomSource, limits: Limits): Promise<ArTable> {
  if (!isAr(await collect(source.window(0, MAGIC.length), MAGIC.length)))
    throw new OcixError('ar/header', 'this is no ar archive', { hint: 'Check the path, or fetch the file again.' });
  const members: ArMember[] = [];
  for (let at = MAGIC.length; at < source.size; ) {
    const header = binaryString(await collect(source.window(at, HEADER), HEADER));
    const member = parseHeader(header, at, source.size);
    if (member instanceof OcixError) return { members, fault: member };
    members.push(member);
    checkLimit(limits, 'members', members.length, 'the number of members');
    at = member.offset + member.size + (member.size % 2);
  }
  return { members, fault: undefined };
}

function parseHeader(header: string, at: number, end: number): ArMember | OcixError {
  const place = `at byte ${at}`;
  if (header.length < HEADER)
    return new OcixError('ar/truncated', `the archive ends inside the header of a member, ${place}`, { hint: HINT });
  if (header.slice(58) !== END_MARK)
    return new OcixError('ar/header', `the header of a member is not one, ${place}`, { hint: HINT });
  const name = header
    .slice(0, 16)
    .replace(/ +$/, '')
    .replace(/(?<=[^/])\/$/, '');
  const size = decimal(header.slice(48, 58));
  const mtime = decimal(header.slice(16, 28)) ?? 0; // GNU ar leaves it out for its table of names
  if (size === undefined)
    return new OcixError('ar/header', `the size of ${shown(name)} is not a number`, {
      found: JSON.stringify(printable(header.slice(48, 58))),
      hint: HINT,
    });
  const offset = at + HEADER;
  if (size > end - offset)
    return new OcixError('ar/truncated', `${shown(name)} is longer than the archive`, {
      expected: `${size} bytes`,
      found: `${end - offset} bytes`,
      hint: HINT,
    });
  return { name, offset, size, mtime };
}

const decimal = (field: string): number | undefined => (/^[0-9]+ *$/.test(field) ? Number(field) : undefined);

const shown = (name: string): string => (name === '' ? 'a member without a name' : printable(name));

/**
 * Packages of the format before ar (`0.93…`, until 1995): two lines, the version and the length of the control archive, and then
 * both archives, compressed with gzip, one behind the other. dpkg still reads it.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb-old.5.en.html
 */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { RandomSource } from '../bytes/source.ts';
import { binaryString } from '../bytes/text.ts';
import type { PackageMembers } from './package.ts';

/** dpkg-deb reads the version as a number, and takes any that starts so. */
const HEAD = /^(0\.93[0-9]{0,6})\n([0-9]{1,10})\n/;

export const isOldPackage = (head: Uint8Array): boolean => /^0\.93[0-9]{0,6}\n/.test(binaryString(head));

/** @throws OcixError debian/package */
export async function oldMembers(source: RandomSource, head: Uint8Array, _context: Context): Promise<PackageMembers> {
  const match = HEAD.exec(binaryString(head));
  const start = match?.[0].length ?? 0;
  const size = Number(match?.[2] ?? 0);
  const data = start + size;
  if (size === 0 || data >= source.size)
    throw new OcixError('debian/package', 'the length of the control archive cannot be right', {
      found: match ? `${size} of ${source.size} bytes` : 'no number',
      hint: 'The package is damaged or incomplete. Fetch it again.',
    });
  return {
    built: 0, // nothing says when
    control: { compression: 'gzip', size, open: () => source.window(start, size) },
    data: { compression: 'gzip', size: source.size - data, open: () => source.window(data, source.size - data) },
  };
}

/**
 * The members of a package of format 2, in the order that deb(5) wants: `debian-binary`, `control.tar`, `data.tar`, each of the
 * latter with the suffix of its compression. Members whose names start with `_` are passed over, and so is whatever follows the data.
 */
import { memberContent } from '../ar/stream.ts';
import { type ArMember, arTable } from '../ar/table.ts';
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { collect } from '../bytes/chunks.ts';
import type { RandomSource } from '../bytes/source.ts';
import { binaryString, printable } from '../bytes/text.ts';
import type { CompressionName } from '../codec/codec.ts';
import type { DataArchive, PackageMembers } from './package.ts';

const SUFFIXES: Readonly<Record<string, CompressionName | undefined>> = {
  '': undefined,
  '.gz': 'gzip',
  '.xz': 'xz',
  '.zst': 'zstd',
  '.bz2': 'bzip2',
  '.lzma': 'lzma',
};

/** The first line of it is the version of the format; there may be more lines. */
const MOST_VERSION = 4096;

/** @throws OcixError ar/…, debian/package, format/unsupported */
export async function packageMembers(source: RandomSource, context: Context): Promise<PackageMembers> {
  const table = await arTable(source, context.limits);
  const [first, ...others] = table.members;
  if (!first) throw table.fault ?? missing('debian-binary');
  await checkFormat(source, first);
  const members = others.filter(({ name }) => !name.startsWith('_'));
  return {
    built: first.mtime,
    control: archiveOf('control.tar', members[0]),
    data: archiveOf('data.tar', members[1]),
  };

  function archiveOf(base: string, member: ArMember | undefined): DataArchive {
    if (!member) throw table.fault ?? missing(base);
    const suffix = member.name.startsWith(base) ? member.name.slice(base.length) : undefined;
    if (suffix === undefined || !Object.hasOwn(SUFFIXES, suffix)) throw unexpected(base, member);
    if (member.size === 0) throw new OcixError('debian/package', `${member.name} is empty`, { hint: HINT });
    return {
      compression: SUFFIXES[suffix],
      size: member.size,
      open: () => memberContent(source, table, member, context),
    };
  }
}

const HINT = 'The package is damaged or was made by hand. Fetch it again.';

async function checkFormat(source: RandomSource, { offset, size }: ArMember): Promise<void> {
  const text = binaryString(await collect(source.window(offset, Math.min(size, MOST_VERSION)), MOST_VERSION));
  const version = text.split('\n', 1)[0]!;
  const match = text.includes('\n') ? /^([0-9]{1,9})\.([0-9]{1,9})$/.exec(version) : null;
  if (!match)
    throw new OcixError('debian/package', 'the package does not say which version of the format it has', {
      at: ['debian-binary'],
      hint: HINT,
    });
  if (match[1] !== '2')
    throw new OcixError('format/unsupported', `version ${version} of the package format is not known`, {
      at: ['debian-binary'],
      expected: '2.0',
    });
}

const missing = (base: string): OcixError =>
  new OcixError('debian/package', `the package has no ${base}`, { hint: HINT });

function unexpected(base: string, { name }: ArMember): OcixError {
  return new OcixError('debian/package', `${JSON.stringify(printable(name))} stands where ${base} is wanted`, {
    hint: HINT,
  });
}

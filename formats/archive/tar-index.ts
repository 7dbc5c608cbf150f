/**
 * A tar that can be read anywhere, indexed by going from header to header: no content is read until a member is opened.
 * In an archive that holds a name twice the last one counts, as it does for every loader.
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import type { RandomSource } from '../bytes/source.ts';
import { binaryString, printable, strictUtf8 } from '../bytes/text.ts';
import type { TarEntry } from '../tar/entry.ts';
import { tarScanner } from '../tar/scanner.ts';
import { type Archive, type Member, memberName } from './archive.ts';

/** One read covers many small members, and costs little where a large one follows. */
const STEP = 32 * 1024;

export async function indexedArchive(source: RandomSource, context: Context): Promise<Archive> {
  const members = new Map<string, Member>();
  const scanner = tarScanner(context.limits, {
    entry: (entry) => {
      const start = scanner.position;
      const member = memberOf(entry, () => source.window(start, entry.size));
      addMember(
        members,
        {
          ...member,
          openReusing: () => source.reusingWindow(start, entry.size),
          head: (size) => source.window(start, Math.min(size, entry.size)),
        },
        context,
      );
    },
  });
  while (scanner.position < source.size && !scanner.over) {
    checkAbort(context);
    for await (const chunk of source.window(scanner.position, STEP)) scanner.push(chunk);
    if (scanner.skippable === 0) continue;
    if (scanner.position + scanner.content > source.size)
      throw truncated(source.size, scanner.position + scanner.content);
    scanner.skip();
  }
  scanner.finish();
  return {
    kind: 'tar',
    name: source.name,
    compression: [],
    size: source.size,
    names: () => [...members.keys()],
    list: async (folder) => filesBelow(members, folder),
    get: async (name) => members.get(name),
    close: () => source.close(),
  };
}

function truncated(size: number, wanted: number): OcixError {
  return new OcixError('tar/truncated', 'the archive ends inside a file', {
    expected: `at least ${wanted} bytes`,
    found: `${size} bytes`,
    hint: 'The archive is incomplete. Fetch it again.',
  });
}

export function memberOf(entry: TarEntry, open: Member['open']): Member {
  const name = memberName(relative(textOf(entry.path)));
  if (entry.extents)
    throw new OcixError(
      'member/type',
      `${printable(name)} is stored as a sparse file, which no tool does for a member`,
    );
  const { type } = entry;
  return {
    name,
    type: type === 'file' || type === 'dir' || type === 'symlink' || type === 'hardlink' ? type : 'other',
    link: type === 'hardlink' ? relative(textOf(entry.link)) : textOf(entry.link),
    size: entry.size,
    open,
  };
}

/** Absolute names of members are taken for relative ones, as loaders take them. */
const relative = (name: string): string => name.replace(/^\/+/, '');
const textOf = (bytes: Uint8Array): string => strictUtf8(bytes) ?? binaryString(bytes);

export function addMember(members: Map<string, Member>, member: Member, context: Context): void {
  if (member.name === '') return;
  members.delete(member.name);
  members.set(member.name, member);
  checkLimit(context.limits, 'members', members.size, 'the number of members');
}

export const filesBelow = (members: ReadonlyMap<string, Member>, folder: string): readonly string[] =>
  [...members.values()]
    .filter(({ name, type }) => type === 'file' && name.startsWith(`${folder}/`))
    .map(({ name }) => name);

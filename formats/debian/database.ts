/**
 * dpkg's database, as dpkg would have it after it unpacked the packages: what `dpkg -l`, `dpkg -V` and scanners read.
 * https://manpages.debian.org/bookworm/dpkg/dpkg.1.en.html#FILES
 *
 * A package without maintainer scripts is `installed`, since nothing was left to do. One with scripts is `unpacked`, and
 * `dpkg --configure -a` goes on from there. Other than dpkg leaves them between those steps, conffiles are in their places, with their
 * digests recorded: an image has no second step where it would have to ask whether one was changed.
 */
import { binaryString, fromBinaryString, utf8Bytes } from '../bytes/text.ts';
import { type Field, fieldOf, stanzaText } from './control.ts';
import type { NewEntry } from './merge.ts';
import type { DebPackage } from './package.ts';
import { conffilesOf, type Surveyed } from './survey.ts';

export const SCRIPTS: readonly string[] = ['preinst', 'postinst', 'prerm', 'postrm', 'config'];

const FOLDER = 'var/lib/dpkg';
/** Kept beside the list of files; `control` itself is in `status`. */
const NOT_KEPT = new Set(['control', 'list']);

/** Scripts that an installation would have run. */
export const scriptsOf = ({ files }: DebPackage): readonly string[] =>
  ['preinst', 'postinst', 'config'].filter((name) => files.has(name));

export const stateOf = (one: DebPackage): 'installed' | 'unpacked' =>
  scriptsOf(one).length ? 'unpacked' : 'installed';

/** The name that dpkg gives a package's files by: with its architecture where others may be beside it. */
export const databaseName = ({ name, architecture, control }: DebPackage): string =>
  fieldOf(control, 'multi-arch') === 'same' ? `${name}:${architecture}` : name;

/** Seconds since 1970. */
type Time = number;

/** What belongs to one package. @param listed its paths, as they are in the package */
export function packageRecords(surveyed: Surveyed, listed: readonly string[], time: Time): readonly NewEntry[] {
  const { files } = surveyed.package;
  const base = `${FOLDER}/info/${databaseName(surveyed.package)}`;
  const list = listed.map((path) => (path === '' ? '/.\n' : `/${path}\n`)).join('');
  const kept = [...files]
    .filter(([name]) => !NOT_KEPT.has(name))
    .map(([name, bytes]) => file(`${base}.${name}`, bytes, time, SCRIPTS.includes(name) ? 0o755 : 0o644));
  const sums = files.has('md5sums') ? [] : [file(`${base}.md5sums`, utf8Bytes(generatedSums(surveyed)), time)];
  return [...folders(time, `${FOLDER}/info`), file(`${base}.list`, fromBinaryString(list), time), ...kept, ...sums];
}

/** dpkg makes them itself where a package has none: regular files without conffiles. */
function generatedSums({ package: { files }, entries }: Surveyed): string {
  const conffiles = new Set(conffilesOf(files.get('conffiles')).map(({ path }) => path.slice(1)));
  return entries
    .filter(({ path, md5 }) => md5 !== undefined && !conffiles.has(path))
    .map(({ path, md5 }) => `${md5}  ${path}\n`)
    .join('');
}

/** What belongs to all of them. */
export function commonRecords(all: readonly Surveyed[], time: Time): readonly NewEntry[] {
  const status = all.map((one) => `${stanzaText(statusFields(one))}\n`).join('');
  return [
    ...folders(time, `${FOLDER}/info`, `${FOLDER}/triggers`, `${FOLDER}/updates`),
    file(`${FOLDER}/info/format`, utf8Bytes('1\n'), time),
    file(`${FOLDER}/status`, fromBinaryString(status), time),
    file(`${FOLDER}/available`, new Uint8Array(0), time),
    ...triggerRecords(all, time),
  ];
}

function statusFields(surveyed: Surveyed): readonly Field[] {
  const { control } = surveyed.package;
  const conffiles = conffileLines(surveyed);
  const own = new Set(['package', 'status', 'conffiles']);
  return [
    control.get('package')!,
    { name: 'Status', value: `install ok ${stateOf(surveyed.package)}` },
    ...[...control].filter(([name]) => !own.has(name)).map(([, field]) => field),
    ...(conffiles === '' ? [] : [{ name: 'Conffiles', value: conffiles }]),
  ];
}

function conffileLines({ package: { files }, entries }: Surveyed): string {
  const sums = new Map(entries.map(({ path, md5 }) => [path, md5]));
  return conffilesOf(files.get('conffiles'))
    .map(({ path }) => ({ path, md5: sums.get(path.slice(1)) }))
    .filter(({ md5 }) => md5 !== undefined)
    .map(({ path, md5 }) => `\n ${path} ${md5}`)
    .join('');
}

/** Names that the folder has another use for. */
const OWN_TRIGGER_FILES = new Set(['File', 'Unincorp', 'Lock']);

/** Who wants to be told of what. https://manpages.debian.org/bookworm/dpkg-dev/deb-triggers.5.en.html */
function triggerRecords(all: readonly Surveyed[], time: Time): readonly NewEntry[] {
  let paths = '';
  const named = new Map<string, string>();
  for (const { package: one } of all) {
    for (const { trigger, noawait } of interestsOf(one)) {
      const who = `${databaseName(one)}${noawait ? '/noawait' : ''}`;
      if (trigger.startsWith('/')) paths += `${trigger} ${who}\n`;
      else if (!OWN_TRIGGER_FILES.has(trigger)) named.set(trigger, `${named.get(trigger) ?? ''}${who}\n`);
    }
  }
  const folder = `${FOLDER}/triggers`;
  return [
    file(`${folder}/File`, fromBinaryString(paths), time),
    file(`${folder}/Unincorp`, new Uint8Array(0), time),
    ...[...named].map(([name, text]) => file(`${folder}/${name}`, fromBinaryString(text), time)),
  ];
}

function interestsOf({ files }: DebPackage): readonly { readonly trigger: string; readonly noawait: boolean }[] {
  const text = files.get('triggers');
  if (!text) return [];
  return binaryString(text)
    .split('\n')
    .flatMap((line) => {
      const match =
        /^[ \t]*interest(-await|-noawait)?[ \t]+(\/[^ \t\r]*|[A-Za-z0-9][A-Za-z0-9+.:_-]{0,200})[ \t\r]*(?:#|$)/.exec(
          line,
        );
      return match ? [{ trigger: match[2]!, noawait: match[1] === '-noawait' }] : [];
    });
}

/**
 * What images without a package manager have instead, as distroless images do: a stanza a package, which scanners know.
 * https://github.com/GoogleContainerTools/distroless/blob/main/PACKAGE_METADATA.md
 */
export function distrolessRecords(surveyed: Surveyed, time: Time): readonly NewEntry[] {
  const { name, control, files } = surveyed.package;
  const base = `${FOLDER}/status.d/${name}`;
  const sums = files.get('md5sums') ?? utf8Bytes(generatedSums(surveyed));
  return [
    ...folders(time, `${FOLDER}/status.d`),
    file(base, fromBinaryString(stanzaText(control.values())), time),
    file(`${base}.md5sums`, sums, time),
  ];
}

function folders(time: Time, ...paths: readonly string[]): readonly NewEntry[] {
  const names = new Set<string>();
  for (const path of paths) {
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth++) names.add(parts.slice(0, depth).join('/'));
  }
  return [...names].map((path) => ({ path, fields: fields(path, 'dir', 0o755, 0, time), content: undefined }));
}

const file = (path: string, bytes: Uint8Array, time: Time, mode = 0o644): NewEntry => ({
  path,
  fields: fields(path, 'file', mode, bytes.length, time),
  content: bytes,
});

function fields(path: string, type: 'file' | 'dir', mode: number, size: number, time: Time): NewEntry['fields'] {
  return {
    type,
    path: fromBinaryString(path),
    link: NONE,
    mode,
    uid: 0,
    gid: 0,
    size,
    mtime: { seconds: time, nanos: 0 },
    major: 0,
    minor: 0,
    xattrs: NO_XATTRS,
  };
}

const NONE = new Uint8Array(0);
const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

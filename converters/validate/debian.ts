/**
 * Debian packages: the ar archive, and both archives in it from their first entry to their last.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
 */
import { arTable, isAr } from '../../formats/ar/table.ts';
import { checkAbort } from '../../formats/base/context.ts';
import { checkLimit } from '../../formats/base/limits.ts';
import { collect } from '../../formats/bytes/chunks.ts';
import { type Md5, newMd5 } from '../../formats/bytes/md5.ts';
import type { RandomSource } from '../../formats/bytes/source.ts';
import { binaryString, concat, fromBinaryString } from '../../formats/bytes/text.ts';
import { plainData } from '../../formats/debian/data-stream.ts';
import { packageMembers } from '../../formats/debian/members.ts';
import { oldMembers } from '../../formats/debian/old-format.ts';
import type { DataArchive, PackageMembers } from '../../formats/debian/package.ts';
import { conffilesOf } from '../../formats/debian/survey.ts';
import { cleanPath, parentOf, shownPath } from '../../formats/rootfs/path.ts';
import type { EntryType, TarEntry } from '../../formats/tar/entry.ts';
import { type TarHandler, tarScanner } from '../../formats/tar/scanner.ts';
import { type ControlFile, checkControlFiles, ruleOfMembers } from './debian-control.ts';
import { addRefusal, attempt, type Run, shown } from './findings.ts';
import { finishWhole } from './layer.ts';
import { MOST_NAMES } from './layer-entries.ts';
import type { FileRules } from './rule-set.ts';
import type { RuleId } from './rules/index.ts';
import { climbs } from './texts.ts';

export const debianRules: FileRules = {
  format: 'deb',
  async check(source, run) {
    const members = await readMembers(source, run);
    if (!members) return;
    const files = await readControl(members.control, run);
    if (files) checkControlFiles(files, run);
    if (run.fast) return;
    const listed = files && listedFiles(files, run);
    const data = dataChecks(listed?.sums, run);
    const whole = await scan('data.tar', members.data, data.handler, run);
    if (whole && listed) data.compare(listed);
  },
};

const HEAD = 100;

async function readMembers(source: RandomSource, run: Run): Promise<PackageMembers | undefined> {
  const head = await collect(source.window(0, HEAD), HEAD);
  try {
    if (!isAr(head)) {
      run.findings.add('deb/format-old', [], 'the package is of the format before 1995');
      return await oldMembers(source, head, run.context);
    }
    const { fault } = await arTable(source, run.context.limits);
    if (fault) addRefusal(run, 'deb/ar', [], fault);
    return await packageMembers(source, run.context);
  } catch (error) {
    addRefusal(run, ruleOfMembers(error), [], error);
    return undefined;
  }
}

/** Whether it was read to its end. */
async function scan(name: string, archive: DataArchive, handler: TarHandler, run: Run): Promise<boolean> {
  const scanner = tarScanner(run.context.limits, {
    ...handler,
    entry(entry) {
      const flag = entry.header[0]?.[156];
      if (flag === 0x78 || flag === 0x67 || entry.extents) {
        const what = entry.extents ? 'the file is sparse' : 'there is a header of the form pax';
        run.findings.add('deb/tar-dialect', [name, shownPath(binaryString(entry.path))], what);
      }
      handler.entry?.(entry);
    },
    warning: (message, path) =>
      run.findings.add('deb/tar-portable', path.length ? [name, shownPath(binaryString(path))] : [name], message),
  });
  const chunks = plainData(archive, run.context)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await attempt(run, 'deb/compression', [name], () => chunks.next());
      if (!next) return false;
      if (next.done) break;
      checkAbort(run.context);
      scanner.push(next.value);
    }
    finishWhole(scanner);
    return true;
  } catch (error) {
    addRefusal(run, 'deb/tar', [name], error);
    return false;
  } finally {
    await chunks.return?.(undefined);
  }
}

async function readControl(archive: DataArchive, run: Run): Promise<ReadonlyMap<string, ControlFile> | undefined> {
  const files = new Map<string, ControlFile>();
  let parts: Uint8Array[] = [];
  let total = 0;
  const handler: TarHandler = {
    data(bytes) {
      total += bytes.length;
      checkLimit(run.context.limits, 'control-bytes', total, 'the size of the control archive');
      parts.push(new Uint8Array(bytes));
    },
    end(entry) {
      const { path } = cleanPath(entry.path);
      const isRoot = path === '' && entry.type === 'dir';
      if (files.has(path)) {
        const at = ['control.tar', shownPath(path)];
        run.findings.add('deb/control-entries', at, 'there is another entry of this name');
      }
      if (entry.type === 'file' && !path.includes('/')) files.set(path, { bytes: concat(parts), mode: entry.mode });
      else if (!isRoot)
        run.findings.add('deb/control-entries', ['control.tar', shownPath(path)], 'it is no file that dpkg looks at');
      parts = [];
    },
  };
  return (await scan('control.tar', archive, handler, run)) ? files : undefined;
}

/** What the control archive says of the data archive. */
interface Listed {
  readonly sums: ReadonlyMap<string, string> | undefined;
  /** Paths without a slash in front. */
  readonly conffiles: ReadonlySet<string>;
}

function listedFiles(files: ReadonlyMap<string, ControlFile>, run: Run): Listed {
  const conffiles = new Set<string>();
  const text = binaryString(files.get('conffiles')?.bytes ?? new Uint8Array());
  const add = (message: string): void => run.findings.add('deb/conffiles', ['control.tar', 'conffiles'], message);
  if (!/(?:^|\n)$/.test(text)) add('the last line has no end');
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [one] = conffilesOf(fromBinaryString(line));
    if (!one) add(`${shown(line)} is no absolute path`);
    else if (conffiles.has(one.path.slice(1))) add(`${shownPath(one.path)} is there twice`);
    else if (one.flag === undefined) conffiles.add(one.path.slice(1));
    else if (one.flag !== 'remove-on-upgrade') add(`${shown(one.flag)} is no flag`);
  }
  const sums = files.get('md5sums')?.bytes;
  return { conffiles, sums: sums && sumsOf(binaryString(sums), run) };
}

function sumsOf(text: string, run: Run): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, sum, path] = /^([0-9a-f]{32}) [ *]([^/].*)$/.exec(line) ?? [];
    if (sum && path) sums.set(cleanPath(fromBinaryString(path)).path, sum);
    else run.findings.add('deb/md5sums', ['control.tar', 'md5sums'], `${shown(line)} is no digest and path`);
  }
  return sums;
}

function dataChecks(sums: ReadonlyMap<string, string> | undefined, run: Run) {
  const names = new Map<string, EntryType>();
  let partial = false;
  let md5: Md5 | undefined;
  let path = '';
  const add = (rule: RuleId, where: string, message: string): void =>
    run.findings.add(rule, ['data.tar', shownPath(where)], message);

  const handler: TarHandler = {
    entry(entry) {
      const raw = binaryString(entry.path);
      ({ path } = cleanPath(entry.path));
      md5 = entry.type === 'file' && sums?.has(path) ? newMd5() : undefined;
      if (raw.startsWith('/') || climbs(raw)) add('deb/data-path', raw, 'the path is absolute, or has ".." in it');
      if (path !== '') checkEntry(entry);
    },
    data: (bytes) => md5?.update(bytes),
    end() {
      const found = md5?.digest();
      md5 = undefined;
      if (found !== undefined && found !== sums!.get(path))
        add('deb/md5sums', path, `md5sums says ${sums!.get(path)}, and the file has ${found}`);
    },
  };
  return { handler, compare };

  function checkEntry(entry: TarEntry): void {
    if (names.has(path)) add('deb/data-duplicate', path, 'there is another entry for this path');
    if (entry.type === 'hardlink' && !names.has(cleanPath(entry.link).path) && !partial)
      add('deb/data-link', path, `the target, ${shownPath(binaryString(entry.link))}, is not there yet`);
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder))
      if (names.get(folder) === 'symlink')
        add('deb/data-through-link', path, `${shownPath(folder)} is a symbolic link of the package`);
    if (entry.type === 'char' || entry.type === 'block' || entry.type === 'fifo')
      add('deb/data-device', path, 'it is a device or a pipe');
    if (names.size < MOST_NAMES) names.set(path, entry.type);
    else partial = true;
  }

  /** After the last entry: what is listed and not there. */
  function compare(listed: Listed): void {
    if (partial)
      return run.findings.add('deb/names-unchecked', ['data.tar'], `there are more than ${MOST_NAMES} entries`);
    for (const one of listed.conffiles)
      if (!['file', 'hardlink'].includes(names.get(one) ?? ''))
        add('deb/conffiles', one, 'it is a conffile, and no regular file of the package');
    for (const one of listed.sums?.keys() ?? [])
      if (!names.has(one)) add('deb/md5sums', one, 'md5sums has its digest, and the package has no such file');
  }
}

/** What the encoder writes, read back by our scanner, by GNU tar and by Python's tarfile. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromBinaryString } from '../../../formats/bytes/text.ts';
import { END_OF_TAR, encodeHeader, paddingAfter, type TarFields } from '../../../formats/tar/encoder.ts';
import type { EntryType } from '../../../formats/tar/entry.ts';
import { runPeer, scratch, withPeer } from '../../fixtures/peers.ts';
import { scan } from './scan.ts';

interface Sample extends Partial<Omit<TarFields, 'path' | 'link' | 'xattrs' | 'size'>> {
  /** Binary strings, as in all that follows. */
  readonly path: string;
  readonly link?: string;
  readonly body?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
  readonly size?: number;
}

const fieldsOf = ({ path, link = '', body = '', xattrs = {}, ...rest }: Sample): TarFields => ({
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: body.length,
  mtime: { seconds: 1709208000, nanos: 0 },
  major: 0,
  minor: 0,
  ...rest,
  path: fromBinaryString(path),
  link: fromBinaryString(link),
  xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, fromBinaryString(value)])),
});

const packed = (...samples: readonly Sample[]): Uint8Array =>
  concat([
    ...samples.flatMap((sample) => {
      const body = fromBinaryString(sample.body ?? '');
      return [encodeHeader(fieldsOf(sample)), body, paddingAfter(body.length)];
    }),
    END_OF_TAR,
  ]);

const blocksOf = (sample: Sample): number => encodeHeader(fieldsOf(sample)).length / 512;
const back = (sample: Sample) => scan(packed(sample)).entries[0]!;

/** Everything that a header may have to hold, by what is odd about it. */
const long = `${'d'.repeat(120)}/${'f'.repeat(120)}`;
const samples: Readonly<Record<string, Sample>> = {
  'a plain file': { path: 'etc/passwd', body: 'root\n' },
  'a folder': { path: 'etc/', type: 'dir', mode: 0o1777 },
  'a symlink': { path: 'lib', type: 'symlink', link: 'usr/lib', mode: 0o777 },
  'a hard link': { path: 'usr/bin/vi', type: 'hardlink', link: 'bin/vi' },
  'a pipe': { path: 'run/pipe', type: 'fifo' },
  'a device': { path: 'dev/null', type: 'char', major: 1, minor: 3, mode: 0o666 },
  'a device of large numbers': { path: 'dev/big', type: 'block', major: 2 ** 31, minor: 2 ** 32 - 1 },
  'a name of exactly 100 bytes': { path: 'n'.repeat(100), body: 'x' },
  'a name that splits': { path: `${'d'.repeat(90)}/${'f'.repeat(90)}`, body: 'x' },
  'a name that does not split': { path: long, body: 'x' },
  'a folder whose long name has no slash but the last': { path: `${'d'.repeat(150)}/`, type: 'dir' },
  'a long name in Unicode': { path: Buffer.from(`${'ü'.repeat(60)}/${'é'.repeat(60)}`).toString('latin1'), body: 'x' },
  'a name that is not text': { path: 'caf\xe9/\xff\xfe', body: 'x' },
  'a long name that is not text': { path: `${'\xff'.repeat(120)}/${'\xfe'.repeat(120)}`, body: 'x' },
  'a link target of 200 bytes': { path: 'l', type: 'symlink', link: 't'.repeat(200) },
  'a link target that is not text': { path: 'l', type: 'symlink', link: '\xff'.repeat(130) },
  'a name with a newline': { path: 'a\nb', body: 'x' },
  'large ids': { path: 'f', uid: 3_000_000, gid: 2 ** 32 - 2 },
  'a fraction of a second': { path: 'f', mtime: { seconds: 1_700_000_000, nanos: 120_000_000 } },
  'one nanosecond': { path: 'f', mtime: { seconds: 0, nanos: 1 } },
  'a time before 1970': { path: 'f', mtime: { seconds: -100, nanos: 0 } },
  'half a second before 1970': { path: 'f', mtime: { seconds: -1, nanos: 500_000_000 } },
  'a time far off': { path: 'f', mtime: { seconds: 2 ** 33, nanos: 0 } },
  'a setuid program': { path: 'su', mode: 0o4755 },
  'binary attributes': {
    path: 'f',
    xattrs: { 'security.capability': '\x01\0\0\x02\0\x20\0\0\xff\n=', 'user.empty': '', 'user.b': 'x' },
  },
};

describe('an entry read back is the one that was written', () => {
  test.each(Object.entries(samples))('%s', (_, sample) => {
    const fields = fieldsOf(sample);
    expect(back(sample)).toMatchObject({
      type: fields.type,
      path: sample.path,
      link: sample.link ?? '',
      mode: fields.mode,
      uid: fields.uid,
      gid: fields.gid,
      size: fields.size,
      mtime: `${fields.mtime.seconds}.${String(fields.mtime.nanos).padStart(9, '0')}`,
      device: `${fields.major}:${fields.minor}`,
      xattrs: sample.xattrs ?? {},
      body: sample.body ?? '',
    });
  });

  test('a size over 8 GiB, in a record', () => {
    const header = encodeHeader(fieldsOf({ path: 'f', size: 2 ** 33 }));
    expect(Buffer.from(header).toString('latin1')).toContain(' size=8589934592\n');
    expect(blocksOf({ path: 'f', size: 2 ** 33 - 1 })).toBe(1);
  });

  test('an attribute with = in its name, in the form that escapes names', () => {
    expect(back({ path: 'f', xattrs: { 'user.a=b': '\xff' } }).xattrs).toEqual({ 'user.a=b': '\xff' });
  });

  test('whatever its values are', () => {
    const bytes = (most: number) =>
      fc
        .uint8Array({ minLength: 1, maxLength: most })
        .map((found) => String.fromCharCode(...found).replaceAll('\0', 'n'));
    const sample = fc.record({
      path: bytes(300).map((path) => `p${path}`),
      body: bytes(1100),
      mode: fc.nat(0o7777),
      uid: fc.nat(2 ** 32 - 2),
      gid: fc.nat(2 ** 32 - 2),
      mtime: fc.record({ seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), nanos: fc.nat(999_999_999) }),
      xattrs: fc.dictionary(
        fc.stringMatching(/^user\.[a-z=%]{1,20}$/),
        // No empty ones: in libarchive's form, which names with = take, readers see nothing in them.
        fc.uint8Array({ minLength: 1, maxLength: 40 }).map((value) => String.fromCharCode(...value)),
      ),
    });
    fc.assert(
      fc.property(sample, (one) => {
        const seen = back(one);
        expect(seen).toMatchObject({
          path: one.path,
          body: one.body,
          mode: one.mode,
          uid: one.uid,
          gid: one.gid,
          mtime: `${one.mtime.seconds}.${String(one.mtime.nanos).padStart(9, '0')}`,
        });
        expect(seen.xattrs).toEqual({ ...one.xattrs });
      }),
      { numRuns: 300 },
    );
  });
});

describe('the form', () => {
  test('is one header block where everything fits', () => {
    for (const name of ['a plain file', 'a device', 'a name of exactly 100 bytes', 'a name that splits'])
      expect([name, blocksOf(samples[name]!)]).toEqual([name, 1]);
  });

  test('is the same bytes for the same entry, in whatever order its attributes came', () => {
    const one = packed({ path: 'f', xattrs: { 'user.a': '1', 'user.b': '2' } });
    expect(packed({ path: 'f', xattrs: { 'user.b': '2', 'user.a': '1' } })).toEqual(one);
  });

  test('says that a record is binary only where it is not UTF-8', () => {
    const text = (sample: Sample): string => Buffer.from(encodeHeader(fieldsOf(sample))).toString('latin1');
    expect(text(samples['a long name that is not text']!)).toContain('21 hdrcharset=BINARY\n');
    expect(text(samples['a long name in Unicode']!)).not.toContain('hdrcharset');
  });
});

/** What a peer can be asked: no devices of numbers that no system has. */
const readable = Object.entries(samples).filter(([name]) => name !== 'a device of large numbers');
const archive = (): Uint8Array =>
  packed(...readable.map(([, sample], i) => ({ ...sample, path: `${String(i).padStart(2, '0')}${sample.path}` })));

const PYTHON = `
import json, sys, tarfile
with tarfile.open(fileobj=sys.stdin.buffer, mode='r|', encoding='utf-8', errors='surrogateescape') as tar:
    for m in tar:
        raw = lambda s: s.encode('utf-8', 'surrogateescape').hex()
        body = tar.extractfile(m).read().hex() if m.isfile() else ''
        print(json.dumps([raw(m.name), raw(m.linkname), m.type.decode(), m.mode, m.uid, m.gid, m.size, round(m.mtime, 3), m.devmajor, m.devminor, body]))
`;

const TYPES: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
};
const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

describe('peers', () => {
  withPeer('python3')('Python’s tarfile reads every field', () => {
    const lines = runPeer({ tool: 'python3', args: ['-c', PYTHON], input: archive() })
      .toString()
      .trim()
      .split('\n');
    const expected = readable.map(([, sample], i) => {
      const fields = fieldsOf(sample);
      const { mode, uid, gid, size, major, minor, mtime } = fields;
      const name = `${String(i).padStart(2, '0')}${sample.path}`.replace(/\/$/, '');
      const seconds = Number((mtime.seconds + mtime.nanos / 1e9).toFixed(3));
      return [
        hex(name),
        hex(sample.link ?? ''),
        TYPES[fields.type],
        mode,
        uid,
        gid,
        size,
        seconds,
        major,
        minor,
        hex(sample.body ?? ''),
      ];
    });
    expect(lines.map((line) => JSON.parse(line))).toEqual(expected);
  });

  withPeer('tar')('GNU tar lists every name as it was written', () => {
    const args = ['--list', '--quoting-style=escape', '--warning=no-unknown-keyword', '--file=-'];
    const listed = runPeer({ tool: 'tar', args, input: archive() }).toString('latin1').trimEnd().split('\n');
    const shown = (path: string): string =>
      path.replace(/[\n\x80-\xff]/g, (c) => (c === '\n' ? '\\n' : `\\${c.charCodeAt(0).toString(8)}`));
    expect(listed).toEqual(readable.map(([, { path }], i) => shown(`${String(i).padStart(2, '0')}${path}`)));
  });

  withPeer('tar')('GNU tar extracts content, times and modes', () => {
    const folder = scratch();
    mkdirSync(join(folder, 'out'));
    const tar = packed(
      { path: 'd/', type: 'dir', mode: 0o750 },
      { path: `d/${'f'.repeat(200)}`, body: 'content', mode: 0o4711, mtime: { seconds: -2, nanos: 250_000_000 } },
      { path: 'd/link', type: 'hardlink', link: `d/${'f'.repeat(200)}` },
    );
    writeFileSync(join(folder, 'in.tar'), tar);
    runPeer({ tool: 'tar', args: ['-xpf', join(folder, 'in.tar'), '-C', join(folder, 'out')] });
    const stat = runPeer({ tool: 'stat', args: ['-c', '%a %s %h %.9Y', join(folder, 'out/d/link')] });
    expect(stat.toString()).toBe('4711 7 2 -1.750000000\n');
  });
});

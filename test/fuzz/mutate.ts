/** Damage: to bytes, whatever they mean; and to JSON, so that it stays JSON and says something else. */
import { bytesOf, goJson } from '../../fixtures/bytes.ts';
import type { Random } from './random.ts';

/** A few places changed, moved, doubled, left out, or the end cut off. */
export function mutatedBytes(given: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(given);
  for (let left = 1 + random.below(4); left > 0 && bytes.length > 0; left--) bytes = oneChange(bytes, random);
  return bytes;
}

function oneChange(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const piece = bytes.subarray(at, at + 1 + random.below(random.chance(0.5) ? 8 : 600));
  switch (random.below(7)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + piece.length)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(20)), bytes.subarray(at)]);
    case 4:
      piece.fill(random.pick([0, 0x20, 0x30, 0x37, 0x7f, 0x80, 0xff]));
      return bytes;
    case 5:
      piece.set(random.bytes(Math.min(piece.length, 8)));
      return bytes;
    default:
      bytes[at]! ^= 1 << random.below(8);
      return bytes;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: documents as they are, right or wrong
type Any = any;

const HEX = '0123456789abcdef'.repeat(4);

/** What decoders have been known to stumble over. Frozen: an input must not depend on the inputs before it. */
export const STRANGE: readonly unknown[] = frozen([
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    -0,
    1e308,
    2 ** 31,
    2 ** 53,
    2 ** 63,
    1e21,
    '',
    ' ',
    [],
    {},
    [[]],
    [null],
    [{}],
    { '': '' },
  ],
  ...[
    '../../x',
    '/etc/passwd',
    '.',
    '..',
    'a\0b',
    'a\nb',
    '\ud800',
    'ſ',
    '\u202e',
    'x'.repeat(5000),
    '%s%n',
    '-1',
    '0x0',
    '1e3',
  ],
  ...[`sha256:${HEX}`, `sha256:${HEX.toUpperCase()}`, `sha512:${HEX}`, 'sha256:', 'sha256:../../x', `md5:${HEX}`, HEX],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty'],
  ...['2024-02-29T12:00:00Z', '0001-01-01T00:00:00Z', '9999999999-01-01T00:00:00Z', '2023-02-30T00:00:00+99:99'],
  ...[
    'application/vnd.oci.image.index.v1+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.oci.empty.v1+json',
  ],
  ...[
    'application/vnd.oci.image.layer.v1.tar+zstd',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'image/png',
  ],
  ...[
    'root:root',
    '4294967295',
    ':0',
    '0:0:0',
    'PATH=/bin',
    '=',
    'A=\0',
    '80/tcp',
    '65536/udp',
    '1-0/sctp',
    '100m',
    '1Ki',
    '-1G',
  ],
  ...['linux', 'windows', 'amd64', 'arm', 'v8', 'layers', 'a@sha256:', 'a:b:c', 'host:99999/x:y', 'x/'.repeat(200)],
  // Runs that an expression without an anchor tries at each place anew.
  ...['/', ' ', '-', ':', '$('].map((text) => `a${text.repeat(100_000)}b`),
  `a${'.a'.repeat(100_000)}\n`,
  nested(30),
  nested(200),
  Array.from({ length: 1200 }, (_, i) => i),
  Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, 'v'])),
]);

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value) for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}

/** The same document with a few members changed, gone, doubled, renamed or put elsewhere. */
export function mutatedJson(document: unknown, random: Random, most = 3): Any {
  const holder = { it: structuredClone(document) };
  for (let left = 1 + random.below(most); left > 0; left--) changeOne(holder, random);
  return holder.it;
}

function changeOne(holder: { it: unknown }, random: Random): void {
  const places: (readonly [Any, string])[] = [];
  collect(holder, places);
  const [parent, key] = random.pick(places);
  const [otherParent, otherKey] = random.pick(places);
  const other = structuredClone(otherParent[otherKey]);
  switch (random.below(8)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (parent !== holder) delete parent[key];
      return;
    case 1:
      if (Array.isArray(parent)) parent.splice(Number(key), 0, structuredClone(parent[Number(key)]));
      else set(parent, random.pick([key.toUpperCase(), key.toLowerCase(), `${key} `, '__proto__']), other);
      return;
    case 2:
      set(parent, key, other);
      return;
    case 3:
      set(parent, key, typeof parent[key] === 'string' ? changedText(parent[key], random) : [parent[key]]);
      return;
    case 4:
      if (typeof parent[key] === 'object' && parent[key] && !Array.isArray(parent[key]))
        set(parent[key], String(random.pick(STRANGE)), structuredClone(random.pick(STRANGE)));
      return;
    default:
      set(parent, key, structuredClone(random.pick(STRANGE)));
  }
}

/** A member called `__proto__` is a member too. */
function set(parent: Any, key: string, value: unknown): void {
  Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

const MOST_PLACES = 5000;

function collect(parent: Any, places: (readonly [Any, string])[]): void {
  for (const key of Object.keys(parent)) {
    if (places.length >= MOST_PLACES) return;
    places.push([parent, key]);
    if (typeof parent[key] === 'object' && parent[key]) collect(parent[key], places);
  }
}

function changedText(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const strange = random.pick(STRANGE);
  return text.slice(0, at) + (typeof strange === 'string' ? strange : '') + text.slice(at + random.below(3));
}

/** Encoded, now and then with a fault of the encoding itself. */
export function jsonText(value: unknown, random: Random): Buffer {
  const text = bytesOf(goJson(value ?? null));
  if (random.chance(0.85)) return text;
  return random.pick<() => Buffer>([
    () => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), text]),
    () => Buffer.from(text.toString().replace(/"(\w+)":/, '"$1":1,"$1":')),
    () => Buffer.from(text.toString(), 'utf16le'),
    () => Buffer.concat([text, Buffer.from(random.pick([' ', '\n', '{}', '\0', ',']))]),
    () => Buffer.from(text.toString().replace(/\d+/, random.pick(['1e999', '01', '-', '1.', '9'.repeat(400), 'NaN']))),
    () => mutatedBytes(text, random),
  ])();
}

/** Compressed streams: sound members of every kind, in a row, damaged. */
import { deflateRawSync, gzipSync } from 'node:zlib';
import { skippableFrame, zstd } from '../../../fixtures/zstd.ts';
import { createContext } from '../../../formats/base/context.ts';
import type { CompressionName } from '../../../formats/codec/codec.ts';
import { nativeGunzip } from '../../../formats/codec/gzip.ts';
import { portableGunzip } from '../../../formats/codec/gzip-portable.ts';
import { CODECS, decompressed } from '../../../formats/codec/index.ts';
import { sliced } from '../../formats/support.ts';
import { mutatedBytes } from '../mutate.ts';
import type { Random } from '../random.ts';
import { Find, outcomeOf, type Subject } from '../subject.ts';
import { SMALL, STREAMS } from './stream-vectors.ts';

/** Each holds `SMALL`. */
const MEMBERS: { readonly [name in CompressionName]: readonly Uint8Array[] } = {
  gzip: [gzipSync(SMALL), gzipSync(SMALL, { level: 0 }), namedMember()],
  zstd: [zstd(SMALL), Buffer.concat([skippableFrame(Buffer.from('skipped')), zstd(SMALL)])],
  xz: STREAMS.xz,
  bzip2: STREAMS.bzip2,
  lzma: STREAMS.lzma,
};

/** With every optional field of the header. */
function namedMember(): Buffer {
  const head = Buffer.from([0x1f, 0x8b, 8, 0x1c, 0, 0, 0, 0, 0, 3, 3, 0, 1, 2, 3]);
  return Buffer.concat([head, Buffer.from('name\0comment\0'), deflateRawSync(SMALL), gzipSync(SMALL).subarray(-8)]);
}

/** Their members carry a checksum of the content: what is accepted is what was compressed, some number of times. */
const CHECKED: readonly string[] = ['gzip', 'bzip2'];

function streamFrom(name: CompressionName, random: Random): Buffer {
  const members = random.many(1, name === 'lzma' ? 1 : 3, () => random.pick(MEMBERS[name]));
  const padded = members.flatMap((member) =>
    random.chance(0.15) ? [member, Buffer.alloc(random.pick([1, 4, 512]))] : [member],
  );
  const bytes = Buffer.concat(padded);
  return random.chance(0.9) ? mutatedBytes(bytes, random) : bytes;
}

/** Of a stream without an end in sight the beginning will do. */
const ENOUGH = 2 ** 24;

async function content(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    if ((size += chunk.length) > ENOUGH) break;
  }
  return Buffer.concat(parts);
}

const streamSubject = (name: CompressionName): Subject => ({
  name,
  make: (random) => ({ bytes: streamFrom(name, random) }),
  async check({ bytes }, random) {
    const size = random.pick([1, 7, 100, 100_000]);
    const portable = name === 'gzip' ? await eitherWay(bytes, size) : undefined;
    const found = await content(decompressed(CODECS[name], sliced(bytes, size), createContext()));
    if (portable && !portable.equals(found)) throw new Find('the portable engine has other bytes');
    if (CHECKED.includes(name) && !isRepeated(found)) throw new Find(`${found.length} bytes that nobody compressed`);
  },
});

/** What the portable engine makes of a gzip stream; both engines accept the same. */
async function eitherWay(bytes: Uint8Array, size: number): Promise<Buffer | undefined> {
  let found: Buffer | undefined;
  const portable = await outcomeOf(async () => {
    found = await content(portableGunzip(sliced(bytes, size), createContext()));
  });
  let inStoredBlock = false;
  const native = await outcomeOf(async () => {
    await content(nativeGunzip(sliced(bytes, size), createContext())).catch((error: Error) => {
      inStoredBlock = error.message.endsWith('invalid stored block lengths');
      throw error;
    });
  });
  if (portable === 'accepted' && inStoredBlock && isRepeated(found!)) return undefined; // what fflate does not look at
  if ((portable === 'accepted') !== (native === 'accepted'))
    throw new Find(`the portable engine says ${portable}, the native one ${native}`);
  return found;
}

function isRepeated(bytes: Buffer): boolean {
  if (bytes.length % SMALL.length !== 0) return false;
  for (let at = 0; at < bytes.length; at += SMALL.length)
    if (!bytes.subarray(at, at + SMALL.length).equals(SMALL)) return false;
  return true;
}

export const STREAM_SUBJECTS: readonly Subject[] = (Object.keys(MEMBERS) as CompressionName[]).map(streamSubject);

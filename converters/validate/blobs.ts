/**
 * The blobs of a layout: each is read once, however many descriptors lead to it, and held against all that they promise.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#blobs
 */
import { type Archive, type Member, readMember } from '../../formats/archive/archive.ts';
import { algorithmOf, type Digest, digestOf, hexOf, isDigest } from '../../formats/bytes/digest.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { LayerType } from '../../formats/model/media-types.ts';
import { attempt, mayReadAgain, type Run, shown } from './findings.ts';
import { measure, type ReadLayer, readLayer } from './layer.ts';
import type { RuleId } from './rules/index.ts';
import { member } from './shape.ts';
import { algorithmIn, DIGEST, hasRightEncoding, isBase64, shortened } from './texts.ts';

export interface Blobs {
  /** The bytes of a small document; undefined where they cannot be had. */
  document(descriptor: Json, at: readonly string[], missing?: RuleId): Promise<Uint8Array | undefined>;
  /** A blob of a kind that is not looked into. Gives whether it is there. */
  opaque(descriptor: Json, at: readonly string[], missing?: RuleId): Promise<boolean>;
  layer(
    descriptor: Json,
    type: LayerType,
    diffId: Json | undefined,
    at: readonly string[],
  ): Promise<ReadLayer | undefined>;
  isThere(descriptor: Json): Promise<boolean>;
  /** A referrer's subject: it may be absent. Where it is not, it is held against its descriptor as every blob is. */
  mention(descriptor: Json, at: readonly string[]): Promise<void>;
  /** Blobs that nothing led to, and files that are none. */
  finish(unreferenced: boolean): Promise<void>;
}

export function blobsOf(archive: Archive, run: Run): Blobs {
  const referenced = new Set<string>();
  /** By digest: blobs whose bytes have been held against it. */
  const verified = new Set<string>();
  const layers = new Map<string, ReadLayer>();

  return {
    async document(descriptor, at, missing = 'oci/blob-missing') {
      const found = await find(descriptor, at, missing);
      if (!found) return undefined;
      const known = found.digest !== undefined && verified.has(found.digest);
      if (known && !mayReadAgain(found.file.size, at, run)) return undefined;
      const bytes = await attempt(run, 'oci/blob-file', at, () => readMember(found.file, run.context));
      if (!bytes) return undefined;
      if (found.digest !== undefined) {
        checkDigest(digestOf(bytes, algorithmOf(found.digest)), found.digest, at);
        verified.add(found.digest);
      }
      checkData(descriptor, at);
      return bytes;
    },
    opaque,
    async layer(descriptor, type, diffId, at) {
      const found = await find(descriptor, at, type.foreign ? 'oci/foreign-absent' : 'oci/blob-missing');
      checkData(descriptor, at);
      if (found?.digest === undefined || run.fast) return undefined;
      const { digest, file } = found;
      const diffAlgorithm = isDigest(diffId) ? algorithmOf(diffId) : 'sha256';
      const key = `${digest} ${diffAlgorithm} ${type.compression}`;
      const known = layers.get(key);
      if (known) return known;
      const { compression } = type;
      const read = await attempt(run, 'layer/tar', at, () =>
        readLayer({ open: file.open, compression, algorithm: algorithmOf(digest), diffAlgorithm }, at, run),
      );
      if (!read) return undefined;
      layers.set(key, read);
      checkDigest(read.digest, digest, at);
      verified.add(digest);
      return read;
    },
    isThere,
    async mention(descriptor, at) {
      if (await isThere(descriptor)) await opaque(descriptor, at);
      else checkData(descriptor, at);
    },
    finish,
  };

  async function opaque(
    descriptor: Json,
    at: readonly string[],
    missing: RuleId = 'oci/blob-missing',
  ): Promise<boolean> {
    const found = await find(descriptor, at, missing);
    checkData(descriptor, at);
    if (found?.digest === undefined || run.fast || verified.has(found.digest)) return found !== undefined;
    await verify(found.file, found.digest, at);
    return true;
  }

  async function isThere(descriptor: Json): Promise<boolean> {
    const path = pathOf(member(descriptor, 'digest'));
    return path !== undefined && (await archive.get(path).catch(() => undefined)) !== undefined;
  }

  async function find(
    descriptor: Json,
    at: readonly string[],
    missing: RuleId,
  ): Promise<{ readonly file: Member; readonly digest: Digest | undefined } | undefined> {
    const digest = member(descriptor, 'digest');
    const path = pathOf(digest);
    if (typeof digest !== 'string' || path === undefined) return undefined; // its form is wrong, and that has been said
    referenced.add(digest);
    const file = await memberAt(path, at);
    if (file === 'refused') return undefined;
    if (!file) {
      run.findings.add(missing, at, `${shortened(digest)} is not in the layout`);
      return undefined;
    }
    const size = member(descriptor, 'size');
    if (typeof size === 'number' && size !== file.size)
      run.findings.add(
        'oci/blob-size',
        at,
        `${shortened(digest)} has ${file.size} bytes, and its descriptor says ${size}`,
      );
    if (isDigest(digest)) return { file, digest };
    run.findings.add(
      'oci/digest-unverified',
      at,
      `${shown(algorithmIn(digest))} is an algorithm that ocix does not compute`,
    );
    return { file, digest: undefined };
  }

  async function memberAt(path: string, at: readonly string[]): Promise<Member | undefined | 'refused'> {
    const found = await attempt(run, 'oci/blob-file', at, async () => ({ file: await archive.get(path) }));
    if (!found) return 'refused';
    if (!found.file || found.file.type === 'file') return found.file;
    run.findings.add('oci/blob-file', at, `${shortened(path)} is no file`);
    return 'refused';
  }

  async function verify(file: Member, digest: Digest, at: readonly string[]): Promise<void> {
    const found = await attempt(run, 'oci/blob-file', at, () => measure(file.open(), algorithmOf(digest), run));
    if (found) checkDigest(found.digest, digest, at);
    verified.add(digest);
  }

  function checkDigest(found: Digest, digest: Digest, at: readonly string[]): void {
    if (found !== digest && !verified.has(digest))
      run.findings.add('oci/blob-digest', at, `the content of ${shortened(digest)} is ${shortened(found)}`);
  }

  function checkData(descriptor: Json, at: readonly string[]): void {
    const [data, digest, size] = ['data', 'digest', 'size'].map((name) => member(descriptor, name));
    if (typeof data !== 'string' || !isBase64(data)) return;
    const wrong = dataFault(data, digest, size);
    if (wrong) run.findings.add('oci/descriptor-data', [...at, '/data'], wrong);
  }

  async function finish(unreferenced: boolean): Promise<void> {
    const paths = await attempt(run, 'oci/blob-file', ['blobs'], () => archive.list('blobs'));
    for (const path of paths ?? []) {
      const digest = /^blobs\/([^/]+)\/([^/]+)$/.exec(path)?.slice(1).join(':');
      if (digest === undefined || !DIGEST.test(digest) || !hasRightEncoding(digest)) {
        run.findings.add('oci/blob-name', [shown(path).slice(1, -1)], 'the path is not that of a digest');
        continue;
      }
      if (!unreferenced || referenced.has(digest)) continue;
      run.findings.add('oci/blob-unreferenced', [path], 'nothing refers to the blob');
      const file = await memberAt(path, [path]);
      if (file && file !== 'refused' && isDigest(digest) && !run.fast) await verify(file, digest, [path]);
    }
  }
}

/** What is wrong with embedded content. */
export function dataFault(data: string, digest: Json | undefined, size: Json | undefined): string | undefined {
  const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
  if (typeof size === 'number' && bytes.length !== size) return `data is of ${bytes.length} bytes, and size is ${size}`;
  if (isDigest(digest) && digestOf(bytes, algorithmOf(digest)) !== digest) return 'data is not what digest says';
  return undefined;
}

/** Only what has the grammar of a digest becomes a path; that has no slash and no `..`. */
function pathOf(digest: Json | undefined): string | undefined {
  if (typeof digest !== 'string' || !DIGEST.test(digest) || digest.length > 300) return undefined;
  return isDigest(digest) ? `blobs/${algorithmOf(digest)}/${hexOf(digest)}` : `blobs/${digest.replace(':', '/')}`;
}

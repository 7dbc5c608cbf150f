/**
 * Archives since Docker 25 are an image layout besides. Which of the two a tool reads is its own choice, so they have to say the same.
 * https://github.com/moby/moby/blob/v27.0.0/image/tarexport/save.go
 */
import { type Archive, findFile, memberName, readDocument, readMember } from '../../formats/archive/archive.ts';
import { algorithmOf, digestOf, hexOf, isDigest } from '../../formats/bytes/digest.ts';
import type { Json } from '../../formats/json/parse.ts';
import { isIndexType, isManifestType, REF_NAME } from '../../formats/model/media-types.ts';
import { sameForm } from '../../formats/model/reference.ts';
import { attempt, mayReadAgain, type Run, shown } from './findings.ts';
import { parseDocument } from './json-document.ts';
import { listOf, member } from './shape.ts';
import { shortened } from './texts.ts';

const INDEX = 'index.json';
const FULL_NAME = 'io.containerd.image.name';

/** @param entries the images of `manifest.json` */
export async function checkHybrid(archive: Archive, entries: readonly Json[], run: Run): Promise<void> {
  const there = await attempt(run, 'docker/hybrid-index', [INDEX], async () => ({
    index: await archive.get(INDEX),
    layout: await archive.get('oci-layout'),
  }));
  if (!there?.index || !there.layout) return;
  run.findings.add(
    'docker/hybrid-layout',
    [INDEX],
    'the archive is an OCI layout too, and only manifest.json was followed',
  );
  const bytes = await attempt(run, 'docker/hybrid-index', [], () => readDocument(archive, INDEX, run.context));
  const parsed = bytes && parseDocument(bytes, [INDEX], run);
  if (!parsed) return;
  const manifests = member(parsed.value, 'manifests');
  if (!Array.isArray(manifests))
    return run.findings.add('docker/hybrid-index', [INDEX, '/manifests'], `${shown(manifests)} is not a list`);
  checkNames(manifests, entries, run);
  const configs = await configDigests(archive, entries, run);
  const met = new Set<string>();
  for (const [number, descriptor] of (manifests as readonly Json[]).entries())
    await checkConfigOf(descriptor, [INDEX, `/manifests/${number}`], { archive, configs, met, run });
}

function checkNames(manifests: readonly Json[], entries: readonly Json[], run: Run): void {
  const tags = new Set(entries.flatMap((entry) => texts(member(entry, 'RepoTags'))).map(sameForm));
  const names = new Set<string>();
  for (const [number, descriptor] of manifests.entries()) {
    const annotations = member(descriptor, 'annotations');
    const full = member(annotations, FULL_NAME);
    // The other annotation holds the tag alone, unless another tool than Docker wrote it.
    const name = typeof full === 'string' ? full : member(annotations, REF_NAME);
    if (typeof name !== 'string') continue;
    names.add(sameForm(name));
    if (typeof full === 'string' && !tags.has(sameForm(full)))
      run.findings.add(
        'docker/hybrid-index',
        [INDEX, `/manifests/${number}`],
        `manifest.json does not have ${shown(full)}`,
      );
  }
  const absent = [...tags].filter(
    (one) => !names.has(one) && !names.has(sameForm(one.slice(one.lastIndexOf(':') + 1))),
  );
  if (absent.length) run.findings.add('docker/hybrid-index', [INDEX], `index.json does not have ${shown(absent)}`);
}

/** Of the configurations that `manifest.json` names, by their bytes. */
async function configDigests(archive: Archive, entries: readonly Json[], run: Run): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  const names = new Set(entries.map((entry) => member(entry, 'Config')));
  for (const name of names) {
    if (typeof name !== 'string') continue;
    // What is wrong with a configuration has been said already.
    const bytes = await findFile(archive, quietly(name))
      .then((file) => readMember(file, run.context))
      .catch(() => undefined);
    if (bytes) digests.add(digestOf(bytes));
  }
  return digests;
}

const quietly = (name: string): string => {
  try {
    return memberName(name);
  } catch {
    return '';
  }
};

interface Side {
  readonly archive: Archive;
  readonly configs: ReadonlySet<string>;
  /** Digests of the documents that were read. */
  readonly met: Set<string>;
  readonly run: Run;
}

/** Indexes are looked into one level deep: other platforms and attestations are in them, and one has to be the image of `manifest.json`. */
async function checkConfigOf(
  descriptor: Json,
  at: readonly string[],
  { archive, configs, met, run }: Side,
): Promise<void> {
  const type = member(descriptor, 'mediaType');
  if (typeof type !== 'string' || (!isManifestType(type) && !isIndexType(type))) return;
  const document = await blobOf(descriptor, at, { archive, met, run });
  if (document === undefined) return;
  const manifests = isIndexType(type) ? listOf(member(document, 'manifests')) : [descriptor];
  for (const one of manifests) {
    const manifest = one === descriptor ? document : await blobOf(one, at, { archive, met, run }, true);
    const digest = member(member(manifest, 'config'), 'digest');
    if (typeof digest === 'string' && configs.has(digest)) return;
  }
  run.findings.add('docker/hybrid-index', at, 'manifest.json has no image with the configuration of this one');
}

async function blobOf(
  descriptor: Json,
  at: readonly string[],
  { archive, met, run }: Omit<Side, 'configs'>,
  optional = false,
): Promise<Json | undefined> {
  const digest = member(descriptor, 'digest');
  if (!isDigest(digest)) return undefined;
  const again = met.has(digest);
  met.add(digest);
  const file = await archive.get(`blobs/${algorithmOf(digest)}/${hexOf(digest)}`);
  if (!file) {
    if (!optional) run.findings.add('docker/hybrid-index', at, `${shortened(digest)} is not in the archive`);
    return undefined;
  }
  if (again && !mayReadAgain(file.size, at, run)) return undefined;
  const bytes = await attempt(run, 'docker/hybrid-index', at, () => readMember(file, run.context));
  return bytes && parseDocument(bytes, at, run)?.value;
}

const texts = (value: Json | undefined): readonly string[] => listOf(value).filter((one) => typeof one === 'string');

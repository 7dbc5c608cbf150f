/**
 * Archives of `docker save` and its imitators, around `manifest.json`: every check that `docker load` makes, and the contents of layers.
 * https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 */
import {
  type Archive,
  findFile,
  type Member,
  memberName,
  readDocument,
  readMember,
} from '../../formats/archive/archive.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { algorithmOf, isDigest } from '../../formats/bytes/digest.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import { layerType } from '../../formats/model/media-types.ts';
import type { Selector } from '../../formats/model/reader.ts';
import { isDockerReference, sameForm } from '../../formats/model/reference.ts';
import { checkHybrid } from './docker-hybrid.ts';
import { spelledConfig, spelledEntry } from './docker-names.ts';
import { checkVersion1 } from './docker-version1.ts';
import { attempt, mayReadAgain, type Run, selectorText, shown } from './findings.ts';
import { checkConfig, formOf } from './image-documents.ts';
import { descriptor } from './image-shapes.ts';
import { foundAt, parseDocument } from './json-document.ts';
import { type ReadLayer, readLayer } from './layer.ts';
import { checkDiffId, checkStack } from './layout.ts';
import type { ArchiveRules } from './rule-set.ts';
import {
  both,
  isObject,
  list,
  mapOf,
  member,
  namesAre,
  nullable,
  object,
  only,
  passing,
  required,
  type Shape,
  text,
  under,
} from './shape.ts';
import { DIGEST } from './texts.ts';

const MANIFEST = 'manifest.json';

export const dockerRules: ArchiveRules = {
  format: 'docker-archive',
  async check(archive, chosen, run) {
    const there = await attempt(run, 'docker/manifest', [], async () => ({ file: await archive.get(MANIFEST) }));
    if (there && !there.file) return checkVersion1(archive, run);
    const bytes = await attempt(run, 'docker/manifest', [], () => readDocument(archive, MANIFEST, run.context));
    const parsed = bytes && parseDocument(bytes, [MANIFEST], run);
    if (!parsed) return;
    const entries = checkDockerManifest(parsed.value, [MANIFEST], run);
    const walk: Walk = { archive, run, configs: new Set(), uses: new Map(), layers: new Map() };
    for (const entry of chosenOf(entries, chosen)) await checkEntry(entry, walk);
    await checkRepositories(archive, entries, run);
    await checkHybrid(
      archive,
      entries.map(({ value }) => value),
      run,
    );
  },
};

interface Walk {
  readonly archive: Archive;
  readonly run: Run;
  /** Members that were read as a configuration. */
  readonly configs: Set<string>;
  /** The diffID that each member was used for. */
  readonly uses: Map<string, string>;
  readonly layers: Map<string, ReadLayer>;
}

export interface Entry {
  readonly value: Json;
  readonly at: readonly string[];
}

const tag = under('docker/repo-tags', passing(isTag, 'NAME:TAG'));

/** Docker refuses names that say a digest, and such without a tag. */
function isTag(name: string): boolean {
  return isDockerReference(name) && !name.includes('@') && /:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name);
}

const entryShape: Shape = object({
  Config: required(text),
  RepoTags: nullable(list(tag)),
  Layers: nullable(list(text)),
  Parent: nullable(text),
  LayerSources: nullable(only('docker/layer-sources', both(mapOf(descriptor()), namesAre(DIGEST, 'a diffID')))),
});

/** The form of `manifest.json`, alone or in an archive. Gives its images, with members as the specification spells them. */
export function checkDockerManifest(value: Json, at: readonly string[], run: Run): readonly Entry[] {
  if (!Array.isArray(value)) {
    run.findings.add(
      'docker/manifest',
      at,
      value === null ? 'it is null: the archive was written without an image' : `${shown(value)} is not a list`,
    );
    return [];
  }
  return (value as readonly Json[]).map((item, number) => {
    const place = [...at, `/${number}`];
    const entry = spelledEntry(item);
    if (entry.changed.length) run.findings.add('docker/name-case', place, `written otherwise: ${shown(entry.changed)}`);
    entryShape(entry.value, '', formOf('docker/manifest-form', foundAt(place, run)));
    return { value: entry.value, at: place };
  });
}

const tagsOf = ({ value }: Entry): readonly string[] => strings(member(value, 'RepoTags'));
const strings = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];

/** @throws OcixError image/select where the user names an image that is not there */
function chosenOf(entries: readonly Entry[], chosen: Selector | undefined): readonly Entry[] {
  if (!chosen) return entries;
  const found = entries.filter((entry, number) =>
    chosen.kind === 'index'
      ? number === chosen.index
      : chosen.kind === 'reference' && tagsOf(entry).map(sameForm).includes(sameForm(chosen.name)),
  );
  if (found.length) return found;
  throw new OcixError('image/select', `manifest.json has no image ${selectorText(chosen)}`, {
    hint: 'ocix inspect shows the names.',
  });
}

async function checkEntry({ value, at }: Entry, walk: Walk): Promise<void> {
  const { archive, run } = walk;
  const name = member(value, 'Config');
  if (typeof name !== 'string') return;
  const file = await attempt(run, 'docker/member', [...at, '/Config'], () => findMember(archive, name));
  if (file && walk.configs.has(file.name) && !mayReadAgain(file.size, at, run)) return;
  if (file) walk.configs.add(file.name);
  const bytes = file && (await attempt(run, 'docker/member', [...at, '/Config'], () => readMember(file, run.context)));
  const place = [...at, printable(name.slice(0, 200))];
  const parsed = bytes && parseDocument(bytes, place, run);
  const config = parsed && spelledConfig(parsed.value);
  if (config?.changed.length)
    run.findings.add('docker/name-case', place, `written otherwise: ${shown(config.changed)}`);
  if (config) checkConfig(config.value, foundAt(place, run));
  const diffIds = member(member(config?.value, 'rootfs'), 'diff_ids');
  const layers = strings(member(value, 'Layers'));
  if (Array.isArray(diffIds) && diffIds.length !== layers.length)
    run.findings.add(
      'docker/layers',
      [...at, '/Layers'],
      `there are ${layers.length} layers for ${diffIds.length} diffIDs`,
    );
  const read: (ReadLayer | undefined)[] = [];
  for (const [number, layer] of layers.entries()) {
    const diffId: Json | undefined = Array.isArray(diffIds) ? diffIds[number] : undefined;
    const where = [...at, `/Layers/${number}`];
    read[number] = await checkLayer(layer, { diffId, sources: member(value, 'LayerSources'), at: where }, walk);
    checkDiffId(read[number], diffId, where, 'docker/diff-id', run);
  }
  checkStack(read, at, run);
}

interface LayerPlace {
  readonly diffId: Json | undefined;
  readonly sources: Json | undefined;
  readonly at: readonly string[];
}

async function checkLayer(
  name: string,
  { diffId, sources, at }: LayerPlace,
  walk: Walk,
): Promise<ReadLayer | undefined> {
  const { archive, run, uses, layers } = walk;
  if (typeof diffId === 'string' && isForeign(sources, diffId) && !(await archive.get(name).catch(() => undefined))) {
    run.findings.add('docker/foreign-absent', at, `${shown(name)} is not in the archive; its vendor serves it`);
    return undefined;
  }
  const file = await attempt(run, 'docker/member', at, () => findMember(archive, name));
  if (!file) return undefined;
  const used = uses.get(file.name);
  if (typeof diffId === 'string') {
    if (used !== undefined && used !== diffId)
      run.findings.add('docker/member-twice', at, `${shown(file.name)} is named as two different layers`);
    uses.set(file.name, diffId);
  }
  if (run.fast) return undefined;
  const diffAlgorithm = isDigest(diffId) ? algorithmOf(diffId) : 'sha256';
  const key = `${diffAlgorithm} ${file.name}`;
  const known = layers.get(key);
  if (known) return known;
  const read = await attempt(run, 'layer/tar', at, () =>
    readLayer({ open: file.open, compression: undefined, algorithm: 'sha256', diffAlgorithm }, at, run),
  );
  if (read) layers.set(key, read);
  return read;
}

const findMember = async (archive: Archive, name: string): Promise<Member> => findFile(archive, memberName(name));

function isForeign(sources: Json | undefined, diffId: string): boolean {
  const type = member(member(sources, diffId), 'mediaType');
  return typeof type === 'string' && layerType(type)?.foreign === true;
}

/** `repositories` is what daemons before 1.10 read; later ones write it beside `manifest.json`. */
async function checkRepositories(archive: Archive, entries: readonly Entry[], run: Run): Promise<void> {
  const at = ['repositories'];
  const there = await attempt(run, 'docker/repositories', at, async () => ({
    file: await archive.get('repositories'),
  }));
  if (!there?.file) return;
  const bytes = await attempt(run, 'docker/repositories', [], () => readDocument(archive, 'repositories', run.context));
  const parsed = bytes && parseDocument(bytes, at, run);
  if (!parsed) return;
  const names = isObject(parsed.value)
    ? Object.entries(parsed.value).flatMap(([name, tags]) =>
        isObject(tags) ? Object.keys(tags).map((one) => `${name}:${one}`) : [],
      )
    : [];
  const known = new Set(entries.flatMap(tagsOf).map(sameForm));
  const strange = names.filter((name) => !known.has(sameForm(name)));
  const absent = [...known].filter((name) => !names.some((one) => sameForm(one) === name));
  if (strange.length) run.findings.add('docker/repositories', at, `manifest.json does not have ${shown(strange)}`);
  if (absent.length) run.findings.add('docker/repositories', at, `repositories does not have ${shown(absent)}`);
}

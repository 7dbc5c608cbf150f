/**
 * Archives before Docker 1.10: a folder for each layer, named by its id, and `repositories`.
 * https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md
 */
import { type Archive, findFile, readDocument } from '../../formats/archive/archive.ts';
import type { Json } from '../../formats/json/parse.ts';
import { checkReference } from '../../formats/model/reference.ts';
import { attempt, attemptSync, type Run, shown } from './findings.ts';
import { parseDocument } from './json-document.ts';
import { type ReadLayer, readLayer } from './layer.ts';
import { checkStack } from './layout.ts';
import { isObject, member } from './shape.ts';

const ID = /^[a-f0-9]{64}$/;

/** Parents by id; undefined where a chain ends. */
type Parents = Map<string, string | undefined>;

export async function checkVersion1(archive: Archive, run: Run): Promise<void> {
  run.findings.add('docker/version-1', [], 'the archive is of the generation before Docker 1.10');
  const parents = await readParents(archive, run);
  const tops = await readRepositories(archive, parents, run);
  const read = new Map<string, ReadLayer | undefined>();
  for (const id of parents.keys()) read.set(id, await checkLayer(archive, id, run));
  const ends = new Set([...tops, ...leaves(parents)]);
  if (parents.size && !ends.size)
    run.findings.add('docker/version-1-parent', [], 'every layer is the parent of another: the chain has no end');
  for (const id of ends) checkChain(id, parents, read, run);
}

async function readParents(archive: Archive, run: Run): Promise<Parents> {
  const parents: Parents = new Map();
  for (const name of archive.names()) {
    const id = /^(.+)\/(?:json|layer\.tar)$/.exec(name)?.[1];
    if (id === undefined || parents.has(id)) continue;
    if (!ID.test(id)) {
      run.findings.add('docker/version-1-id', [shown(name).slice(1, -1)], `${shown(id)} is not the id of a layer`);
      continue;
    }
    const at = [`${id}/json`];
    const bytes = await attempt(run, 'docker/version-1-json', [], () => readDocument(archive, at[0]!, run.context));
    const value = bytes && parseDocument(bytes, at, run)?.value;
    parents.set(id, value === undefined ? undefined : parentIn(value, id, at, run));
  }
  return parents;
}

function parentIn(value: Json, id: string, at: readonly string[], run: Run): string | undefined {
  const [own, parent] = [member(value, 'id'), member(value, 'parent')];
  if (!isObject(value)) run.findings.add('docker/version-1-json', at, `${shown(value)} is not an object`);
  if (own !== undefined && own !== id)
    run.findings.add('docker/version-1-json', [...at, '/id'], `${shown(own)} is not the id of the folder`);
  if (parent === undefined || parent === null || parent === '') return undefined;
  if (typeof parent === 'string' && ID.test(parent)) return parent;
  run.findings.add('docker/version-1-id', [...at, '/parent'], `${shown(parent)} is not the id of a layer`);
  return undefined;
}

/** The ids that have names. */
async function readRepositories(archive: Archive, parents: Parents, run: Run): Promise<readonly string[]> {
  const at = ['repositories'];
  const there = await attempt(run, 'docker/repositories', at, async () => ({
    file: await archive.get('repositories'),
  }));
  if (!there?.file) return [];
  const bytes = await attempt(run, 'docker/repositories', [], () => readDocument(archive, 'repositories', run.context));
  const value = bytes && parseDocument(bytes, at, run)?.value;
  const tops: string[] = [];
  const isList = isObject(value) && Object.values(value).every(isObject);
  if (value !== undefined && !isList)
    run.findings.add('docker/repositories', at, 'it is not an object of names, each with its tags');
  for (const [name, tags] of isObject(value) ? Object.entries(value) : []) {
    for (const [tag, id] of isObject(tags) ? Object.entries(tags) : []) {
      const place = [...at, `/${shown(name).slice(1, -1)}/${shown(tag).slice(1, -1)}`];
      attemptSync(run, 'docker/repo-tags', place, () => checkReference(`${name}:${tag}`));
      if (typeof id !== 'string' || !ID.test(id))
        run.findings.add('docker/version-1-id', place, `${shown(id)} is not the id of a layer`);
      else if (parents.has(id)) tops.push(id);
      else run.findings.add('docker/version-1-parent', place, `the layer ${id.slice(0, 12)} is not in the archive`);
    }
  }
  return tops;
}

const leaves = (parents: Parents): readonly string[] => {
  const inner = new Set(parents.values());
  return [...parents.keys()].filter((id) => !inner.has(id));
};

async function checkLayer(archive: Archive, id: string, run: Run): Promise<ReadLayer | undefined> {
  const at = [`${id}/layer.tar`];
  const file = await attempt(run, 'docker/member', [], () => findFile(archive, at[0]!));
  if (!file || run.fast) return undefined;
  return attempt(run, 'layer/tar', at, () =>
    readLayer({ open: file.open, compression: undefined, algorithm: 'sha256', diffAlgorithm: 'sha256' }, at, run),
  );
}

function checkChain(top: string, parents: Parents, read: ReadonlyMap<string, ReadLayer | undefined>, run: Run): void {
  const chain: string[] = [];
  const met = new Set<string>();
  for (let id: string | undefined = top; id !== undefined; id = parents.get(id)) {
    const at = [`${chain.at(-1) ?? top}/json`, '/parent'];
    if (!parents.has(id))
      return run.findings.add('docker/version-1-parent', at, `the layer ${id.slice(0, 12)} is not in the archive`);
    if (met.has(id))
      return run.findings.add('docker/version-1-parent', at, `the layer ${id.slice(0, 12)} is its own ancestor`);
    met.add(id);
    chain.push(id);
    if (met.size > run.context.limits.layers)
      return run.findings.add(
        'input/limits',
        at,
        `the chain has more than ${run.context.limits.layers} layers (--limit layers=N raises it)`,
      );
  }
  checkStack(
    chain.reverse().map((id) => read.get(id)),
    [top],
    run,
  );
}

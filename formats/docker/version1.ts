/**
 * The first version of the format (before Docker 1.10): a folder for each layer, named by its id, with `VERSION`, `json` and
 * `layer.tar`; `repositories` says which ids have names.
 * https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md
 *
 * Ids are random, so they prove nothing; they must look like ids all the same, since loaders used them as paths
 * (CVE-2014-9358). A chain that never ends is refused (CVE-2016-8579).
 */
import { type Archive, findFile, readDocument } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { printable } from '../bytes/text.ts';
import { decode } from '../json/decode.ts';
import { type Json, parseJson } from '../json/parse.ts';
import { decodeConfigDocument } from '../model/config-document.ts';
import type { HistoryStep, Image } from '../model/image.ts';
import { layerFromMember } from '../model/layer.ts';
import { checkReference } from '../model/reference.ts';

const ID = /^[a-f0-9]{64}$/;
const LAYER_FOLDER = /^[a-f0-9]{64}\/(?:json|layer\.tar)$/;

export const isVersion1 = (archive: Archive): boolean => archive.names().some((name) => LAYER_FOLDER.test(name));

interface Node {
  readonly id: string;
  readonly parent: string | undefined;
  readonly json: { readonly [name: string]: Json };
}

export async function readVersion1(archive: Archive, context: Context): Promise<readonly Image[]> {
  const nodes = await readNodes(archive, context);
  const named = await readRepositories(archive, context);
  const parents = new Set([...nodes.values()].map(({ parent }) => parent));
  const tops = new Set([...named.keys(), ...[...nodes.keys()].filter((id) => !parents.has(id))]);
  if (!tops.size && nodes.size)
    throw new OcixError('docker/parent', 'every layer is the parent of another: the chain has no end', {
      hint: 'Do not trust this archive.',
    });
  return Promise.all([...tops].map((id) => readChain(id, nodes, named.get(id) ?? [], archive, context)));
}

async function readNodes(archive: Archive, context: Context): Promise<ReadonlyMap<string, Node>> {
  const nodes = new Map<string, Node>();
  for (const name of archive.names()) {
    const id = /^(.+)\/json$/.exec(name)?.[1];
    if (id === undefined) continue;
    checkId(id, name);
    const bytes = await readDocument(archive, name, context);
    const node = await within(name, async () => {
      const object = decode(parseJson(bytes, context), 'any-case').object();
      const own = object.get('id')?.string();
      if (own !== undefined && own !== id)
        throw new OcixError('docker/id', 'the layer says that it has another id than its folder', {
          expected: id,
          found: printable(own.slice(0, 80)),
        });
      const parent = object.get('parent')?.string() || undefined;
      if (parent !== undefined) checkId(parent, '/parent');
      return { id, parent, json: object.value };
    });
    nodes.set(id, node);
  }
  return nodes;
}

function checkId(id: string, ...at: readonly string[]): void {
  if (ID.test(id)) return;
  throw new OcixError('docker/id', 'this is not the id of a layer', {
    at,
    expected: '64 lower-case hexadecimal digits',
    found: JSON.stringify(printable(id.slice(0, 100))),
    hint: 'Do not trust this archive.',
  });
}

/** Names by the id of their image. */
async function readRepositories(archive: Archive, context: Context): Promise<ReadonlyMap<string, readonly string[]>> {
  const named = new Map<string, string[]>();
  if (!(await archive.get('repositories'))) return named;
  const bytes = await readDocument(archive, 'repositories', context);
  await within('repositories', async () => {
    const repositories = decode(parseJson(bytes, context)).object();
    for (const repository of repositories.names()) {
      const tags = repositories.require(repository).stringMap();
      for (const [tag, id] of tags) {
        checkId(id, `/${repository}/${tag}`);
        named.set(id, [...(named.get(id) ?? []), checkReference(`${repository}:${tag}`)]);
      }
    }
  });
  return named;
}

async function readChain(
  top: string,
  nodes: ReadonlyMap<string, Node>,
  names: readonly string[],
  archive: Archive,
  context: Context,
): Promise<Image> {
  const chain: Node[] = [];
  const met = new Set<string>();
  for (let id: string | undefined = top; id !== undefined; ) {
    const node = nodes.get(id);
    if (!node)
      throw new OcixError('docker/parent', `layer ${id.slice(0, 12)} is not in the archive`, {
        at: chain.length ? [chain[0]!.id, '/parent'] : ['repositories'],
      });
    if (met.has(id))
      throw new OcixError('docker/parent', `layer ${id.slice(0, 12)} is its own ancestor`, {
        at: [id, '/parent'],
        hint: 'Do not trust this archive.',
      });
    met.add(id);
    checkLimit(context.limits, 'layers', met.size, 'the number of layers');
    chain.unshift(node);
    id = node.parent;
  }
  const { config } = withoutRootfs(chain.at(-1)!);
  return {
    kind: 'image',
    names,
    config,
    history: chain.map(historyOf),
    layers: await Promise.all(
      chain.map(({ id }) =>
        within(`${id.slice(0, 12)}…/layer.tar`, async () =>
          layerFromMember(await findFile(archive, `${id}/layer.tar`), {}),
        ),
      ),
    ),
    original: {},
  };
}

/** Members that speak of the layer or of the container it came from, not of the image. */
const OF_THE_LAYER = new Set([
  'id',
  'parent',
  'parent_id',
  'layer_id',
  'throwaway',
  'size',
  'container',
  'container_config',
  'rootfs',
  'history',
]);

function withoutRootfs({ json }: Node): ReturnType<typeof decodeConfigDocument> {
  const document = decodeConfigDocument(
    Object.fromEntries(Object.entries(json).filter(([name]) => !OF_THE_LAYER.has(name.toLowerCase()))),
    'any-case',
  );
  const { platform } = document.config;
  // Images of that time ran on Linux; those before 0.6.5 do not say so.
  return { ...document, config: { ...document.config, platform: { ...platform, os: platform.os ?? 'linux' } } };
}

function historyOf({ json }: Node): HistoryStep {
  const object = decode(json, 'any-case').object();
  const command = object.get('container_config')?.object().get('Cmd');
  const created = object.get('created')?.string();
  const author = object.get('author')?.string();
  const comment = object.get('comment')?.string();
  const createdBy = command && (typeof command.value === 'string' ? command.value : command.strings().join(' '));
  return {
    ...(created ? { created } : {}),
    ...(createdBy ? { createdBy } : {}),
    ...(author ? { author } : {}),
    ...(comment ? { comment } : {}),
    emptyLayer: false,
  };
}

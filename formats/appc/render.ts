/**
 * An image and its dependencies as layers: one for each image that is rendered, the same bytes wherever the same image is rendered in the
 * same way, so that images that share a base share its layer.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#filesystem-setup
 */
import type { Keeper } from '../archive/archive.ts';
import { type Context, note } from '../base/context.ts';
import { within } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { type Layer, layerFromMember } from '../model/layer.ts';
import { shownPath } from '../rootfs/path.ts';
import type { Rendered } from './dependencies.ts';
import type { ImageFile } from './image-file.ts';
import { type ImpliedFolders, type Learnt, layerOfImage, type PathFilter } from './image-tar.ts';
import { type RenderedRoot, renderedRoot } from './rendered-root.ts';
import { filterFor, rktLists, specifiedLists } from './whitelist.ts';

export interface RenderOptions {
  /** Lists count as they did in rkt, where that differs from the specification. */
  readonly compatible: boolean;
}

export interface RenderedImage {
  /** Base first. */
  readonly layers: readonly RenderedLayer[];
  readonly root: RenderedRoot;
}

export interface RenderedLayer {
  readonly file: ImageFile;
  readonly layer: Layer;
  readonly imageId: string;
}

/** Differences told one by one; beyond that they are counted. */
const MOST_TOLD = 100;

/** Reads every image once (those with a whitelist twice). @throws OcixError appc/…, path/…, tar/…, limit/… */
export async function renderImage(
  order: readonly Rendered[],
  { compatible }: RenderOptions,
  keep: Keeper,
  context: Context,
): Promise<RenderedImage> {
  const root = renderedRoot();
  const layers: RenderedLayer[] = [];
  for (const [i, rendered] of order.entries()) {
    const { file } = rendered;
    const specified = specifiedLists(rendered);
    const rkt = rktLists(order, i);
    const layer = await within(placeIn(rendered), async () => {
      const tell = differences(file, compatible, context);
      const filter = await (compatible
        ? filterFor(file, rkt, specified, tell.differs, context)
        : filterFor(file, specified, rkt, tell.differs, context));
      tell.finish();
      return renderLayer(file, filter, root, keep, context);
    });
    layers.push(layer);
  }
  return { layers, root };
}

/** The top of the graph is the source itself, which the trail has already. */
const placeIn = ({ file, branch }: Rendered): string => (branch.length > 1 ? file.manifest.name : 'rootfs');

async function renderLayer(
  file: ImageFile,
  filter: PathFilter,
  root: RenderedRoot,
  keep: Keeper,
  context: Context,
): Promise<RenderedLayer> {
  const learnt: Learnt = {};
  const implied: ImpliedFolders = new Map();
  const size = { plain: 0 };
  const first = counted(layerOfImage(file.open(), { filter, root, implied, learnt }, context), size);
  const again = {
    costly: file.costly,
    open: (): Chunks => layerOfImage(file.open(), { filter, implied, learnt: {} }, context),
  };
  const kept = await keep(first, file.manifest.name, context, again);
  for await (const _ of first); // a keeper that stopped early must not leave the image half read
  const member = { name: file.manifest.name, type: 'file', link: '', size: size.plain, kept, open: kept.open } as const;
  return { file, imageId: learnt.imageId!, layer: await layerFromMember(member, { diffId: kept.layer?.diffId }) };
}

async function* counted(chunks: Chunks, size: { plain: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    size.plain += chunk.length;
    yield chunk;
  }
}

function differences(file: ImageFile, compatible: boolean, context: Context) {
  let count = 0;
  const { name } = file.manifest;
  const say = (what: string): void =>
    note(
      context,
      'defaulted',
      compatible
        ? `${what} rendered as rkt did, against the specification`
        : `${what} rendered as the specification has it, and rkt did otherwise (--rkt-compat does as rkt)`,
      name,
    );
  return {
    differs(path: string): void {
      if (++count <= MOST_TOLD) say(`/${shownPath(path)} is`);
    },
    finish(): void {
      if (count > MOST_TOLD) say(`${count - MOST_TOLD} more paths are`);
    },
  };
}

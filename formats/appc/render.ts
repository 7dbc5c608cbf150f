/**
 * An image and its dependencies as layers: one for each image that is rendered, the same bytes wherever the same image is rendered in the
 * same way, so that images that share a base share its layer.
 * https://github.com/appc/spec/blob/v0.8.11/spec/ace.md#filesystem-setup
 */
import type { Kept } from '../archive/archive.ts';
import { type Context, note } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { type Layer, layerFromMember } from '../model/layer.ts';
import type { Reading, Shared } from '../model/reader.ts';
import { shownPath } from '../rootfs/path.ts';
import type { Rendered } from './dependencies.ts';
import type { ImageFile } from './image-file.ts';
import { type ImpliedFolders, type Learnt, layerOfImage, type PathFilter } from './image-tar.ts';
import { type RenderedRoot, renderedRoot } from './rendered-root.ts';
import { withoutRepeats } from './repeats.ts';
import { filterFor, rktLists, specifiedLists } from './whitelist.ts';

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
  reading: Reading,
  context: Context,
): Promise<RenderedImage> {
  const root = renderedRoot();
  const layers: RenderedLayer[] = [];
  for (const [i, rendered] of order.entries()) {
    const { file } = rendered;
    const specified = specifiedLists(rendered);
    const rkt = rktLists(order, i);
    const [wanted, other] = reading.compatible ? [rkt, specified] : [specified, rkt];
    const layer = await within(placeIn(rendered), async () => {
      const tell = differences(file, reading.compatible, context);
      const filter = await filterFor(file, wanted, other, tell.differs, context);
      tell.finish();
      // Nobody else needs what only the top of a graph has.
      const shared = i === order.length - 1 ? undefined : reading.shared;
      const step = { file, filter, root, key: `${file.place} ${wanted.key}` };
      return renderLayer(step, { keep: reading.keep, shared }, context);
    });
    layers.push(layer);
  }
  return { layers, root };
}

/** The top of the graph is the source itself, which the trail has already. */
const placeIn = ({ file, branch }: Rendered): string => (branch.length > 1 ? file.manifest.name : 'rootfs');

interface Step {
  readonly file: ImageFile;
  readonly filter: PathFilter;
  readonly root: RenderedRoot;
  /** The same for the same image, rendered in the same way. */
  readonly key: string;
}

async function renderLayer(
  { file, filter, root, key }: Step,
  { keep, shared }: Pick<Reading, 'keep' | 'shared'>,
  context: Context,
): Promise<RenderedLayer> {
  const { name } = file.manifest;
  const learnt: Learnt = {};
  const implied: ImpliedFolders = new Map();
  let size = 0;
  const first = (): Chunks => layerOfImage(file.open(), { filter, root, implied, learnt }, context);
  const again = (): Chunks => layerOfImage(file.open(), { filter, implied, learnt: {} }, context);
  const kept = shared ? await sharedLayer(shared) : await onceEach(await newLayer(first(), again, file.costly));
  checkKey(file, learnt.imageId!);
  const member = { name, type: 'file', link: '', size: kept.layer?.size ?? size, kept, open: kept.open } as const;
  return { file, imageId: learnt.imageId!, layer: await layerFromMember(member, { diffId: kept.layer?.diffId }) };

  async function newLayer(content: Chunks, open: () => Chunks, costly: boolean): Promise<Kept> {
    const whole = counted(content);
    const made = await keep(whole, name, context, file.once ? undefined : { costly, open });
    for await (const _ of whole); // a keeper that stopped early must not leave the image half read
    return made;
  }

  /** Only when all of it has gone by is it known whether some path is in it twice; then it is made once more, from itself. */
  async function onceEach(made: Kept): Promise<Kept> {
    if (!learnt.repeats) return made;
    const open = await withoutRepeats(made.open, context);
    return newLayer(open(), open, true);
  }

  /** What the image adds to the tree has to be known in any case; its layer may be there already, compressed and all. */
  async function sharedLayer(among: Shared): Promise<Kept> {
    for await (const _ of first());
    const own = `${key} ${JSON.stringify([...implied])}`;
    const known = await among.layer(own);
    if (known) return known;
    const made = await onceEach(await keep(again(), name, context));
    among.made(own, made);
    return made;
  }

  async function* counted(chunks: Chunks): AsyncGenerator<Uint8Array> {
    size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      yield chunk;
    }
  }
}

/** A store calls an image by its id, and is no better than the disk that it is on. */
function checkKey({ key }: ImageFile, imageId: string): void {
  if (key === undefined || imageId.startsWith(key)) return;
  throw new OcixError('digest/mismatch', 'the image is not what the store calls it', {
    expected: `${key}…`,
    found: imageId,
    hint: 'The store is damaged. Fetch the image again, or take it from another host.',
  });
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

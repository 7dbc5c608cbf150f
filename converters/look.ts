/** Looking into sources: what they are, and what is in them. Nothing is written. */
import { passingKeeper } from '../formats/archive/passing-keeper.ts';
import { type ContextOptions, createContext } from '../formats/base/context.ts';
import { scratchKeeper } from './keepers.ts';
import { type Listed, type ListOptions, listLayer, listTree } from './listing.ts';
import { detectSource, type Offer, type OpenedSource, openSource, type Source, type SourceOptions } from './open.ts';
import { parsePlatform, selectItems, selectPlatform, theImage } from './passes/select.ts';
import { type SourceSummary, summaryOf } from './summary.ts';

export interface OpenOptions extends ContextOptions, SourceOptions {
  /** `OS/ARCH[/VARIANT]`. */
  readonly platform?: string | undefined;
}

/** What each reader makes of a source, the most likely first. @throws OcixError format/unknown where none takes it */
export async function detect(source: Source, options: OpenOptions = {}): Promise<readonly Offer[]> {
  return detectSource(source, options, passingKeeper, createContext(options));
}

/** What is in a source, without reading its layers. */
export async function inspect(source: Source, options: OpenOptions = {}): Promise<SourceSummary> {
  const context = createContext(options);
  const opened = await openSource(source, { ...options, looking: true }, passingKeeper, context);
  try {
    const items = selectPlatform(
      selectItems(opened.items, opened.selector),
      options.platform === undefined ? undefined : parsePlatform(options.platform),
    );
    return summaryOf(opened, items, context);
  } finally {
    await opened.close();
  }
}

export interface OpenedImages {
  /** The transport of the format. */
  readonly format: string;
  readonly title: string;
  /** Close what was opened when you are done with the images. */
  close(): Promise<void>;
  readonly items: Awaited<ReturnType<typeof openSource>>['items'];
}

/** The images of a source, to work with. A source that can be read only once is kept in a temporary folder until `close`. */
export async function open(source: Source, options: OpenOptions = {}): Promise<OpenedImages> {
  const context = createContext(options);
  const scratch = scratchKeeper();
  let opened: OpenedSource | undefined;
  const close = async (): Promise<void> => {
    try {
      await opened?.close();
    } finally {
      await scratch.remove();
    }
  };
  try {
    opened = await openSource(source, options, scratch.keep, context);
    const items = selectPlatform(
      selectItems(opened.items, opened.selector),
      options.platform === undefined ? undefined : parsePlatform(options.platform),
    );
    return { format: opened.format, title: opened.title, items, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface ListSourceOptions extends OpenOptions, Partial<ListOptions> {
  /** Counted from 0, the base; without it the merged tree is listed. */
  readonly layer?: number | undefined;
}

/** The entries of the one image of a source. */
export async function list(source: Source, options: ListSourceOptions = {}): Promise<readonly Listed[]> {
  const context = createContext(options);
  const opened = await open(source, options);
  try {
    const image = theImage(opened.items, context.host);
    const wanted = { digest: options.digest ?? false, path: options.path };
    return await (options.layer === undefined
      ? listTree(image, wanted, context)
      : listLayer(image, options.layer, wanted, context));
  } finally {
    await opened.close();
  }
}

/** Sources that have a name and no place: found where the user says that images are, or fetched into a folder that is gone when the source is closed. */
import type { Context } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import { checkLimit } from '../formats/base/limits.ts';
import { printable } from '../formats/bytes/text.ts';
import type { FetchedImage, Fetching, Wanted, WantedPlatform, Zone } from '../formats/discovery/index.ts';
import type { Reading } from '../formats/model/reader.ts';
import type { SourceOptions } from './open.ts';
import { parsePlatform } from './passes/select.ts';

export interface NetworkOptions {
  /** Plain HTTP as well, after HTTPS has failed and where a server leads to it. */
  readonly insecure?: boolean | undefined;
  /** Certificates to trust instead of the system's, in PEM. */
  readonly ca?: string | undefined;
  /** Where a name's own server listens; 443 and 80 unless said. */
  readonly ports?: { readonly https: number; readonly http: number } | undefined;
  /** Milliseconds: for an answer's header, for each span in which something of its body has to come, and for finding out where an image is. */
  readonly patience?: { readonly answer: number; readonly body: number; readonly discovery: number } | undefined;
}

export interface FetchedSource {
  readonly file: string;
  /** What it is, by the name of its transport. */
  readonly format: string;
  /** Where it was found, for a person. */
  readonly place: string;
  readonly elsewhere: NonNullable<Reading['elsewhere']>;
  /** The file of what was found at a place. */
  fileAt(place: string): string | undefined;
  /** A signature's refusal, with where the servers say that keys are. */
  explained(error: unknown): unknown;
  /** Removes what was fetched. */
  remove(): Promise<void>;
}

/**
 * Signatures are put beside the files, where somebody wants to check them.
 *
 * @param text `NAME[:VERSION][,LABEL=VALUE…]`
 * @throws OcixError usage/argument, image/select, network/…, appc/name, limit/total-bytes
 */
export async function fetchSource(text: string, options: SourceOptions, context: Context): Promise<FetchedSource> {
  // Loaded when it is asked for: a network is not what most runs need.
  const discovery = await import('../formats/discovery/index.ts');
  const { MOST_SIGNATURE_BYTES } = await import('../formats/openpgp/verify.ts');
  const { dependencies = [], network = {}, trust } = options;
  const { insecure = false, ca, ports = { https: 443, http: 80 }, patience = discovery.PATIENCE } = network;
  const wanted = discovery.parseWanted(text, platformFrom(options.platform, context));
  const net = { insecure, ca, ports, patience };
  const downloads = discovery.downloads(net, context);
  const fetching: Fetching = { net, downloads, signature: trust && MOST_SIGNATURE_BYTES };
  /** By their places. */
  const images = new Map<string, FetchedImage>();
  try {
    return await within(`${discovery.TRANSPORT}:${discovery.wantedText(wanted)}`, top);
  } catch (error) {
    await downloads.remove();
    throw error;
  }

  async function top(): Promise<FetchedSource> {
    const here = await discovery.findLocally(wanted, dependencies, context);
    const { file, place } = here ? { file: here.place, place: here.place } : await fetched(wanted, undefined);
    return {
      file,
      format: 'aci',
      place,
      elsewhere: ({ name, labels, neededBy }) => {
        // On the user's own host it is the user who named it; anywhere else, the server of the image that needs it did.
        const own = name.split('/')[0] === wanted.name.split('/')[0];
        const from = own ? undefined : (images.get(neededBy)?.zone ?? 'public');
        return fetched(discovery.wantedBy(wanted, name, labels), from);
      },
      fileAt: (where) => images.get(where)?.file,
      explained: (error) =>
        withKeys(
          error,
          [...images.values()].flatMap(({ keys }) => keys),
        ),
      remove: () => downloads.remove(),
    };
  }

  async function fetched(image: Wanted, from: Zone | undefined): Promise<FetchedImage> {
    const count = images.size + 1;
    checkLimit(context.limits, 'layers', count, 'the number of images to fetch');
    const answer = await discovery.fetchImage(image, from, fetching, context);
    // One address may answer with one image now and another one later; images are told apart by their places.
    const place = images.has(answer.place) ? `${answer.place} (${count})` : answer.place;
    const found = { ...answer, place };
    images.set(place, found);
    return found;
  }
}

function platformFrom(stated: string | undefined, { host }: Context): WantedPlatform {
  if (stated === undefined) return host;
  const { os = host.os, architecture = host.architecture, variant } = parsePlatform(stated);
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Where keys are is worth telling, and not worth believing: whoever can change the image can change that. */
function withKeys(error: unknown, keys: readonly URL[]): unknown {
  if (!(error instanceof OcixError) || error.code !== 'signature/untrusted' || !keys.length) return error;
  const { code, message, at, expected, found, hint } = error;
  const named = [...new Set(keys.map(({ href }) => printable(href)))].slice(0, 3).join(', ');
  return new OcixError(code, message, {
    at,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    hint: [hint, `The server names ${named}: compare fingerprints before you trust a key from there.`].join(' ').trim(),
    cause: error,
  });
}

/** Sources that have a name and no place: found where the user says that images are, or fetched into a folder that is gone when the source is closed. */
import type { Context } from '../formats/base/context.ts';
import { note } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import { checkLimit } from '../formats/base/limits.ts';
import type { Fetching, Wanted, WantedPlatform, Zone } from '../formats/discovery/index.ts';
import type { Reading } from '../formats/model/reader.ts';
import type { SourceOptions } from './open.ts';
import { parsePlatform } from './passes/select.ts';
import { checkSignature } from './verify.ts';

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

export interface Trust {
  /** Folders or files of keys, or rkt's trusted-keys folders; rkt's own ones of this machine where it is empty. */
  readonly keyring: readonly string[];
  /** What has no signature is refused; otherwise it is taken, with a note. */
  readonly required: boolean;
  /** As `SignatureRequest` has it. */
  readonly allowWeak: boolean;
  /** The time to judge by. */
  readonly now: Date;
}

export interface FetchedSource {
  readonly file: string;
  /** For a person. */
  readonly name: string;
  readonly elsewhere: NonNullable<Reading['elsewhere']>;
  /** Removes what was fetched. */
  remove(): Promise<void>;
}

/**
 * @param text `NAME[:VERSION][,LABEL=VALUE…]`
 * @throws OcixError usage/argument, image/select, network/…, appc/name, signature/…, limit/total-bytes
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
  /** Where the servers are that images came from, by the images' places. */
  const zones = new Map<string, Zone>();
  let count = 0;
  try {
    return await within(`${discovery.TRANSPORT}:${discovery.wantedText(wanted)}`, top);
  } catch (error) {
    await downloads.remove();
    throw error;
  }

  async function top(): Promise<FetchedSource> {
    const here = await discovery.findLocally(wanted, dependencies, context);
    if (here && trust?.required) await vouched({ file: here.place, place: here.place }, trust);
    const { file, place } = here ? { file: here.place, place: here.place } : await fetched(wanted, undefined);
    const elsewhere: FetchedSource['elsewhere'] = ({ name, labels, neededBy }) => {
      // A name on the host that the user named himself is one that he named; any other one was named by the server of the image that needs it.
      const own = name.split('/')[0] === wanted.name.split('/')[0];
      return fetched(discovery.wantedBy(wanted, name, labels), own ? undefined : (zones.get(neededBy) ?? 'public'));
    };
    return { file, name: place, elsewhere, remove: () => downloads.remove() };
  }

  async function fetched(image: Wanted, from: Zone | undefined) {
    checkLimit(context.limits, 'layers', ++count, 'the number of images to fetch');
    const answer = await discovery.fetchImage(image, from, fetching, context);
    // One address may answer with one image now and another one later; images are told apart by their places.
    const found = zones.has(answer.place) ? { ...answer, place: `${answer.place} (${count})` } : answer;
    zones.set(found.place, found.zone);
    if (trust) await checked(found, trust);
    return found;
  }

  async function checked(found: Awaited<ReturnType<typeof fetched>>, wish: Trust): Promise<void> {
    if (found.signature === undefined && !wish.required) {
      note(context, 'guessed', 'the server has no signature for the image; it is taken as it is', found.place);
      return;
    }
    await vouched(found, wish);
  }

  async function vouched(
    found: {
      readonly file: string;
      readonly place: string;
      readonly signature?: string | undefined;
      readonly keys?: readonly URL[];
    },
    { keyring, allowWeak, now }: Trust,
  ): Promise<void> {
    const { file, place, signature, keys = [] } = found;
    await within(place, async () => {
      try {
        await checkSignature({ file, signature, keyring, allowWeak, now }, context);
      } catch (error) {
        throw error instanceof OcixError ? withKeys(error, keys) : error;
      }
    });
  }
}

function platformFrom(stated: string | undefined, { host }: Context): WantedPlatform {
  if (stated === undefined) return host;
  const { os = host.os, architecture = host.architecture, variant } = parsePlatform(stated);
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

/** Where keys are is worth telling, and not worth believing: whoever can change the image can change that. */
function withKeys(error: OcixError, keys: readonly URL[]): OcixError {
  if (error.code !== 'signature/untrusted' || !keys.length) return error;
  const { code, message, at, expected, found, hint = '' } = error;
  return new OcixError(code, message, {
    at,
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    hint: `${hint} The server names ${keys
      .map(({ href }) => href)
      .slice(0, 3)
      .join(', ')}: compare fingerprints before you trust a key from there.`.trim(),
    cause: error,
  });
}

/** An image that was asked for by its name: found, fetched, and checked to be the one. */
import { fileContent } from '../appc/catalog.ts';
import { openImage } from '../appc/image-file.ts';
import { type Context, createContext } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import { discover, isNetworkFailure } from './discover.ts';
import type { Downloads } from './download.ts';
import type { Net } from './http.ts';
import type { Endpoint } from './template.ts';
import { checkWanted, type Wanted, wantedText } from './wanted.ts';
import type { Zone } from './zones.ts';

export interface FetchedImage {
  /** Its signature, where one was wanted and is there, lies beside it, with `.asc` behind the name. */
  readonly file: string;
  /** Where it was found, for a person. */
  readonly place: string;
  /** Where the server says that keys are. */
  readonly keys: readonly URL[];
  /** Where it came from. What it names in its turn, that server names. */
  readonly zone: Zone;
}

export interface Fetching {
  readonly net: Net;
  readonly downloads: Downloads;
  /** Bytes that a signature may have; without it none is fetched. */
  readonly signature: number | undefined;
}

/** A page of a megabyte has room for thousands of places, and each may keep us waiting. */
const MOST_ENDPOINTS = 10;

/**
 * @param from where the server is that brought up the name; undefined where the user did
 * @throws OcixError network/… where it is nowhere to be had, appc/name where something else is, limit/total-bytes
 */
export async function fetchImage(
  wanted: Wanted,
  from: Zone | undefined,
  fetching: Fetching,
  context: Context,
): Promise<FetchedImage> {
  const { endpoints, keys, zone } = await discover(wanted, from, fetching.net, context);
  const failures: OcixError[] = [];
  const answerBy = AbortSignal.timeout(fetching.net.patience.discovery);
  for (const endpoint of endpoints.slice(0, MOST_ENDPOINTS)) {
    if (answerBy.aborted) break;
    try {
      return { ...(await fetchFrom(endpoint, wanted, { ...fetching, zone, answerBy }, context)), keys };
    } catch (error) {
      if (!isNetworkFailure(error)) throw error; // a server that answers with something else is not asked again
      failures.push(error);
    }
  }
  const [first, ...others] = failures;
  const unasked = endpoints.length - failures.length;
  const more = others.length ? ` (and ${others.length} more)` : '';
  const rest = unasked ? `; ${unasked} more were not asked` : '';
  throw new OcixError(first!.code, `${wantedText(wanted)} cannot be fetched`, {
    found: `${first!.message}${first!.found === undefined ? '' : `: ${first!.found}`}${more}${rest}`,
    ...(first!.hint === undefined ? {} : { hint: first!.hint }),
    cause: first,
  });
}

async function fetchFrom(
  { image, signature }: Endpoint,
  wanted: Wanted,
  {
    downloads,
    signature: most,
    zone: from,
    answerBy,
  }: Fetching & { readonly zone: Zone; readonly answerBy: AbortSignal },
  context: Context,
): Promise<Omit<FetchedImage, 'keys'>> {
  const name = wantedText(wanted);
  const { file, zone } = await downloads.fetch({ url: image, from, answerBy }, { name });
  const place = printable(image.href);
  const quiet = createContext({ limits: context.limits, signal: context.signal }); // whoever reads it as an image notes what there is to note
  const { manifest } = await openImage({ ...(await fileContent(file, quiet)), place }, quiet);
  checkWanted(wanted, manifest);
  if (most !== undefined && signature) {
    const wished = { name: `the signature of ${name}`, most, signatureOf: file };
    await downloads.fetch({ url: signature, from }, wished).catch(passAbsent);
  }
  return { file, place, zone };
}

/** Whether an image has to have a signature is for whoever checks it. */
function passAbsent(error: unknown): void {
  if (!(error instanceof OcixError) || error.code !== 'network/status') throw error;
}

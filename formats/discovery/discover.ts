/**
 * Asking the servers that a name leads to where its image is: its own page first, then the page of each name above it, up to the host.
 * https://github.com/appc/spec/blob/v0.8.11/spec/discovery.md#discovery-url
 */
import { type Context, checkAbort } from '../base/context.ts';
import { OcixError, STATUS } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import { MOST_PAGE_BYTES, readHead } from './head.ts';
import { get, type Net } from './http.ts';
import { type Endpoint, endpointsFor, keysFor } from './template.ts';
import { isLocation, type Wanted, wantedText } from './wanted.ts';
import type { Zone } from './zones.ts';

export interface Discovered {
  /** The best first; at least one. */
  readonly endpoints: readonly Endpoint[];
  /** Where the server says that keys are. */
  readonly keys: readonly URL[];
  /** Where the server is that said all this. */
  readonly zone: Zone;
}

/**
 * @param from where the server is that brought up the name; undefined where the user did
 * @throws OcixError network/… where no page says anything for the name
 */
export async function discover(
  wanted: Wanted,
  from: Zone | undefined,
  net: Net,
  context: Context,
): Promise<Discovered> {
  if (!isLocation(wanted.name))
    throw new OcixError('network/failed', `${wanted.name} is no place in a network`, { hint: 'Give it with --dep.' });
  const until = AbortSignal.timeout(net.patience.discovery);
  const failures: OcixError[] = [];
  for (const path of pathsOf(wanted.name)) {
    checkAbort(context);
    if (until.aborted) break;
    try {
      const found = await askPage(path, wanted, { from, until, net }, context);
      if (found.endpoints.length) return found;
      failures.push(new OcixError('network/failed', `https://${path} says nothing for it in its head`));
    } catch (error) {
      if (!isNetworkFailure(error)) throw error;
      failures.push(error);
    }
  }
  throw nowhere(wanted, failures);
}

export const isNetworkFailure = (error: unknown): error is OcixError =>
  error instanceof OcixError && error.status === STATUS.network;

/** The name, and each name above it. */
function pathsOf(name: string): readonly string[] {
  const parts = name.split('/');
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
}

interface Asking {
  readonly from: Zone | undefined;
  readonly until: AbortSignal;
  readonly net: Net;
}

/** Over plain HTTP where that is allowed and HTTPS has failed: a page that says nothing has not failed. */
async function askPage(path: string, wanted: Wanted, asking: Asking, context: Context): Promise<Discovered> {
  try {
    return await askOver('https', path, wanted, asking, context);
  } catch (error) {
    if (!asking.net.insecure || !isNetworkFailure(error)) throw error;
    return askOver('http', path, wanted, asking, context);
  }
}

async function askOver(
  scheme: 'https' | 'http',
  path: string,
  wanted: Wanted,
  { from, until, net }: Asking,
  context: Context,
): Promise<Discovered> {
  const [host, ...parts] = path.split('/');
  const url = new URL(`${scheme}://${host}:${net.ports[scheme]}/${parts.join('/')}?ac-discovery=1`);
  const answer = await get({ url, from, until }, net, context);
  try {
    const { tags, complete } = await readHead(answer.body);
    if (!complete) {
      throw new OcixError('network/failed', `the head of ${printable(answer.url.href)} does not end`, {
        expected: `at most ${MOST_PAGE_BYTES} bytes`,
      });
    }
    return { endpoints: endpointsFor(tags, wanted), keys: keysFor(tags, wanted), zone: answer.zone };
  } finally {
    answer.close();
  }
}

/** Told as what went wrong first: that was the name's own page. */
function nowhere(wanted: Wanted, failures: readonly OcixError[]): OcixError {
  const [first, ...others] = failures;
  const more = others.length ? ` (and ${others.length} more)` : '';
  return new OcixError(first?.code ?? 'network/timeout', `no server says where ${wantedText(wanted)} is`, {
    ...(first ? { found: `${first.message}${first.found === undefined ? '' : `: ${first.found}`}${more}` } : {}),
    hint: `${first?.hint ?? 'Try again later.'} If you have the image as a file, give that.`,
    cause: first,
  });
}

/**
 * Getting something over HTTP from a server that nobody vouches for: bounded in time, in redirects, and in where they may lead.
 *
 * Node's own client, and not `fetch`: it looks a name up where we can see the addresses, connects to those that were looked at and no others,
 * and says which one it talks to. There are no proxies, cookies, passwords, kept connections, or second attempts.
 */
import { lookup } from 'node:dns';
import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import type { Chunks } from '../bytes/chunks.ts';
import { printable } from '../bytes/text.ts';
import { isWeb } from './template.ts';
import { mayEnter, type Zone, zoneOf } from './zones.ts';

export interface Net {
  /** Plain HTTP as well: after HTTPS has failed, and where a server leads to it. */
  readonly insecure: boolean;
  /** Certificates to trust instead of the system's, in PEM. */
  readonly ca?: string | undefined;
  /** Where a name's own server listens. */
  readonly ports: { readonly https: number; readonly http: number };
  readonly patience: Patience;
}

/** Milliseconds. */
export interface Patience {
  /** From the request to the end of the answer's header. */
  readonly answer: number;
  /** In each such span at least `LEAST_BYTES` have to come. */
  readonly body: number;
  /** For finding out where an image is, all pages together; and as much again until one of those places answers. */
  readonly discovery: number;
}

export const PATIENCE: Patience = { answer: 30_000, body: 30_000, discovery: 60_000 };
const LEAST_BYTES = 16 * 1024;
const MOST_REDIRECTS = 5;

export interface Asked {
  readonly url: URL;
  /** Where the server is that named the address; undefined where the user did. */
  readonly from: Zone | undefined;
  /** Ends the request, and the reading of its answer. */
  readonly until?: AbortSignal | undefined;
  /** Ends the request as long as there is no good answer; one that has begun by then may go on. */
  readonly answerBy?: AbortSignal | undefined;
}

export interface Answer {
  /** After redirects. */
  readonly url: URL;
  /** Where the server is. */
  readonly zone: Zone;
  /** Bytes, where the server says. */
  readonly size: number | undefined;
  /** Read it to its end, or call `close`. */
  readonly body: Chunks;
  close(): void;
}

/**
 * The answer, if it is a good one.
 *
 * @throws OcixError network/failed, network/timeout, network/redirect, network/status, interrupted; its body throws them too
 */
export async function get(asked: Asked, net: Net, context: Context): Promise<Answer> {
  let { url, from } = asked;
  for (let redirects = 0; ; redirects++) {
    const { message, zone } = await answerTo({ ...asked, url, from }, net, context);
    const { statusCode: status = 0, headers } = message;
    if (status === 200) return goodAnswer(message, { ...asked, url }, zone, { net, context });
    message.destroy();
    if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) {
      throw new OcixError('network/status', `${shown(url)} answered with status ${status}`, {
        hint: status === 401 || status === 403 ? AUTHENTICATION : 'Check the name and the version.',
      });
    }
    if (redirects === MOST_REDIRECTS) throw refusedRedirect(url, 'leads on and on', `after ${redirects} redirects`);
    url = redirected(url, headers.location);
    from = zone;
  }
}

const AUTHENTICATION = 'ocix sends no passwords. Get the image by other means, and give the file.';

function redirected(url: URL, location: string): URL {
  if (!URL.canParse(location, url.href)) throw refusedRedirect(url, 'leads to no address', location);
  const next = new URL(location, url.href);
  if (!isWeb(next)) throw refusedRedirect(url, 'leads out of the web, or with a password', location);
  return next;
}

const unencrypted = (url: URL): OcixError =>
  new OcixError('network/redirect', `a server leads to ${shown(url)}, which is not encrypted`, {
    hint: 'If you trust every network in between, add --insecure.',
  });

const refusedRedirect = (url: URL, what: string, found: string): OcixError =>
  new OcixError('network/redirect', `${shown(url)} ${what}`, {
    found: printable(found.slice(0, 200)),
    hint: 'Tell whoever runs the server, or get the image by other means and give the file.',
  });

const tooFarInside = (host: string, zone: Zone, from: Zone): OcixError =>
  new OcixError('network/redirect', `a ${from} server may not send us to ${printable(host)}, a ${zone} address`, {
    hint: 'Get the image by other means and give the file, with --dep if another one needs it.',
  });

const shown = ({ href }: URL): string => printable(href.slice(0, 200));

interface Heard {
  readonly message: IncomingMessage;
  /** Where it came from. */
  readonly zone: Zone;
}

async function answerTo({ url, from, until, answerBy }: Asked, net: Net, context: Context): Promise<Heard> {
  if (url.protocol === 'http:' && !net.insecure) throw unencrypted(url);
  if (answerBy?.aborted) throw slow(url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && from !== undefined && !mayEnter(from, zoneOf(host))) throw tooFarInside(host, zoneOf(host), from);
  const options: RequestOptions = {
    agent: false,
    lookup: guarded(from),
    headers: { 'accept-encoding': 'identity', 'user-agent': 'ocix', connection: 'close' },
    signal: until ? AbortSignal.any([context.signal, until]) : context.signal,
  };
  return new Promise((resolve, reject) => {
    const sent =
      url.protocol === 'https:'
        ? requestSecure(url, { ...options, ...(net.ca === undefined ? {} : { ca: net.ca }) })
        : requestPlain(url, options);
    const giveUp = (): void => void sent.destroy(slow(url));
    const late = setTimeout(giveUp, net.patience.answer);
    answerBy?.addEventListener('abort', giveUp);
    const stopWaiting = (): void => {
      clearTimeout(late);
      answerBy?.removeEventListener('abort', giveUp);
    };
    sent.on('close', stopWaiting);
    sent.on('error', (cause) => reject(failure(cause, url, context)));
    sent.on('response', (message) => {
      stopWaiting();
      message.on('error', () => {}); // whoever reads the body is told
      resolve({ message, zone: zoneOf(message.socket.remoteAddress ?? '') });
    });
    sent.end();
  });
}

/** The addresses of a name that may be gone to. What is connected to is what was looked at: a second answer of the resolver changes nothing. */
function guarded(from: Zone | undefined): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '');
      const allowed = found.filter(({ address }) => mayEnter(from, zoneOf(address)));
      const [first] = allowed;
      if (!first) return callback(tooFarInside(host, zoneOf(found[0]?.address ?? ''), from ?? 'reserved'), '');
      if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function goodAnswer(
  message: IncomingMessage,
  { url }: Asked,
  zone: Zone,
  { net, context }: { readonly net: Net; readonly context: Context },
): Answer {
  const { 'content-encoding': encoding, 'content-length': length } = message.headers;
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    message.destroy();
    throw new OcixError('network/failed', `${shown(url)} is sent in an encoding that was not asked for`, {
      expected: 'identity',
      found: printable(encoding.slice(0, 40)),
      hint: 'Tell whoever runs the server, or get the image by other means and give the file.',
    });
  }
  return {
    url,
    zone,
    size: length === undefined ? undefined : Number(length),
    body: bodyOf(message, url, net, context),
    close: () => void message.destroy(),
  };
}

/** A server that sends a byte now and then is as good as one that sends nothing. */
async function* bodyOf(
  message: IncomingMessage,
  url: URL,
  { patience }: Net,
  context: Context,
): AsyncGenerator<Uint8Array> {
  let received = 0;
  let waiting = true; // the time that the consumer takes is not the server's
  const clock = setInterval(() => {
    if (waiting && received < LEAST_BYTES) message.destroy(slow(url));
    received = 0;
  }, patience.body);
  try {
    for await (const chunk of message as AsyncIterable<Uint8Array>) {
      received += chunk.length;
      waiting = false;
      yield chunk;
      waiting = true;
    }
    if (!message.complete) throw new OcixError('network/failed', `${shown(url)} ended before its end`);
  } catch (cause) {
    throw failure(cause, url, context);
  } finally {
    clearInterval(clock);
    message.destroy();
  }
}

const slow = (url: URL): OcixError =>
  new OcixError('network/timeout', `${shown(url)} is too slow`, { hint: 'Try again later.' });

function failure(cause: unknown, url: URL, { signal }: Context): OcixError {
  if (signal.aborted)
    return new OcixError('interrupted', 'stopped before it was done', { hint: 'Nothing was written.', cause });
  if (cause instanceof OcixError) return cause;
  const { name, code } = cause as NodeJS.ErrnoException;
  if (name === 'AbortError') return slow(url);
  return new OcixError('network/failed', `${shown(url)} cannot be had (${code ?? String(cause)})`, {
    hint: /CERT|SIGN|SSL|TLS|ALTNAME/.test(code ?? '')
      ? 'Whether to trust the server is not known. NODE_EXTRA_CA_CERTS names a file of certificates to trust beside the system’s.'
      : 'Check the name, and the network.',
    cause,
  });
}

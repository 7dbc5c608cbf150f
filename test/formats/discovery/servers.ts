/** Servers of images, on this machine, as good or bad as a test needs them. */
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import type { Net } from '../../../formats/discovery/http.ts';

export interface LocalServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Paths that were asked for, with their queries, in order. */
  readonly requests: readonly string[];
}

/** An answer by path without its query: text, bytes, or whatever a function does. */
export type Pages = Readonly<Record<string, string | Uint8Array | ((response: ServerResponse) => void)>>;

/** It ends with the test. What it has no page for is 404. */
export async function serve(pages: Pages): Promise<LocalServer> {
  const requests: string[] = [];
  const server = await listening(
    createServer((request, response) => {
      requests.push(request.url!);
      answer(pages, request, response);
    }),
  );
  const { port } = server.address() as AddressInfo;
  return { port, origin: `http://127.0.0.1:${port}`, requests };
}

export const answer = (pages: Pages, ...[request, response]: Parameters<RequestListener>): void => {
  const page = pages[request.url!.split('?')[0]!];
  if (typeof page === 'function') page(response);
  else if (page === undefined) response.writeHead(404).end('nothing here');
  else response.end(page);
};

export async function listening<T extends Server>(server: T): Promise<T> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

export const redirect =
  (location: string, status = 302) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { location }).end();

/** A page with such tags in its head. */
export const page = (...tags: readonly string[]): string =>
  `<!DOCTYPE html>\n<html><head><title>An app</title>\n${tags.join('\n')}\n</head><body><h1>An app</h1></body></html>\n`;

export const imageTag = (prefix: string, template: string): string =>
  `<meta name="ac-discovery" content="${prefix} ${template}">`;

/** Nothing speaks TLS there, so HTTPS fails at once and plain HTTP is tried. */
export const netOf = ({ port }: { readonly port: number }, more: Partial<Net> = {}): Net => ({
  insecure: true,
  ports: { https: port, http: port },
  patience: { answer: 5000, body: 5000, discovery: 10_000 },
  ...more,
});

export interface ServedImage {
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly dependencies?: readonly object[];
  readonly files?: readonly TarEntry[];
}

/** An App Container Image, compressed with gzip. */
export function imageBytes({ name = '127.0.0.1/app', labels = {}, dependencies = [], files = [] }: ServedImage = {}) {
  const manifest = {
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name,
    labels: Object.entries(labels).map(([label, value]) => ({ name: label, value })),
    app: { exec: ['/bin/app'], user: '0', group: '0' },
    dependencies,
  };
  return gzipSync(
    tar([{ name: 'manifest', body: Buffer.from(JSON.stringify(manifest)) }, { name: 'rootfs/' }, ...files]),
  );
}

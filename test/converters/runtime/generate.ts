/** What the tests of the generator share: an image's configuration from what a test cares about, and a root filesystem in memory. */

import { type RootView, type RuntimeOptions, runtimeConfig } from '../../../converters/runtime/config.ts';
import { type Context, createContext } from '../../../formats/base/context.ts';
import type { Note } from '../../../formats/base/notes.ts';
import type { ImageConfig } from '../../../formats/model/config.ts';

export const configWith = (more: Partial<ImageConfig> = {}): ImageConfig => ({
  platform: { os: 'linux', architecture: 'amd64' },
  entrypoint: [],
  cmd: ['/bin/app'],
  env: [],
  exposedPorts: [],
  volumes: [],
  labels: new Map(),
  onBuild: [],
  shell: [],
  other: {},
  ...more,
});

/** Files by path; a path that ends in `/` is a folder, with something in it unless that is said to be empty. */
export const rootWith = (files: Readonly<Record<string, string | Uint8Array | Folder>> = {}): RootView => ({
  file: (path) => {
    const found = files[path];
    return typeof found === 'string' || found instanceof Uint8Array ? Buffer.from(found) : undefined;
  },
  folder: (path) => {
    const found = files[`${path}/`];
    const stated = typeof found === 'object' && !(found instanceof Uint8Array) ? found : {};
    return found === undefined ? undefined : { mode: 0o755, uid: 0, gid: 0, isEmpty: false, ...stated };
  },
});

type Folder = Partial<NonNullable<ReturnType<RootView['folder']>>>;

export interface Generated {
  // biome-ignore lint/suspicious/noExplicitAny: a document as it is
  readonly document: any;
  readonly notes: readonly Note[];
}

export function generate(
  config: Partial<ImageConfig> = {},
  files: Parameters<typeof rootWith>[0] = {},
  options: Partial<RuntimeOptions> = {},
): Generated {
  const context: Context = createContext();
  const document = runtimeConfig(
    configWith(config),
    rootWith(files),
    { terminal: false, readOnly: false, ...options },
    context,
  );
  return { document: JSON.parse(JSON.stringify(document)), notes: context.notes.all() };
}

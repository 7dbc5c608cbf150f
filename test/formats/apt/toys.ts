/** Repositories of toy packages in folders, signed by a key of the test; and what is read from them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PrivateKey } from 'openpgp';
import { aptRepo, type RepoRecipe } from '../../../fixtures/apt-repo.ts';
import { apt } from '../../../formats/apt/index.ts';
import { createContext } from '../../../formats/base/context.ts';
import { imagesOf } from '../../../formats/model/image.ts';
import type { Decision, Repositories } from '../../../formats/model/reader.ts';
import { scratch } from '../../fixtures/peers.ts';
import { clearSigned, NOW, newKey, signed } from '../openpgp/keys.ts';
import { diffIdsOf, READING } from '../support.ts';

/** What signs them. */
export const key: PrivateKey = await newKey();

export function keyring(): string {
  const path = join(scratch(), 'keys.asc');
  writeFileSync(path, key.toPublic().armor());
  return path;
}

export const TOYS: RepoRecipe = {
  packages: [
    { fields: { Package: 'app', Depends: 'lib' }, data: { 'usr/app': 'A', 'bin/x': 'X' } },
    { fields: { Package: 'lib', Version: '2:1.0' }, data: { 'usr/lib/l': 'L'.repeat(70_000) } },
  ],
};

export interface Changes {
  /** The last word over the files. */
  readonly change?: (files: Map<string, Uint8Array>) => void | Promise<void>;
  readonly form?: 'inline' | 'detached' | 'unsigned';
}

export async function filesOf(
  recipe: RepoRecipe,
  { change, form = 'inline' }: Changes,
): Promise<Map<string, Uint8Array>> {
  const files = aptRepo(recipe);
  const text = files.get('dists/stable/Release')!;
  if (form === 'inline') {
    files.delete('dists/stable/Release');
    files.set('dists/stable/InRelease', Buffer.from(await clearSigned(key, Buffer.from(text).toString())));
  }
  if (form === 'detached') files.set('dists/stable/Release.gpg', await signed(key, text));
  await change?.(files);
  return files;
}

export async function repo(recipe: RepoRecipe = TOYS, changes: Changes = {}): Promise<string> {
  const folder = scratch();
  for (const [path, bytes] of await filesOf(recipe, changes)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  return folder;
}

export interface Read {
  readonly packages: string | undefined;
  readonly ids: readonly string[];
  readonly decision: Decision | undefined;
}

export async function read(place: string, options: Partial<Repositories> = {}, text = 'stable/app'): Promise<Read> {
  const context = createContext();
  let decision: Decision | undefined;
  const repositories: Repositories = {
    places: [place],
    keyrings: [keyring()],
    cache: scratch(),
    now: NOW,
    decided: (one) => {
      decision = one;
    },
    ...options,
  };
  const opened = await apt.read(text, context, { ...READING, repositories });
  try {
    const [image] = imagesOf(opened.items);
    const ids = await diffIdsOf(image!, context);
    return { packages: image!.config.labels.get('io.ocix.deb.packages'), ids, decision };
  } finally {
    await opened.close();
  }
}

export const ALL = '{"app":"1.0-1","lib":"2:1.0"}';

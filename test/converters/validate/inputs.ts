/** What the tests of the validator share: sound inputs of every kind, and ways to break one thing in each. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RuleId, type ValidateOptions, type Validation, validate } from '../../../converters/index.ts';
import { dockerSave, type SaveOptions } from '../../../fixtures/docker-save.ts';
import type { ImageRecipe } from '../../../fixtures/image-recipe.ts';
import { greeting, sampleLayer } from '../../../fixtures/images.ts';
import { type Layout, type LayoutOptions, ociLayout, writeLayout } from '../../../fixtures/oci-layout.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { scratch } from '../../fixtures/peers.ts';
import { runtimeConfig } from './documents.ts';

export { config, DIGEST, descriptor, index, manifest, runtimeConfig } from './documents.ts';

// biome-ignore lint/suspicious/noExplicitAny: documents as they are, right or wrong
export type Any = any;

export function fileWith(bytes: Uint8Array | string, name = 'input'): string {
  const path = join(scratch(), name);
  writeFileSync(path, bytes);
  return path;
}

/** The document with one member set (made absent by `undefined`); a pointer as in RFC 6901. */
export function patched(document: Any, pointer: string, value: unknown): Any {
  if (pointer === '') return value;
  const copy = structuredClone(document);
  const names = pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop()!;
  const parent = names.reduce((found, name) => (found[name] ??= {}), copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

export const validateDocument = (document: unknown, from: string, options: ValidateOptions = {}): Promise<Validation> =>
  validate(
    fileWith(document instanceof Uint8Array || typeof document === 'string' ? document : JSON.stringify(document)),
    {
      from,
      ...options,
    },
  );

export const rulesIn = ({ findings }: Validation): readonly RuleId[] => [...new Set(findings.map(({ rule }) => rule))];

/** The places at which a rule is broken. */
export const placesOf = ({ findings }: Validation, rule: RuleId): readonly string[] =>
  findings.filter((finding) => finding.rule === rule).map(({ at }) => at.join(' > '));

/** Nothing that another tool could object to. */
export function expectUnconditional(found: Validation): void {
  expect(found.findings.filter(({ level }) => level !== 'note')).toEqual([]);
  expect(found.verdict.outcome).toBe('unconditionally compliant');
}

export const small: ImageRecipe = {
  ...greeting('amd64'),
  layers: [sampleLayer([{ name: 'etc/' }, { name: 'etc/x', body: 'x' }])],
};

/** A layout of one small image, written as a folder. */
export async function layoutWith(
  edit: (layout: Layout) => unknown = () => {},
  options: LayoutOptions = {},
): Promise<string> {
  const layout = ociLayout({ ...small, config: { ...small.config, history: [] } }, options);
  edit(layout);
  const folder = scratch();
  await writeLayout(layout, folder);
  return folder;
}

/** The path of the first blob whose text contains this. */
export function blobWith(layout: Layout, text: string): string {
  const found = [...layout].find(([path, bytes]) => path.startsWith('blobs/') && bytes.includes(text));
  if (!found) throw new Error(`no blob with ${text}`);
  return found[0];
}

export const layerFile = (entries: readonly TarEntry[]): string => `tar:${fileWith(tar(entries), 'layer.tar')}`;

export const dockerFile = (
  options: Partial<SaveOptions> = {},
  image: ImageRecipe | readonly ImageRecipe[] = small,
): string => fileWith(dockerSave(image, { generation: '1.10', ...options }), 'app.tar');

/** @param document null for none */
export function bundleWith(document: unknown = runtimeConfig, rootfs = true): string {
  const folder = scratch();
  if (rootfs) mkdirSync(join(folder, 'rootfs'));
  if (document !== null) writeFileSync(join(folder, 'config.json'), JSON.stringify(document));
  return folder;
}

/** Images whose trees are compared with what other tools make of them, and the comparison: entry by entry, field by field. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import type { Found } from '../formats/rootfs/disk.ts';
import { debianArchive } from './debian.ts';

const CORPUS = join(import.meta.dirname, '../../../shared/corpus/docker-save');

/** Through what a lower layer has: over overlay Docker sees one layer at a time, and makes a folder of the link, or gives up. */
const reaching = [
  { name: 'way/through', body: 'z' },
  { name: 'late', type: '1', link: 'bin/su' },
];

const richWith = (more: typeof reaching) => ({
  tags: ['rich:1'],
  layers: [
    sampleLayer([
      { name: './', mode: 0o711, uid: 3 },
      { name: 'bin/' },
      {
        name: 'bin/su',
        mode: 0o4755,
        body: 'x',
        pax: [['SCHILY.xattr.security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')]],
      },
      { name: 'bin/alias', type: '1', link: 'bin/su' },
      { name: 'gone/file', body: 'x' },
      { name: 'opaque/' },
      { name: 'opaque/low' },
      { name: 'dev/null', type: '3', major: 1, minor: 3, mode: 0o666 },
      { name: 'dev/loop', type: '4', major: 7, minor: 300, mode: 0o660, gid: 6 },
      { name: 'pipe', type: '6', mode: 0o622 },
      { name: 'sticky/', mode: 0o1777, uid: 70_000, gid: 2 ** 31 },
      { name: 'exact', mtime: '1709208000.123456789', pax: [['SCHILY.xattr.user.bytes', Buffer.from([0, 255, 10])]] },
      { name: 'real/', mode: 0o700 },
      { name: 'way', link: '/real', mtime: '1709208000.5' },
    ]),
    sampleLayer([
      { name: '.wh.gone' },
      { name: 'opaque/.wh..wh..opq' },
      { name: 'opaque/high', body: 'y' },
      { name: 'bin/alias', body: 'its own now' },
      ...more,
    ]),
  ],
});

/** Archives, or where they are if they are there. */
export const SOURCES: Readonly<Record<string, Uint8Array | string>> = {
  greeting: dockerSave(greeting('amd64'), { generation: '1.10' }),
  'an image with everything': dockerSave(richWith(reaching), { generation: '1.10' }),
  'an image with everything that Docker takes': dockerSave(richWith([]), { generation: '1.10' }),
  'trivy-alpine-310': join(CORPUS, 'trivy-alpine-310.tar.gz'),
  'dive-test': join(CORPUS, 'dive-test-docker-image.tar'),
  'jib-busybox': join(CORPUS, 'jib-busybox-docker.tar'),
  debian: debianArchive,
};

/** The one that `docker load` refuses. */
export const NOT_FOR_DOCKER = 'an image with everything';

export const isThere = (name: string): boolean => typeof SOURCES[name] !== 'string' || existsSync(SOURCES[name]);

/** The archive, as a file. */
export function sourceFile(name: string, folder: string): string {
  const source = SOURCES[name]!;
  if (typeof source === 'string') return source;
  const path = join(folder, 'in.tar');
  writeFileSync(path, source);
  return path;
}

/** Why a difference is as it should be, by the rule that ocix follows. */
export interface Rule {
  readonly why: string;
  /** `field` is absent where the path is on one side only. */
  readonly allows: (difference: Difference) => boolean;
}

export interface Difference {
  readonly path: string;
  readonly field?: keyof Found;
  readonly ours: Found | undefined;
  readonly theirs: Found | undefined;
}

export function differences(
  ours: ReadonlyMap<string, Found>,
  theirs: ReadonlyMap<string, Found>,
  rules: readonly Rule[],
): readonly string[] {
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return paths
    .flatMap((path) => differencesAt(path, ours.get(path), theirs.get(path)))
    .filter((difference) => !rules.some(({ allows }) => allows(difference)))
    .map(({ path, field, ours, theirs }) =>
      field
        ? `${path}: ${field} ${text(ours?.[field])} instead of ${text(theirs?.[field])}`
        : `${path}: only ${ours ? 'ours' : 'theirs'}`,
    );
}

function differencesAt(path: string, ours: Found | undefined, theirs: Found | undefined): readonly Difference[] {
  if (!ours || !theirs) return [{ path, ours, theirs }];
  const fields = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])] as (keyof Found)[];
  return fields
    .filter((field) => text(ours[field]) !== text(theirs[field]))
    .map((field) => ({ path, field, ours, theirs }));
}

const text = (value: Found[keyof Found] | undefined): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value);

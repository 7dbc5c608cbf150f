/** Images as archives: docker's of every generation, OCI's, App Container Images. Documents lie, with digests that are right. */
import { gzipSync } from 'node:zlib';
import { aciName, aciTar, leastApp, leastManifest } from '../../../fixtures/aci.ts';
import { dockerSave, generations } from '../../../fixtures/docker-save.ts';
import type { ImageRecipe, JsonObject } from '../../../fixtures/image-recipe.ts';
import { prepare } from '../../../fixtures/image-recipe.ts';
import { greeting } from '../../../fixtures/images.ts';
import { type Layout, layoutMembers, ociLayout } from '../../../fixtures/oci-layout.ts';
import { type TarEntry, tar } from '../../../fixtures/tar.ts';
import { zstd } from '../../../fixtures/zstd.ts';
import { jsonText, mutatedBytes, mutatedJson } from '../mutate.ts';
import type { Random } from '../random.ts';
import { layerFrom, nameFrom } from './entries.ts';

const richConfig = greeting('amd64').config?.config as JsonObject;

export function imageFrom(random: Random): ImageRecipe {
  const image: ImageRecipe = {
    layers: random.many(0, 3, () => ({
      tar: layerFrom(random),
      ...(random.chance(0.2) ? { compression: random.pick(['none', 'gzip', 'zstd'] as const) } : {}),
    })),
    tags: random.many(0, 2, () => random.pick(['app:1', 'x.example/app:2', 'app', 'APP:1', '../x:1', ':', ''])),
    config: { config: random.chance(0.5) ? richConfig : {} },
  };
  if (random.chance(0.6)) return image;
  const damaged = { ...image, configBytes: jsonText(mutatedJson(prepare(image).config, random), random) };
  return isWritable(damaged) ? damaged : image;
}

/** Some forms are derived from the configuration; what those recipes cannot make sense of they cannot write. */
function isWritable(image: ImageRecipe): boolean {
  try {
    for (const generation of generations) dockerSave(image, { generation });
    return true;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return false;
    throw error;
  }
}

/** An edit that damages a document now and then; what it makes is encoded by `jsonText`. */
const edit =
  (random: Random, probability: number) =>
  (document: unknown): unknown =>
    random.chance(probability) ? jsonText(mutatedJson(document, random), random) : document;

export const dockerFrom = (random: Random): Buffer =>
  wrapped(
    dockerSave(
      random.many(1, 2, () => imageFrom(random)),
      {
        generation: random.pick(generations),
        manifest: edit(random, 0.2),
        repositories: edit(random, 0.1),
        index: edit(random, 0.1),
        ociManifest: edit(random, 0.1),
        members: (members) => damagedMembers(members, random),
      },
    ),
    random,
  );

export function layoutFrom(random: Random): Layout {
  const layout = ociLayout(
    random.many(1, 2, () => imageFrom(random)),
    {
      compression: random.pick(['gzip', 'zstd', 'none']),
      manifest: edit(random, 0.25),
      index: edit(random, 0.25),
      ...(random.chance(0.1)
        ? { layoutFile: jsonText(mutatedJson({ imageLayoutVersion: '1.0.0' }, random), random).toString() }
        : {}),
    },
  );
  for (const path of [...layout.keys()]) {
    if (random.chance(0.97)) continue;
    if (random.chance(0.5)) layout.delete(path);
    else layout.set(path, mutatedBytes(layout.get(path)!, random));
  }
  return layout;
}

export const ociFrom = (random: Random): Buffer =>
  wrapped(tar(damagedMembers(layoutMembers(layoutFrom(random)), random)), random);

/** Every member of a manifest, and of an app, that means something. */
export const richManifest: JsonObject = {
  ...leastManifest,
  labels: [
    { name: 'version', value: '1.0' },
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  annotations: [{ name: 'created', value: '2016-01-01T00:00:00Z' }],
  pathWhitelist: ['/etc', '/a'],
  dependencies: [{ imageName: 'example.com/base', labels: [{ name: 'version', value: '1' }], size: 5 }],
  app: leastApp({
    user: 'app',
    group: '8',
    supplementaryGIDs: [4, 5],
    eventHandlers: [{ name: 'pre-start', exec: ['/pre'] }],
    workingDirectory: '/etc',
    environment: [{ name: 'PATH', value: '/bin' }],
    mountPoints: [{ name: 'data', path: '/data', readOnly: true }],
    ports: [{ name: 'web', port: 80, protocol: 'tcp', count: 2, socketActivated: false }],
    isolators: [
      { name: 'resource/cpu', value: { request: '250m', limit: '1' } },
      { name: 'resource/memory', value: { limit: '1Gi' } },
      { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_BIND_SERVICE'] } },
      { name: 'os/linux/seccomp-remove-set', value: { set: ['@rkt/default-blacklist'], errno: 'ENOSYS' } },
      { name: 'os/linux/selinux-context', value: { user: 'u', role: 'r', type: 't', level: 's0' } },
      { name: 'os/unix/sysctl', value: { 'net.core.somaxconn': '128' } },
      { name: 'os/linux/oom-score-adj', value: 10 },
      { name: 'os/linux/no-new-privileges', value: true },
      { name: 'os/linux/cpu-shares', value: 1024 },
    ],
  }),
};

export function aciManifestFrom(random: Random): Buffer {
  const { dependencies: _, ...alone } = richManifest;
  const given = random.chance(0.2) ? richManifest : random.chance(0.5) ? alone : { ...leastManifest, app: leastApp() };
  return random.chance(0.7) ? jsonText(mutatedJson(given, random), random) : jsonText(given, random);
}

export const aciFrom = (random: Random): Buffer =>
  wrapped(
    aciTar({
      manifestBytes: aciManifestFrom(random),
      rootfs: [
        { name: 'etc/' },
        { name: 'etc/passwd', body: 'app:x:7:8::/:\n' },
        ...random.many(0, 4, () => ({ name: nameFrom(random) })),
      ],
      order: random.pick(['manifest-first', 'manifest-last']),
      members: (members) => damagedMembers(members, random),
    }),
    random,
  );

/** Every member of a pod that means something. */
export const richPod: JsonObject = {
  acKind: 'PodManifest',
  acVersion: '0.8.11',
  apps: [
    {
      name: 'web',
      image: { id: `sha512-${'0'.repeat(128)}`, name: aciName, labels: [{ name: 'version', value: '1.0' }] },
      app: richManifest['app'] ?? {},
      mounts: [{ volume: 'data', path: '/data' }],
      readOnlyRootFS: true,
      annotations: [{ name: 'a', value: 'b' }],
    },
  ],
  volumes: [
    { name: 'data', kind: 'host', source: '/srv', readOnly: true, recursive: false },
    { name: 'tmp', kind: 'empty', mode: '0755', uid: 0, gid: 0 },
  ],
  isolators: [{ name: 'resource/memory', value: { limit: '4G' } }],
  annotations: [{ name: 'c', value: 'd' }],
  ports: [{ name: 'web', hostPort: 8080, hostIP: '127.0.0.1', podPort: 80 }],
  userAnnotations: { a: 'b' },
  userLabels: { c: 'd' },
};

export const podManifestFrom = (random: Random): Buffer => jsonText(mutatedJson(richPod, random), random);

/** One of them gone, twice, elsewhere, under another name, or a link. */
export function damagedMembers(members: readonly TarEntry[], random: Random): readonly TarEntry[] {
  if (members.length === 0 || random.chance(0.75)) return members;
  const all = [...members];
  const at = random.below(all.length);
  const one = all[at]!;
  switch (random.below(6)) {
    case 0:
      all.splice(at, 1);
      break;
    case 1:
      all.splice(random.below(all.length), 0, one);
      break;
    case 2:
      all.splice(at, 1);
      all.splice(random.below(all.length + 1), 0, one);
      break;
    case 3:
      all[at] = { ...one, name: random.chance(0.5) ? nameFrom(random) : random.pick(all).name };
      break;
    case 4:
      all[at] = {
        name: one.name,
        type: random.pick(['1', '2', '5', '6']),
        link: random.pick([...all.map(({ name }) => name), '/etc/passwd', '../x']),
      };
      break;
    default:
      all[at] = { ...one, body: random.chance(0.5) ? '' : mutatedBytes(Buffer.from(one.body ?? 'x'), random) };
  }
  return all;
}

/** Compressed or damaged as a whole, now and then. */
function wrapped(bytes: Buffer, random: Random): Buffer {
  const outside = random.chance(0.8)
    ? bytes
    : random.pick([(all: Buffer) => gzipSync(all), (all: Buffer) => zstd(all)])(bytes);
  return random.chance(0.15) ? mutatedBytes(outside, random) : outside;
}

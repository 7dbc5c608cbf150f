/** Images that need others: data folders of rkt hosts, pods with what they name, and signed files beside their keys. */
import { convert, inspect, migrate, open } from '../../../converters/index.ts';
import { checkSignature } from '../../../converters/verify.ts';
import {
  type AciRecipe,
  aciName,
  aciTar,
  graphImage,
  imageIdOfTar,
  leastApp,
  rktStore,
  storeKey,
} from '../../../fixtures/aci.ts';
import type { JsonObject } from '../../../fixtures/image-recipe.ts';
import { createContext } from '../../../formats/base/context.ts';
import { OcixError } from '../../../formats/base/errors.ts';
import { type Files, inFolder, inputOf, onDisk } from '../folder.ts';
import { jsonText, mutatedBytes, mutatedJson } from '../mutate.ts';
import type { Random } from '../random.ts';
import { Find, type Subject } from '../subject.ts';
import { damagedMembers, richManifest, richPod } from './images.ts';
import { CONTENT, KEY, SIGNATURE } from './openpgp-vectors.ts';
import { contentOf } from './readers.ts';

const UUID = '01234567-89ab-cdef-0123-456789abcdef';

/** What the pods run, with everything that a manifest can say. */
const runnable = (random: Random): AciRecipe => {
  const { dependencies: _, ...alone } = richManifest;
  const manifest = { ...alone, labels: [{ name: 'version', value: '1.0' }] };
  return {
    manifestBytes: jsonText(random.chance(0.15) ? mutatedJson(manifest, random) : manifest, random),
    rootfs: [{ name: 'etc/' }, { name: 'etc/passwd', body: 'app:x:7:8::/:\n' }, { name: 'a' }],
    members: (members) => damagedMembers(members, random),
  };
};

/** A small graph, in which something may be missing, wrong or a ring. */
function graphFrom(random: Random): readonly AciRecipe[] {
  const needs = (...keys: readonly string[]) => keys.filter(() => random.chance(0.9)).map((key) => odd(key, random));
  const ring = random.chance(0.05) ? ['top'] : [];
  return [
    graphImage('top', {
      needs: needs('left', 'right'),
      manifest: { app: leastApp() },
      pathWhitelist: random.chance(0.2) ? ['/left'] : [],
    }),
    graphImage('left', { needs: needs('base') }),
    graphImage('right', { needs: needs('base', ...ring), rootfs: [{ name: 'left', link: '/etc' }] }),
    graphImage('base', { rootfs: [{ name: 'which', type: '1', link: 'base' }] }),
  ];
}

const odd = (key: string, random: Random): string | JsonObject =>
  random.chance(0.95)
    ? key
    : (mutatedJson(
        { imageName: `example.com/${key}`, size: 1, labels: [{ name: 'os', value: 'linux' }] },
        random,
      ) as JsonObject);

/** The pod that runs what is there; an id is only the id of something by chance. */
function podFrom(images: readonly Uint8Array[], random: Random): Buffer {
  const [app, ...others] = richPod['apps'] as readonly JsonObject[];
  const image = { name: aciName, ...(random.chance(0.3) && images[0] ? { id: imageIdOfTar(images[0]) } : {}) };
  const pod = { ...richPod, apps: [{ ...app, image }, ...others] };
  return jsonText(random.chance(0.7) ? mutatedJson(pod, random, 2) : pod, random);
}

/** Named by their ids unless they were changed after that. */
function storeFrom(random: Random): Files {
  const recipes = [...graphFrom(random), runnable(random)];
  const files = new Map<string, Uint8Array>(rktStore(recipes));
  for (const state of ['run', 'exited-garbage', 'prepared'])
    if (random.chance(0.5)) files.set(`pods/${state}/${random.chance(0.8) ? UUID : 'x'}/pod`, podFrom([], random));
  for (const [path, bytes] of [...files]) {
    if (random.chance(0.95)) continue;
    const renamed = path.replace(/[^/]*$/, random.pick(['x', storeKey(bytes), 'sha512-', '.tmp']));
    const kind = random.below(3);
    if (kind === 0) files.delete(path);
    if (kind === 1) files.set(path, mutatedBytes(bytes, random));
    if (kind === 2) files.set(renamed, bytes);
  }
  return files;
}

const FAULT = 'fault';

const store: Subject = {
  name: 'rkt',
  patience: 15_000, // a whole estate
  make: (random) => inputOf(storeFrom(random)),
  check: ({ files }, random) =>
    onDisk(files!, async (folder) => {
      if (random.chance(0.2))
        await inFolder(async (_, out) => {
          const { images } = await migrate(`rkt:${folder}`, out);
          const fault = images.find(({ error }) => error?.code === FAULT);
          if (fault) throw new Find(fault.error!.message);
          if (!images.some(({ state }) => state === 'converted'))
            throw new OcixError('format/unknown', 'there is none');
        });
      await inspect(`rkt:${folder}`).catch((error: unknown) => {
        if (!(error instanceof OcixError)) throw error;
      });
      const chosen = random.pick(['', ':example.com/top', ':@0', `:@${UUID}`, ':@01234567', `:${aciName}:1.0`]);
      const opened = await open(`rkt:${folder}${chosen}`);
      try {
        await contentOf(opened.items, createContext());
      } finally {
        await opened.close();
      }
    }),
};

const pods: Subject = {
  name: 'pod-images',
  make(random) {
    const images = random.many(1, 2, () => aciTar(runnable(random)));
    const files = images.map(
      (bytes, i) => [`images/${i}.aci`, random.chance(0.97) ? bytes : mutatedBytes(bytes, random)] as const,
    );
    return inputOf(new Map<string, Uint8Array>([['pod.json', podFrom(images, random)], ...files]));
  },
  check: ({ files }, random) =>
    onDisk(files!, (folder) =>
      inFolder((_, out) =>
        convert(`pod:${folder}/pod.json`, out, {
          to: random.pick(['kube', 'bundle', 'oci', 'docker-archive']),
          dependencies: [`${folder}/images`],
          compatible: random.chance(0.2),
        }),
      ),
    ),
};

const FINGERPRINT = '321ffbf8d5796a0a4bb513f4b57c7c51da2dd7b7';
const PLACES = [
  `root.d/${FINGERPRINT}`,
  `prefix.d/example.com/${FINGERPRINT}`,
  'prefix.d/other',
  'alice.asc',
  '.hidden',
  'root.d/x',
];

/** A file, its signature and a keyring in one of its forms. */
function signedFrom(random: Random): Files {
  const usual = random.pick(PLACES.slice(0, 2).concat('alice.asc'));
  const keys = [usual, ...(random.chance(0.1) ? [random.pick(PLACES)] : [])];
  const damaged = (bytes: Uint8Array, probability: number) =>
    random.chance(probability) ? mutatedBytes(bytes, random) : bytes;
  return new Map<string, Uint8Array>([
    ['app.aci', damaged(CONTENT, 0.1)],
    [random.chance(0.9) ? 'app.aci.asc' : 'app.aci.sig', damaged(SIGNATURE, 0.3)],
    ...keys.map((path) => [`keys/${path}`, random.chance(0.05) ? Buffer.alloc(0) : damaged(KEY, 0.3)] as const),
  ]);
}

/** Only Alice's words are good; who finds none says so with a status of its own. */
const verification: Subject = {
  name: 'verify',
  make: (random) => inputOf(signedFrom(random)),
  check: ({ files }, random) =>
    onDisk(files!, async (folder) => {
      const nameOf = random.chance(0.7) ? async () => random.pick(['example.com/app', 'example.org/app']) : undefined;
      const good = await checkSignature({
        file: `${folder}/app.aci`,
        keyring: [`${folder}/keys`],
        now: new Date('2026-11-21T00:00:00Z'),
        allowWeak: random.chance(0.3),
        ...(nameOf ? { nameOf } : {}),
      });
      if (!CONTENT.equals(files!.get('app.aci')!)) throw new Find('a signature holds for what Alice never signed');
      if (good.primary !== FINGERPRINT) throw new Find(`the key is said to be ${good.primary}`);
    }),
};

export const ESTATE_SUBJECTS: readonly Subject[] = [store, pods, verification];

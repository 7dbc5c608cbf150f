/**
 * The pods that an rkt host ran: their manifests lie in its data folder, in a folder for each state and one for each pod in that. They say
 * what really ran, with all that was given on the command line.
 * https://github.com/rkt/rkt/blob/v1.30.0/Documentation/devel/pod-lifecycle.md
 */
import { type Archive, readMember } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { type PodManifest, parsePodManifest } from './pod.ts';

/** Where rkt kept pods, those that have run or run still first; a pod is in one of them at a time. */
const STATES = ['run', 'exited-garbage', 'garbage', 'prepared', 'prepare', 'embryo'];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface StoredPod {
  readonly uuid: string;
  /** `run`, `exited-garbage` and others. */
  readonly state: string;
  readonly manifest: PodManifest;
}

/** Whether what stands behind `rkt:DIR:@` is a pod's UUID, or its first eight digits or more, rather than the id of an image. */
export const isPodId = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f-]{0,27})?$/.test(text);

/**
 * The one pod whose name begins so.
 *
 * @throws OcixError image/select where there is none or several; json/…, appc/manifest
 */
export async function podOfStore(archive: Archive, wanted: string, context: Context): Promise<StoredPod> {
  const found = (await podsOfStore(archive)).filter(({ uuid }) => uuid.startsWith(wanted));
  const [first, ...more] = found;
  if (first && !more.length) {
    const { uuid, state, path } = first;
    return within(uuid, async () => {
      const member = await archive.get(path);
      if (!member)
        throw new OcixError('image/select', 'the pod has no manifest', {
          hint: 'rkt was still preparing it, or had begun to remove it.',
        });
      return { uuid, state, manifest: parsePodManifest(await readMember(member, context), context) };
    });
  }
  const known = (found.length ? found : await podsOfStore(archive)).slice(0, 10).map(({ uuid }) => uuid);
  throw new OcixError(
    'image/select',
    found.length ? `${wanted} is the beginning of ${found.length} pods` : `there is no pod ${wanted}`,
    {
      hint: known.length ? `There is ${known.join(', ')}.` : 'The store has no pods.',
    },
  );
}

/** Every pod, by state and name; nothing is read. What lies in a pod's folder beside its manifest is its whole file system. */
export async function podsOfStore(
  archive: Archive,
): Promise<readonly { readonly uuid: string; readonly state: string; readonly path: string }[]> {
  const found = [];
  for (const state of STATES)
    for (const uuid of (await archive.namesIn?.(`pods/${state}`)) ?? [])
      if (UUID.test(uuid)) found.push({ uuid, state, path: `pods/${state}/${uuid}/pod` });
  return found;
}

/** Pods for targets that know images only. */
import { type Context, note } from '../../formats/base/context.ts';
import type { Item, Storable } from '../../formats/model/image.ts';
import { imagesOfPod, type Pod } from '../../formats/model/pod.ts';

/** The images of each pod in its place, as they are on their own, with a note for each thing that only the pod says. */
export const withoutPods = (items: readonly Item[], context: Context): readonly Storable[] =>
  items.flatMap((item) => (item.kind === 'pod' ? images(item, context) : [item]));

function images(pod: Pod, context: Context): readonly Storable[] {
  const lost = (what: string, ...at: readonly string[]): void =>
    note(context, 'dropped', `${what} (a bundle and --to kube keep it)`, 'pod', ...at);
  lost('the apps of the pod become images that nothing holds together');
  for (const { name, replaced, mounts, readOnlyRoot, annotations } of pod.apps) {
    if (replaced) lost('the app that the pod has in the place of the one in the image is lost', name);
    if (mounts.length) lost(`the mounts of ${mounts.map(({ volume }) => volume).join(', ')} are lost`, name);
    if (readOnlyRoot) lost('that the root filesystem is to be read only is lost', name);
    if (annotations.size) lost('the annotations of the app are lost', name);
  }
  if (pod.annotations.size) lost('the annotations of the pod are lost');
  if (pod.ports.length) lost('the ports of the host that lead to the pod are lost');
  return imagesOfPod(pod);
}

/**
 * History in step with the layers: the specification wants one step for each layer among those that are not marked empty, and
 * readers pair the two. Several builders get it wrong.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties
 */
import { type Context, note } from '../../formats/base/context.ts';
import type { HistoryStep, Image } from '../../formats/model/image.ts';

/** The image's own history where it fits; otherwise the steps that can be told apart, and a note of what was mended. */
export function fittingHistory(image: Image, layers: number, context: Context): readonly HistoryStep[] {
  const { history } = image;
  const full = history.filter(({ emptyLayer }) => !emptyLayer).length;
  if (!history.length || full === layers) return history;
  const name = image.names[0] ?? 'image';
  if (full < layers) {
    note(
      context,
      'repaired',
      `history has ${full} steps with a layer for ${layers} layers; steps without a record stand for the lowest ones`,
      name,
      'history',
    );
    return [
      ...Array.from({ length: layers - full }, () => ({ comment: 'not recorded', emptyLayer: false })),
      ...history,
    ];
  }
  const marked = markMetadata(history, full - layers);
  if (marked) {
    note(
      context,
      'repaired',
      `${full - layers} steps of the history that only set metadata are marked as such`,
      name,
      'history',
    );
    return marked;
  }
  note(
    context,
    'dropped',
    `history has ${full} steps with a layer for ${layers} layers, and nothing tells which is which`,
    name,
    'history',
  );
  return [];
}

/** Commands of the classic builder that change no file say so with `#(nop)`; ADD and COPY say it too, and do. */
function markMetadata(history: readonly HistoryStep[], surplus: number): readonly HistoryStep[] | undefined {
  const isMetadata = ({ createdBy = '', emptyLayer }: HistoryStep): boolean =>
    !emptyLayer && /#\(nop\)\s+(?!ADD|COPY)/.test(createdBy);
  if (history.filter(isMetadata).length !== surplus) return undefined;
  return history.map((step) => (isMetadata(step) ? { ...step, emptyLayer: true } : step));
}

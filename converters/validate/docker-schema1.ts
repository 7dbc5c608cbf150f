/**
 * Manifests of Docker's schema 1, newest layer first.
 * https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md
 */
import type { Json } from '../../formats/json/parse.ts';
import { shown } from './findings.ts';
import { type Found, isObject, listOf, member } from './shape.ts';
import { isDigestText } from './texts.ts';

const ID = /^[a-f0-9]{64}$/;

export function checkSchema1(value: Json, found: Found): void {
  if (!isObject(value)) return found('', `${shown(value)} is not an object`, 'docker/schema-1');
  if (member(value, 'schemaVersion') !== 1) found('/schemaVersion', 'it is not 1', 'docker/schema-1');
  for (const name of ['manifests', 'layers', 'config'])
    if (Object.hasOwn(value, name))
      found(
        `/${name}`,
        `a manifest of schema 1 must not have ${name}: it could be taken for something else`,
        'oci/type-confusion',
      );
  const layers = listOf(member(value, 'fsLayers'));
  const history = listOf(member(value, 'history'));
  if (!layers.length) found('/fsLayers', 'there is no layer', 'docker/schema-1');
  if (layers.length !== history.length)
    found('/history', `there are ${history.length} entries for ${layers.length} layers`, 'docker/schema-1');
  for (const [number, layer] of layers.entries()) {
    const sum = member(layer, 'blobSum');
    if (typeof sum !== 'string' || !isDigestText(sum))
      found(`/fsLayers/${number}/blobSum`, `${shown(sum)} is not a digest`, 'docker/schema-1');
  }
  checkChain(history, found);
  found('', 'registries of today refuse it', 'docker/schema-1-deprecated');
}

interface Step {
  readonly id: Json | undefined;
  readonly parent: Json | undefined;
}

function checkChain(history: readonly Json[], found: Found): void {
  const steps = history.map((entry, number) => stepOf(entry, number, found));
  const met = new Set<Json | undefined>();
  for (const [number, step] of steps.entries()) {
    const below = steps[number + 1];
    const at = `/history/${number}/v1Compatibility`;
    if (!step) continue;
    // Some registries repeat the entry of a layer in a row.
    const repeated = number > 0 && steps[number - 1]?.id === step.id;
    if (met.has(step.id) && !repeated) found(at, `${shown(step.id)} comes twice`, 'docker/schema-1');
    met.add(step.id);
    if (below && below.id !== step.id && step.parent !== below.id)
      found(at, `the parent ${shown(step.parent)} is not the next entry`, 'docker/schema-1');
    if (!below && number === steps.length - 1 && step.parent)
      found(at, `the last entry has a parent, ${shown(step.parent)}`, 'docker/schema-1');
  }
}

/** A document inside a string; it is small, and its own JSON. */
function stepOf(entry: Json, number: number, found: Found): Step | undefined {
  const text = member(entry, 'v1Compatibility');
  const at = `/history/${number}/v1Compatibility`;
  let value: Json | undefined;
  try {
    value = typeof text === 'string' ? (JSON.parse(text) as Json) : undefined;
  } catch {
    value = undefined;
  }
  if (!isObject(value)) {
    found(at, `${shown(text)} is not an object as JSON`, 'docker/schema-1');
    return undefined;
  }
  const id = member(value, 'id');
  if (typeof id !== 'string' || !ID.test(id)) found(at, `${shown(id)} is not the id of a layer`, 'docker/schema-1');
  return { id, parent: member(value, 'parent') };
}

/**
 * What a single document of an image must be, beyond its form: of one kind, of the one that its descriptor names, and in step with the
 * documents it belongs to. Pure: a value goes in, findings come out.
 */
import type { Json } from '../../formats/json/parse.ts';
import { isConfigType, layerType, MEDIA, REF_NAME } from '../../formats/model/media-types.ts';
import type { AnnotationPlace } from './annotations.ts';
import { shown } from './findings.ts';
import { config, index, manifest } from './image-shapes.ts';
import type { RuleId } from './rules/index.ts';
import { type Found, isObject, type JsonMap, listOf, member, pointerTo, type Report } from './shape.ts';

export const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
/** As many as engines stack. */
const MOST_LAYERS = 125;

/** Fills in the rule of a document's form where a shape names none. */
export const formOf =
  (rule: RuleId, found: Found): Report =>
  (pointer, message, own = rule) =>
    found(pointer, message, own);

/**
 * @param described the media type that the document's descriptor names, if one does
 * @param place `index.json` where names in it count
 */
export function checkIndex(
  value: Json,
  { described, place }: { readonly described: string | undefined; readonly place: AnnotationPlace },
  found: Found,
): void {
  index(place)(value, '', formOf('oci/index-form', found));
  if (!isObject(value)) return;
  checkKind(value, 'an index', ['layers', 'config', 'fsLayers'], found);
  const type = described === MEDIA.dockerList ? MEDIA.dockerList : MEDIA.index;
  checkOwnType(value, { type, described, rule: 'oci/index-media-type', given: 'oci/index-media-type-given' }, found);
  if (place === 'index.json') checkNames(listOf(member(value, 'manifests')), found);
}

export function checkManifest(value: Json, described: string | undefined, found: Found): void {
  manifest(value, '', formOf('oci/manifest-form', found));
  if (!isObject(value)) return;
  checkKind(value, 'a manifest', ['manifests', 'fsLayers'], found);
  const docker =
    described === MEDIA.dockerManifest || (!described && member(value, 'mediaType') === MEDIA.dockerManifest);
  const type = docker ? MEDIA.dockerManifest : MEDIA.manifest;
  checkOwnType(
    value,
    { type, described, rule: 'oci/manifest-media-type', given: 'oci/manifest-media-type-given' },
    found,
  );
  const configType = member(member(value, 'config'), 'mediaType');
  if (configType === EMPTY_TYPE && member(value, 'artifactType') === undefined)
    found(
      '',
      'the configuration is the empty one, and nothing says of which type the artifact is',
      'oci/manifest-artifact-type',
    );
  checkLayerTypes(value, configType, found);
}

export function checkConfig(value: Json, found: Found): void {
  config(value, '', formOf('oci/config-form', found));
  if (!isObject(value)) return;
  const history = member(value, 'history');
  const diffIds = member(member(value, 'rootfs'), 'diff_ids');
  if (!Array.isArray(history) || !Array.isArray(diffIds)) return;
  const steps = history.filter((step: Json) => member(step, 'empty_layer') !== true).length;
  if (history.length > 0 && steps !== diffIds.length) {
    found(
      '/history',
      `${steps} entries of history have a layer, and rootfs.diff_ids has ${diffIds.length}`,
      'oci/config-history',
    );
  }
}

/** Each of an image's layers has its entry among the diffIDs, whatever its type. */
export function checkLayerCount(manifest: Json, config: Json, found: Found): void {
  const layers = member(manifest, 'layers');
  const diffIds = member(member(config, 'rootfs'), 'diff_ids');
  if (!Array.isArray(layers) || !Array.isArray(diffIds) || layers.length === diffIds.length) return;
  found('/rootfs/diff_ids', `there are ${diffIds.length} diffIDs for ${layers.length} layers`, 'oci/config-layers');
}

/** What a descriptor promises of the platform, against what the image says. A variant that one of the two leaves out is no contradiction. */
export function checkPlatform(descriptor: Json, config: Json, found: Found): void {
  const promised = member(descriptor, 'platform');
  for (const name of ['os', 'architecture', 'variant', 'os.version']) {
    const [wanted, own] = [member(promised, name), member(config, name)];
    if (typeof wanted !== 'string' || typeof own !== 'string' || wanted === own || !wanted || !own) continue;
    found(
      `/platform/${name}`,
      `the descriptor says ${shown(wanted)}, the configuration ${shown(own)}`,
      'oci/platform-config',
    );
  }
}

/** A document that could be taken for another kind is two documents to two readers. */
function checkKind(value: JsonMap, what: string, foreign: readonly string[], found: Found): void {
  for (const name of foreign) {
    if (Object.hasOwn(value, name))
      found(`/${name}`, `${what} must not have ${name}: it could be taken for something else`, 'oci/type-confusion');
  }
}

interface OwnType {
  /** What the document has to call itself. */
  readonly type: string;
  readonly described: string | undefined;
  readonly rule: RuleId;
  readonly given: RuleId;
}

function checkOwnType(value: JsonMap, { type, described, rule, given }: OwnType, found: Found): void {
  const own = member(value, 'mediaType');
  if (own === undefined) return found('', 'mediaType is missing', given);
  if (typeof own !== 'string' || own === type) return;
  const families: readonly (readonly string[])[] = [
    [MEDIA.index, MEDIA.dockerList],
    [MEDIA.manifest, MEDIA.dockerManifest],
  ];
  const alike = families.some((family) => family.includes(own) && family.includes(type));
  if (described !== undefined && own !== described && !alike)
    return found(
      '/mediaType',
      `the descriptor says ${shown(described)}, the document ${shown(own)}`,
      'oci/type-confusion',
    );
  found('/mediaType', `${shown(own)} is not ${shown(type)}`, rule);
}

function checkLayerTypes(value: JsonMap, configType: Json | undefined, found: Found): void {
  const layers = member(value, 'layers');
  if (!Array.isArray(layers)) return;
  if (layers.length === 0) found('/layers', 'there is no layer', 'oci/manifest-layers-some');
  if (layers.length > MOST_LAYERS)
    found('/layers', `${layers.length} layers are more than engines stack`, 'oci/manifest-layers-count');
  if (typeof configType !== 'string' || !isConfigType(configType)) return;
  for (const [number, layer] of (layers as readonly Json[]).entries()) {
    const type = member(layer, 'mediaType');
    if (typeof type !== 'string') continue;
    const known = layerType(type);
    const at = pointerTo(pointerTo('/layers', number), 'mediaType');
    const own = member(value, 'mediaType') === MEDIA.dockerManifest ? known : known?.native;
    if (!own && !isAttestation(type))
      found(at, `${shown(type)} is no media type of layers`, 'oci/manifest-layers-media-type');
    if (known?.foreign) found(at, `${shown(type)} is deprecated`, 'oci/manifest-nondistributable');
  }
}

/** What BuildKit keeps beside an image is an image in name only. */
const isAttestation = (type: string): boolean => type === 'application/vnd.in-toto+json';

/** Two images of one name are fine where they are for different platforms. */
function checkNames(descriptors: readonly Json[], found: Found): void {
  const met = new Map<string, Json | undefined>();
  for (const [number, descriptor] of descriptors.entries()) {
    const name = member(member(descriptor, 'annotations'), REF_NAME);
    if (typeof name !== 'string') continue;
    const platform = member(descriptor, 'platform');
    const key = JSON.stringify([name, isObject(platform) ? Object.entries(platform).toSorted() : null]);
    const digest = member(descriptor, 'digest');
    if (met.has(key) && met.get(key) !== digest)
      found(pointerTo('/manifests', number), `${shown(name)} already names another image`, 'oci/name-twice');
    met.set(key, digest);
  }
}

/** The manifest of an App Container Image: the one that the image came with, or one that says what its configuration says. */
import { manifestFor } from '../../formats/appc/manifest-for.ts';
import { dockerNameOf, type ImageName, nameOfReference } from '../../formats/appc/naming.ts';
import { sameManifest } from '../../formats/appc/same-manifest.ts';
import { type Context, checkAbort, note } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { type Digest, digestOf, hexOf, newHash } from '../../formats/bytes/digest.ts';
import { printable } from '../../formats/bytes/text.ts';
import { jsonBytes } from '../../formats/json/write.ts';
import { type Platform, platformText } from '../../formats/model/config.ts';
import { annotationsOf } from '../../formats/model/descriptor.ts';
import type { Image } from '../../formats/model/image.ts';
import type { Layer } from '../../formats/model/layer.ts';
import { type ResolvedUser, resolveUser } from '../runtime/user.ts';
import type { AciTree } from './aci-tree.ts';
import { manifestAnnotations } from './oci-documents.ts';

/** After docker2aci, always with a registry; or as the reference is written. */
export type AciNaming = 'docker2aci' | 'reference';

/** @throws OcixError format/unsupported for what no ACI can be for */
export function aciManifest(image: Image, tree: AciTree, { name, reference }: NamedAci, context: Context): Uint8Array {
  const { config, original } = image;
  const same = sameManifest({ config, root: tree, reference, name }, context);
  if (same) return same;
  const { config: document, manifest } = original;
  return jsonBytes(
    manifestFor(
      {
        name,
        config: { ...config, platform: wholePlatform(image, context) },
        user: appUser(image, tree, context),
        annotations: annotationsBeside(image),
        docker: document && { reference, imageId: document.digest, manifest: manifest?.digest },
      },
      context,
    ),
  );
}

/** Both parts, or none: an image that says neither is for any machine. */
function wholePlatform({ config: { platform }, names }: Image, context: Context): Platform {
  const { host } = context;
  const { os, architecture } = platform;
  if ((os === undefined) === (architecture === undefined)) return platform;
  const whole = { ...platform, os: os ?? host.os, architecture: architecture ?? host.architecture };
  const message = `the source does not say all of its platform; ${platformText(whole)} is written (--platform says otherwise)`;
  note(context, 'guessed', message, names[0] ?? 'image');
  return whole;
}

export interface NamedAci {
  readonly name: ImageName;
  readonly reference: string | undefined;
}

/** The first of an image's names is what it is called; the others are noted. */
export async function nameFor(image: Image, naming: AciNaming, context: Context): Promise<NamedAci> {
  const [first, ...others] = image.names;
  for (const other of others)
    note(context, 'dropped', `an ACI has one name: ${printable(other)} is left out`, first ?? 'image');
  if (first === undefined) return { name: await substituteName(image, context), reference: undefined };
  const reference = fullReference(image, first);
  const name = (naming === 'docker2aci' ? dockerNameOf : nameOfReference)(reference);
  if (name.substitute) {
    const message = `${printable(reference)} cannot be a name of an ACI; the image is called ${name.name}`;
    note(context, 'repaired', message, reference);
  }
  return { name, reference };
}

/** Where a layout has the tag alone, Docker and containerd keep the whole name beside it. */
function fullReference({ original }: Image, name: string): string {
  const full = annotationsOf(original.descriptor)['io.containerd.image.name'];
  return full?.endsWith(`:${name}`) ? full : name;
}

/** After what is in it, so that two images never have one name. */
async function substituteName({ original, layers }: Image, context: Context): Promise<ImageName> {
  const ids: Digest[] = [];
  if (!original.config) for (const layer of layers) ids.push(await diffIdOf(layer, context));
  const id = original.config?.digest ?? digestOf(jsonBytes(ids));
  const name = `image-${hexOf(id).substring(0, 12)}`;
  note(
    context,
    'defaulted',
    `the image has no name, and an ACI must have one: it is called ${name} (--ref says otherwise)`,
  );
  return { name, version: undefined, substitute: true };
}

/** Of a layer whose source promises none it costs reading the layer. */
export async function diffIdOf(layer: Layer, context: Context): Promise<Digest> {
  if (layer.diffId) return layer.diffId;
  const hash = newHash('sha256');
  for await (const chunk of layer.open(context)) {
    checkAbort(context);
    hash.update(chunk);
  }
  return hash.digest();
}

function annotationsBeside({ annotations, original: { manifest } }: Image): ReadonlyMap<string, string> {
  return annotations ?? new Map(Object.entries((manifest && manifestAnnotations(manifest)) ?? {}));
}

/**
 * An ACI states the group, and the supplementary ones. Docker leaves them to the user database, so they are looked up there: docker2aci called the
 * group like the user, which is another group in most images, or none.
 */
function appUser({ config }: Image, tree: AciTree, context: Context) {
  const { user: text = '', supplementaryGroups } = config;
  const [user = '', group] = text.split(':');
  if (user === '') return { user: '0', group: group || '0', supplementaryGids: supplementaryGroups ?? [] };
  const resolved = resolvedUser(text, tree, context);
  const supplementaryGids = supplementaryGroups ?? resolved?.groups ?? [];
  if (group !== undefined && group !== '') return { user, group, supplementaryGids };
  if (!resolved) return { user, group: user, supplementaryGids };
  // By its own name where that leads to the same group, as docker2aci has it.
  const sameName = resolvedUser(`${user}:${user}`, tree, undefined)?.gid === resolved.gid;
  return { user, group: sameName ? user : String(resolved.gid), supplementaryGids };
}

function resolvedUser(text: string, tree: AciTree, context: Context | undefined): ResolvedUser | undefined {
  try {
    return resolveUser(text, tree.file);
  } catch (error) {
    if (!(error instanceof OcixError)) throw error;
    if (context) note(context, 'guessed', `${error.message}; it is written as it is`, ...error.at);
    return undefined;
  }
}

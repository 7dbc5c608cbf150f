/**
 * The manifest that an image was made from, where its labels still have it and its configuration still says the same: then it is the
 * manifest of the ACI that is made from the image, byte for byte if nothing has to change. An image that somebody built on top of another has
 * the other's labels, so labels alone prove nothing.
 */
import { type Context, createContext } from '../base/context.ts';
import { noteList } from '../base/notes.ts';
import { utf8Bytes } from '../bytes/text.ts';
import type { Json } from '../json/parse.ts';
import { jsonBytes } from '../json/write.ts';
import type { ImageConfig } from '../model/config.ts';
import { sameForm } from '../model/reference.ts';
import { configOf, PREFIX, referencesOf } from './config.ts';
import { type ImageManifest, parseImageManifest, parseManifestJson } from './manifest.ts';
import type { ImageName } from './naming.ts';
import type { UserSource } from './users.ts';

export interface SameManifestRequest {
  readonly config: ImageConfig;
  readonly root: UserSource;
  /** What the image is called now, where it has a name. */
  readonly reference: string | undefined;
  readonly name: ImageName;
}

/** Without dependencies and `pathWhitelist`, which say how a tree is put together. */
export function sameManifest(request: SameManifestRequest, context: Context): Uint8Array | undefined {
  const text = request.config.labels.get(`${PREFIX}manifest`);
  const imageId = request.config.labels.get(`${PREFIX}image-id`);
  if (text === undefined || imageId === undefined) return undefined;
  const manifestBytes = utf8Bytes(text);
  const notes = noteList();
  const quiet = createContext({ limits: context.limits, signal: context.signal, notes });
  try {
    const manifest = parseImageManifest(manifestBytes, quiet);
    // What had to be mended on the way in is not written again.
    if (notes.all().length) return undefined;
    const before = configOf({ manifest, manifestBytes, imageId }, request.root, quiet);
    return saysTheSame(before, request.config) ? forNow(manifestBytes, manifest, request, quiet) : undefined;
  } catch {
    return undefined; // a label can be anything; whatever is wrong with it, the configuration is there
  }
}

/** What only an OCI image has is no contradiction, and neither is a platform that the manifest leaves open. */
function saysTheSame(before: ImageConfig, now: ImageConfig): boolean {
  const { os, architecture, variant } = before.platform;
  const is = now.platform;
  if (os !== undefined && os !== is.os) return false;
  if (architecture !== undefined && architecture !== is.architecture) return false;
  if (variant !== undefined && is.variant !== undefined && variant !== is.variant) return false;
  return JSON.stringify(canonical(before)) === JSON.stringify(canonical(now));
}

const canonical = (config: ImageConfig): Json => [
  config.created ?? null,
  config.author ?? null,
  config.entrypoint,
  config.cmd,
  config.env,
  config.user ?? null,
  config.workingDir ?? null,
  config.exposedPorts.toSorted(),
  config.volumes.toSorted(),
  [...config.labels].sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => [...pair]),
];

function forNow(
  bytes: Uint8Array,
  manifest: ImageManifest,
  { reference, name }: SameManifestRequest,
  context: Context,
): Uint8Array {
  const own = referencesOf(manifest, context);
  const renamed =
    reference !== undefined && !own.some((one) => sameForm(one) === sameForm(reference)) && own.length > 0;
  const whole = !renamed && !manifest.dependencies.length && !manifest.pathWhitelist;
  if (whole) return bytes;
  const members = parseManifestJson(bytes, context) as { readonly [name: string]: Json };
  const kept = Object.entries(members).filter(([key]) => !DROPPED.has(key.toLowerCase()));
  if (!renamed) return jsonBytes(Object.fromEntries(kept));
  const others = kept.filter(([key]) => !IDENTITY.has(key.toLowerCase()));
  const labels = new Map([...manifest.labels].filter(([label]) => label !== 'version'));
  if (name.version !== undefined) labels.set('version', name.version);
  return jsonBytes({
    ...Object.fromEntries(others),
    name: name.name,
    labels: [...labels].map(([label, value]) => ({ name: label, value })),
  });
}

const DROPPED = new Set(['dependencies', 'pathwhitelist']);
const IDENTITY = new Set(['name', 'labels']);

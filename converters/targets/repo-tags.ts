/**
 * Names as Docker takes them: `RepoTags` holds `NAME:TAG` and nothing else, and one name that does not fit makes `docker load` refuse the
 * whole archive.
 * https://github.com/distribution/reference/blob/v0.6.0/reference.go
 */
import { type Context, note } from '../../formats/base/context.ts';
import { annotationsOf } from '../../formats/model/descriptor.ts';
import type { Image } from '../../formats/model/image.ts';

const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const HOST = `(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?`;
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const NAME = new RegExp(
  `^(?<repository>(?:(?<host>${HOST})/)?${PART}(?:/${PART})*)(?::(?<tag>${TAG}))?(?<digest>@[A-Za-z0-9+._-]+:[0-9A-Fa-f]{32,})?$`,
);
const MOST = 255;

interface DockerName {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Undefined where Docker would not take it. */
function parseName(text: string): DockerName | undefined {
  const { repository = '', host, tag, digest } = NAME.exec(text)?.groups ?? {};
  if (!repository || repository.length > MOST) return undefined;
  // Docker takes 64 hexadecimal digits for an image id.
  if (/^[0-9a-f]{64}$/.test(repository)) return undefined;
  // What stands before the first slash is a host only if it looks like one; otherwise it is a part, and parts are lower case.
  if (host && !/[.:]|^localhost$|[A-Z]/.test(host) && !new RegExp(`^${PART}$`).test(host)) return undefined;
  return { repository, tag, digest };
}

/** The tags for an image of these names, each once, in their order. What cannot be kept of a name is noted. */
export function repoTags(image: Image, names: readonly string[], context: Context): readonly string[] {
  return [...new Set(names.flatMap((name) => tagOf(fullName(image, name), context)))];
}

/**
 * Docker and containerd call an image by its tag alone in `ref.name`, and keep the whole name beside it.
 * https://github.com/containerd/containerd/blob/v2.0.0/core/images/annotations.go
 */
function fullName(image: Image, name: string): string {
  const full = annotationsOf(image.original.descriptor)['io.containerd.image.name'];
  return full?.endsWith(`:${name}`) && parseName(full) ? full : name;
}

function tagOf(name: string, context: Context): readonly string[] {
  const parsed = parseName(name);
  if (!parsed) {
    note(context, 'dropped', `${name} does not fit Docker’s grammar of names, so the image goes without it`, name);
    return [];
  }
  const { repository, tag, digest } = parsed;
  if (digest) {
    const rest = tag ? 'the digest is left out' : 'the image goes without this name';
    note(context, 'dropped', `${name} has a digest, which a docker archive cannot say: ${rest}`, name);
    if (!tag) return [];
  }
  if (!tag) note(context, 'defaulted', `${name} has no tag, so it is written as ${repository}:latest`, name);
  return [`${repository}:${tag ?? 'latest'}`];
}

/** `repositories`: what is called how, as Docker writes it since version 25, with the topmost layer for the image. */
export function repositoriesOf(
  images: readonly { readonly tags: readonly string[]; readonly top: string }[],
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  // Without a prototype: a repository may be called `constructor`, a tag `__proto__`.
  const found: Record<string, Record<string, string>> = Object.create(null);
  for (const { tags, top } of images) {
    for (const one of tags) {
      const colon = one.lastIndexOf(':');
      const repository = one.slice(0, colon);
      found[repository] ??= Object.create(null) as Record<string, string>;
      found[repository][one.slice(colon + 1)] = top;
    }
  }
  return found;
}

/**
 * What an image is to be called: references are Docker's or OCI's, names here are identifiers of lower-case letters, digits and a few
 * signs. Two references never become one name: what cannot be said as it is gets a part of its own digest behind it.
 * https://github.com/appc/spec/blob/v0.8.11/spec/types.md#ac-identifier-type
 */
import { digestOf, hexOf } from '../bytes/digest.ts';
import { utf8Bytes, withoutEnds } from '../bytes/text.ts';
import { isIdentifier } from './types.ts';

export interface ImageName {
  readonly name: string;
  /** The label `version`. */
  readonly version: string | undefined;
  /** The name is not what the reference says. */
  readonly substitute: boolean;
}

/** A reference in the parts that docker2aci's annotations know. */
export interface DockerReference {
  readonly registry: string;
  /** With `library/` in front where Docker's own registry leaves it out. */
  readonly repository: string;
  readonly tag: string;
}

/** How docker2aci calls Docker's own registry. */
export const DOCKER_HUB = 'registry-1.docker.io';

interface Parts {
  readonly repository: string;
  readonly tag: string | undefined;
}

function partsOf(reference: string): Parts {
  const [whole = ''] = reference.split('@');
  const colon = whole.lastIndexOf(':');
  return colon > 0 && !whole.includes('/', colon)
    ? { repository: whole.substring(0, colon), tag: whole.substring(colon + 1) || undefined }
    : { repository: whole, tag: undefined };
}

/** A reference as it is written, without a registry where it has none. */
export function nameOfReference(reference: string): ImageName {
  const { repository, tag } = partsOf(reference);
  return { ...identifierFor(repository), version: tag };
}

/** The name that docker2aci gives: always with a registry, and `latest` where there is no tag. */
export function dockerNameOf(reference: string): ImageName {
  const { registry, repository, tag } = dockerReference(reference);
  return { ...identifierFor(`${registry}/${repository}`), version: tag };
}

export function dockerReference(reference: string): DockerReference {
  const { repository, tag = 'latest' } = partsOf(reference);
  const slash = repository.indexOf('/');
  const first = repository.substring(0, Math.max(0, slash));
  const host = /[.:]|^localhost$/.test(first) ? first : undefined;
  const path = host === undefined ? repository : repository.substring(slash + 1);
  if (host !== undefined && !/^(?:(?:index|registry-1)\.)?docker\.io$/.test(host))
    return { registry: host, repository: path, tag };
  return { registry: DOCKER_HUB, repository: path.includes('/') ? path : `library/${path}`, tag };
}

/** A registry's port and the case of its host can be told apart from everything else, and are no loss. */
function identifierFor(repository: string): Pick<ImageName, 'name' | 'substitute'> {
  const slash = repository.indexOf('/');
  const first = repository.substring(0, Math.max(0, slash));
  const host = /[.:]/.test(first) ? first.toLowerCase().replace(/:([0-9]+)$/, '_$1') : first;
  const plain = host + repository.substring(first.length);
  if (isIdentifier(plain)) return { name: plain, substitute: false };
  const near = withoutEnds(plain.toLowerCase().replace(/[^a-z0-9\-._~/]/g, '_'), '-._~/');
  return { name: `${near || 'image'}-${hexOf(digestOf(utf8Bytes(repository))).substring(0, 8)}`, substitute: true };
}

/** The file that docker2aci writes for a reference: `library-busybox-latest.aci`. */
export function dockerFileName(reference: string): string {
  const { repository, tag } = dockerReference(reference);
  return `${`${repository}-${tag}`.replace(/[^A-Za-z0-9._-]/g, '-')}.aci`;
}

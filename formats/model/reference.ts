/**
 * References of images: what Docker calls `NAME:TAG`, and what a layout keeps in `org.opencontainers.image.ref.name`.
 * https://github.com/distribution/reference/blob/v0.6.0/reference.go
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys
 */
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';

const DOCKER =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@[a-z0-9]+:[0-9a-f]{32,})?$/;
const OCI = /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/;
const MOST = 512;

/** Whether Docker takes a text for the name of an image. */
export const isDockerReference = (text: string): boolean => text.length <= MOST && DOCKER.test(text);

/** Whether a text can name an image: by Docker's grammar, or by that of `ref.name`. */
export const isReference = (text: string): boolean => text.length <= MOST && (DOCKER.test(text) || OCI.test(text));

/** @throws OcixError image/reference */
export function checkReference(text: string, ...at: readonly string[]): string {
  if (isReference(text)) return text;
  throw new OcixError('image/reference', `${JSON.stringify(printable(text.slice(0, 100)))} cannot name an image`, {
    at,
    expected: 'a name such as example.com/team/app:1.0',
    hint: 'Give the image another name with --ref, after choosing it by its place (:@0).',
  });
}

/** The same name in one form: Docker's default registry, its default folder and the default tag count as unsaid. */
export function sameForm(name: string): string {
  const short = name.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '');
  const last = short.slice(short.lastIndexOf('/') + 1);
  return short.includes('@') || last.slice(0, -1).includes(':') ? short : `${short}:latest`;
}

/** A Docker reference with everything said: what stands before the first slash is a registry where it looks like one, and otherwise it is Docker's own. */
export function canonicalName(name: string): string {
  const tagged = /:[^/]+$|@/.test(name) ? name : `${name}:latest`;
  const slash = tagged.indexOf('/');
  const first = tagged.substring(0, Math.max(0, slash));
  if (/[.:A-Z]|^localhost$/.test(first)) return tagged;
  return `docker.io/${slash < 0 ? 'library/' : ''}${tagged}`;
}

/** Digits that tell two images of one name apart. */
const APART = 12;

/** A name for an image whose own name another one has. @param digits of what the image is known by; the first of them count */
export const nameApart = (name: string, digits: string): string =>
  `${name}${/:[^/]*$/.test(name) ? '-' : ':'}${digits.slice(0, APART)}`;

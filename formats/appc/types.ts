/**
 * The simple types of the App Container specification.
 * https://github.com/appc/spec/blob/v0.8.11/spec/types.md
 *
 * The reference parser is looser than the text (`a--b` passes it), and images exist that only it accepts; names are judged
 * as it judges them. A stricter verdict is the validator's.
 */
import { withoutEnds } from '../bytes/text.ts';

const IDENTIFIER = /^[a-z0-9]([a-z0-9\-._~/]*[a-z0-9])?$/;
const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** Names of images and labels. */
export const isIdentifier = (text: string): boolean => IDENTIFIER.test(text);
/** Names of mount points, ports, volumes and apps. */
export const isName = (text: string): boolean => NAME.test(text);

export const isEnvironmentName = (text: string): boolean => /^[A-Za-z_][A-Za-z_0-9.-]*$/.test(text);

/** The length is left open, since shorter ids are prefixes. What is no digest is the id of no image, and is missed by its name. */
export const isImageId = (text: string): boolean => /^sha512-[^-]+$/.test(text);

/** SemVer 2.0.0 without 0.0.0. https://semver.org/spec/v2.0.0.html */
export const isVersion = (text: string): boolean =>
  /^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/.test(text) &&
  !text.startsWith('0.0.0');

/** The nearest name that an app may have. */
export function nameFrom(text: string): string {
  return withoutEnds(text.toLowerCase().replace(/[^a-z0-9-]/g, '-'), '-') || 'app';
}

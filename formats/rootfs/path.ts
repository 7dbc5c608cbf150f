/**
 * Paths of entries inside a root. A clean path has no leading or trailing slash, no empty part, no `.` and no `..`; the
 * root itself is the empty path. Clean paths are binary strings (one character a byte), so comparing them compares bytes.
 */
import { OcixError } from '../base/errors.ts';
import { binaryString, fromBinaryString, lossyUtf8, printable } from '../bytes/text.ts';

export interface CleanPath {
  readonly path: string;
  /** It was absolute, or had `..` in it, and now stays inside the root. */
  readonly changed: boolean;
}

/** Takes a name as it stands in an archive into the root: `/a`, `./a` and `../../a` all are `a`. */
export function cleanPath(name: Uint8Array): CleanPath {
  return cleanText(binaryString(name));
}

export function cleanText(name: string): CleanPath {
  if (isClean(name)) return { path: name, changed: false };
  const parts: string[] = [];
  let changed = name.startsWith('/');
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else {
      changed = true;
      parts.pop();
    }
  }
  return { path: parts.join('/'), changed };
}

const isClean = (name: string): boolean => name !== '' && !/^\/|\/$|\/\/|(^|\/)\.{1,2}(\/|$)/.test(name);

/** The longest name of one part, and of a whole path, that Linux takes; see `NAME_MAX` and `PATH_MAX` in limits.h. */
export const NAME_MAX = 255;
export const PATH_MAX = 4096;

/** How a path is shown to a person: never with control characters. */
export const shownPath = (path: string): string => printable(lossyUtf8(fromBinaryString(path))) || '.';

export const parentOf = (path: string): string => {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
};

export const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const joinPath = (folder: string, name: string): string => (folder ? `${folder}/${name}` : name);

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';

export type Whiteout =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'opaque'; readonly folder: string }
  | { readonly kind: 'leftover' };

/**
 * Reads a whiteout. What AUFS kept at the root of its branches (`.wh..wh.aufs`, `.wh..wh.plnk/…`, `.wh..wh.orph`) was never
 * part of the file system.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 *
 * @throws OcixError path/invalid for a whiteout without a name, or of `.` or `..`
 */
export function whiteoutOf(path: string): Whiteout | undefined {
  if (path.startsWith('.wh..wh.') && path !== OPAQUE) return { kind: 'leftover' };
  const name = baseOf(path);
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { kind: 'opaque', folder: parentOf(path) };
  const target = name.slice(PREFIX.length);
  if (target === '' || target === '.' || target === '..') {
    throw new OcixError(
      'path/invalid',
      `${shownPath(path)} is a whiteout of nothing, of a folder itself or of its parent`,
      {
        hint: 'No builder writes such a layer; do not trust this image.',
      },
    );
  }
  return { kind: 'path', path: joinPath(parentOf(path), target) };
}

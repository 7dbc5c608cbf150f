/** Recognising an App Container Image by the first names in its tar. https://github.com/appc/spec/blob/v0.8.11/spec/aci.md#image-layout */

import { looksLikeTar } from '../archive/open.ts';
import { OcixError } from '../base/errors.ts';
import { DEFAULT_LIMITS } from '../base/limits.ts';
import { binaryString } from '../bytes/text.ts';
import type { Bid } from '../model/reader.ts';
import { tarScanner } from '../tar/scanner.ts';

/** @param head the first bytes of the uncompressed content */
export function recogniseImage(head: Uint8Array): Bid | undefined {
  if (!looksLikeTar(head.subarray(0, 512))) return undefined;
  const names = firstNames(head);
  const title = 'App Container Image';
  if (names.has('manifest')) return { confidence: 90, reason: 'manifest at the top', title };
  // A tar of something else may have a rootfs in it too: a runtime bundle, for one.
  if (names.size === 1 && names.has('rootfs'))
    return { confidence: 60, reason: 'rootfs at the top, and nothing beside it', title };
  return undefined;
}

/** The top of each name, as far as the head reaches. */
function firstNames(head: Uint8Array): ReadonlySet<string> {
  const names = new Set<string>();
  const scanner = tarScanner(DEFAULT_LIMITS, {
    entry(entry) {
      const [top] = binaryString(entry.path)
        .split('/')
        .filter((part) => part !== '' && part !== '.');
      if (top !== undefined) names.add(top);
    },
  });
  try {
    scanner.push(head);
  } catch (error) {
    if (!(error instanceof OcixError)) throw error; // what is wrong behind the first names is found when it is read
  }
  return names;
}

/**
 * Versions of packages, and which of two is later: exactly as dpkg has it.
 * https://manpages.debian.org/bookworm/dpkg-dev/deb-version.7.en.html
 */
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';

export interface Version {
  readonly epoch: number;
  readonly upstream: string;
  /** Empty where there is none, which means the same as `0`. */
  readonly revision: string;
}

const MOST_EPOCH = 2 ** 31 - 1;

/** @throws OcixError debian/version. A version that does not start with a digit passes, as it does with dpkg: `isPolicyVersion` tells */
export function parseVersion(text: string): Version {
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  const epoch = colon < 0 ? '0' : text.slice(0, colon);
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const revision = hyphen < 0 ? '' : rest.slice(hyphen + 1);
  if (!/^[0-9]+$/.test(epoch)) throw invalid(text, 'its epoch is not a number');
  if (Number(epoch) > MOST_EPOCH) throw invalid(text, 'its epoch is too large');
  if (upstream === '') throw invalid(text, 'there is nothing in it');
  if (hyphen >= 0 && revision === '') throw invalid(text, 'its revision is empty');
  if (!/^[A-Za-z0-9.+:~-]*$/.test(upstream)) throw invalid(text, 'there is a character in it that no version has');
  if (!/^[A-Za-z0-9.+~]*$/.test(revision)) throw invalid(text, 'its revision has a character that no revision has');
  return { epoch: Number(epoch), upstream, revision };
}

/** Whether it starts with a digit, as Debian's policy has it; dpkg only warns where it does not. */
export const isPolicyVersion = ({ upstream }: Version): boolean => /^[0-9]/.test(upstream);

const invalid = (text: string, why: string): OcixError =>
  new OcixError('debian/version', `${JSON.stringify(printable(text.slice(0, 100)))} is not a version: ${why}`, {
    expected: '[EPOCH:]VERSION[-REVISION], such as 1:2.36-9+deb12u4',
  });

/** Negative where `a` is earlier, positive where it is later, 0 where they are the same version in different words. */
export const compareVersions = (a: Version, b: Version): number =>
  a.epoch - b.epoch || compareParts(a.upstream, b.upstream) || compareParts(a.revision, b.revision);

/** By stretches of characters and stretches of digits in turn; numbers have no length limit. */
function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const order = orderOf(a, i) - orderOf(b, j);
      if (order) return order;
      i++;
      j++;
    }
    while (a[i] === '0') i++;
    while (b[j] === '0') j++;
    let first = 0;
    for (; isDigit(a, i) && isDigit(b, j); i++, j++) first ||= a.charCodeAt(i) - b.charCodeAt(j);
    if (isDigit(a, i)) return 1;
    if (isDigit(b, j)) return -1;
    if (first) return first;
  }
  return 0;
}

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at); // NaN behind the end
  return code >= 0x30 && code <= 0x39;
};

/** `~` comes before the end, the end and digits before letters, and letters before everything else. */
function orderOf(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (text[at] === '~') return -1;
  return /[A-Za-z]/.test(text[at]!) ? code : code + 256;
}

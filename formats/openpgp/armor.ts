/** ASCII armor, RFC 9580, section 6.2: where blocks begin and end in a text. What is in them is the library's to read. */

/** What stands behind `BEGIN PGP` in an armored block. */
export type ArmorKind = 'SIGNATURE' | 'MESSAGE' | 'PUBLIC KEY BLOCK' | 'PRIVATE KEY BLOCK';

/** The complete blocks of these kinds, in their order, whatever stands between them. Takes time as the text is long. */
export function armored(text: string, kinds: readonly ArmorKind[]): readonly string[] {
  const found: string[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    const start = at + BEGIN.length;
    at = start;
    const kind = kinds.find((one) => text.startsWith(`${one}-----`, start));
    if (!kind) continue;
    const border = `-----END PGP ${kind}-----`;
    const end = text.indexOf(border, start);
    if (end < 0) break;
    at = end + border.length;
    found.push(text.slice(start - BEGIN.length, at));
  }
  return found;
}

const BEGIN = '-----BEGIN PGP ';

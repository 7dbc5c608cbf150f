/** What a package says of itself, for looking at; and what its scripts would have done. */
import { binaryString, fromBinaryString, lossyUtf8 } from '../bytes/text.ts';
import type { PackageFacts } from '../model/image.ts';
import { SCRIPTS, scriptsOf } from './database.ts';
import type { DebPackage } from './package.ts';
import { conffilesOf } from './survey.ts';

export const factsOf = ({ name, versionText, architecture, control, files, data }: DebPackage): PackageFacts => ({
  name,
  version: versionText,
  architecture,
  fields: Object.fromEntries(
    [...control.values()].map(({ name: field, value }) => [field, lossyUtf8(fromBinaryString(value))]),
  ),
  scripts: SCRIPTS.filter((script) => files.has(script)),
  conffiles: conffilesOf(files.get('conffiles')).map(({ path }) => lossyUtf8(fromBinaryString(path))),
  size: data.size,
});

/** Programs that change what other packages brought, or what tar cannot carry. No package states this in any other way. */
const CHANGING = ['dpkg-divert', 'dpkg-statoverride', 'setcap', 'update-alternatives'];

/** Those that the scripts of an installation name. A script decides by itself whether it gets there. */
export function changesOf(one: DebPackage): readonly string[] {
  const text = scriptsOf(one)
    .map((name) => binaryString(one.files.get(name)!).replace(/^[ \t]*#.*$/gm, ''))
    .join('\n');
  return CHANGING.filter((program) => new RegExp(`(?<![\\w-])${program}(?![\\w-])`).test(text));
}

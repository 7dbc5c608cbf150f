/** The control files of a package: fields, versions, relations, scripts. */
import { OcixError } from '../../formats/base/errors.ts';
import { binaryString, strictUtf8 } from '../../formats/bytes/text.ts';
import { fieldOf, parseControl, type Stanza } from '../../formats/debian/control.ts';
import { SCRIPTS } from '../../formats/debian/database.ts';
import { isPackageName, parseRelations } from '../../formats/debian/relation.ts';
import { isPolicyVersion, parseVersion } from '../../formats/debian/version.ts';
import { attemptSync, type Run, shown } from './findings.ts';
import type { RuleId } from './rules/index.ts';

/** A file of the control archive. */
export interface ControlFile {
  readonly bytes: Uint8Array;
  readonly mode: number;
}

const AT = ['control.tar', 'control'];

export function checkControlFiles(files: ReadonlyMap<string, ControlFile>, run: Run): void {
  const control = files.get('control');
  if (control) checkControl(control.bytes, run);
  else run.findings.add('deb/control-missing', ['control.tar'], 'there is no control');
  for (const name of SCRIPTS) {
    const script = files.get(name);
    if (script) checkScript(name, script, run);
  }
}

function checkControl(bytes: Uint8Array, run: Run): void {
  if (strictUtf8(bytes) === undefined) run.findings.add('deb/control-text', AT, 'there is something that is no UTF-8');
  const control = attemptSync(run, 'deb/control-form', AT, () => parseControl(binaryString(bytes)));
  if (!control) return;
  if (bytes.at(-1) !== LINE_FEED) run.findings.add('deb/control-form', AT, 'the last line has no end');
  checkIdentity(control, run);
  checkWords(control, run);
  for (const name of ['Maintainer', 'Description'])
    if (!fieldOf(control, name.toLowerCase())) run.findings.add('deb/control-about', AT, `there is no ${name}`);
  const architecture = fieldOf(control, 'architecture') ?? 'all';
  for (const [name, kind] of RELATIONS) {
    const field = control.get(name);
    if (field) checkRelations(field.value, { at: [...AT, field.name], architecture, kind }, run);
  }
}

function checkIdentity(control: Stanza, run: Run): void {
  const add = (rule: RuleId, field: string, message: string): void => run.findings.add(rule, [...AT, field], message);
  for (const name of ['Package', 'Version', 'Architecture'])
    if (!fieldOf(control, name.toLowerCase())) run.findings.add('deb/control-fields', AT, `there is no ${name}`);
  const name = fieldOf(control, 'package');
  if (name && !isPackageName(name)) add('deb/control-fields', 'Package', `${shown(name)} is no name`);
  else if (name && !/^[a-z0-9][a-z0-9+.-]+$/.test(name)) add('deb/name', 'Package', `the name is ${shown(name)}`);
  const architecture = fieldOf(control, 'architecture');
  if (architecture && !/^[a-z0-9][a-z0-9-]*$/.test(architecture))
    add('deb/control-fields', 'Architecture', `${shown(architecture)} is not one architecture`);
  const text = fieldOf(control, 'version');
  const version = text ? attemptSync(run, 'deb/version', [...AT, 'Version'], () => parseVersion(text)) : undefined;
  if (version && !isPolicyVersion(version)) add('deb/version-digit', 'Version', `the version is ${shown(text)}`);
}

const LINE_FEED = 0x0a;

/** Fields of which dpkg knows every value, and refuses others; without regard to case. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  essential: ['yes', 'no'],
  protected: ['yes', 'no'],
  'multi-arch': ['no', 'same', 'foreign', 'allowed'],
};

function checkWords(control: Stanza, run: Run): void {
  for (const [key, words] of Object.entries(WORDS)) {
    const field = control.get(key);
    if (field && field.value !== '' && !words.includes(field.value.toLowerCase()))
      run.findings.add('deb/control-fields', [...AT, field.name], `${shown(field.value)} is not ${words.join(' or ')}`);
  }
  const field = control.get('multi-arch');
  if (field?.value.toLowerCase() === 'same' && fieldOf(control, 'architecture') === 'all')
    run.findings.add('deb/control-fields', [...AT, field.name], 'a package for all architectures is the same for none');
}

/** Whether one of several may be named; and, of what is provided, that it has one version only. */
type Kind = 'one of several' | 'all' | 'provided';

const RELATIONS: readonly (readonly [string, Kind])[] = [
  ['pre-depends', 'one of several'],
  ['depends', 'one of several'],
  ['recommends', 'one of several'],
  ['suggests', 'one of several'],
  ['enhances', 'one of several'],
  ['breaks', 'all'],
  ['conflicts', 'all'],
  ['replaces', 'all'],
  ['provides', 'provided'],
];

interface RelationPlace {
  readonly at: readonly string[];
  readonly architecture: string;
  readonly kind: Kind;
}

function checkRelations(text: string, { at, architecture, kind }: RelationPlace, run: Run): void {
  if (kind !== 'one of several' && text.includes('|'))
    run.findings.add('deb/relations', at, 'there are alternatives, where all count');
  if (/\(\s*[<>](?![<>=])/.test(text)) run.findings.add('deb/relations-obsolete', at, '< means <=, and > means >=');
  for (const item of text === '' ? [] : text.split(',')) {
    if (item.trim() === '') run.findings.add('deb/relations', at, 'there is nothing beside a comma');
    if (item.trim() === '') continue;
    if (/[[<]/.test(item.replace(/\([^)]*\)/g, '')))
      run.findings.add('deb/relations', at, `${shown(item.trim())} has restrictions, which are for source packages`);
    const parsed = attemptSync(run, 'deb/relations', at, () => parseRelations(item, architecture));
    const other = kind === 'provided' && parsed?.flat().find(({ version }) => version && version.operator !== '=');
    if (other) run.findings.add('deb/relations', at, `${other.name} is provided in more than one version`);
  }
}

function checkScript(name: string, { bytes, mode }: ControlFile, run: Run): void {
  const at = ['control.tar', name];
  const head = binaryString(bytes.subarray(0, 4));
  if (!head.startsWith('#!') && head !== '\x7fELF') run.findings.add('deb/scripts', at, 'it does not say what runs it');
  // The bounds of dpkg-deb.
  if ((mode & 0o7555) !== 0o555 || mode & 0o002)
    run.findings.add('deb/scripts', at, `its mode is ${mode.toString(8).padStart(4, '0')}, and not from 0555 to 0775`);
}

/** Which refusal breaks which rule, of those that reading the members of a package ends in. */
export function ruleOfMembers(error: unknown): RuleId {
  if (!(error instanceof OcixError)) return 'deb/members';
  if (error.code.startsWith('ar/')) return 'deb/ar';
  return error.at.includes('debian-binary') ? 'deb/format' : 'deb/members';
}

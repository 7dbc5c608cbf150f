/**
 * Where repositories are, as apt's own files say it: one line each (`sources.list`), or stanzas (`.sources`).
 * https://manpages.debian.org/bookworm/apt/sources.list.5.en.html
 */
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';
import { fieldOf, parseStanzas, type Stanza } from '../debian/control.ts';

export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly architectures: readonly string[];
  readonly signedBy: readonly SignedBy[];
  readonly ignoreDate: boolean;
}

/** What vouches for a repository: keys that stand in the file itself, a keyring, or what names a key. */
export type SignedBy =
  | { readonly kind: 'keys'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'name'; readonly name: string };

/** Every address of a stanza is there for every suite of it: a file of a megabyte could mean a hundred million. */
const MOST_SOURCES = 10_000;

/** @throws OcixError usage/argument */
export const parseSources = (text: string): readonly AptSource[] =>
  /^[ \t]*(?:deb|deb-src)(?:[ \t]|$)/m.test(text) ? parseLines(text) : parseStanzaSources(text);

function parseLines(text: string): readonly AptSource[] {
  return text.split('\n').flatMap((line, i) => {
    const clean = line.replace(/#.*$/, '').trim();
    if (clean === '' || /^deb-src\s/.test(clean)) return [];
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?([^\s[]\S*)\s+(\S+)((?:\s+\S+)*)$/.exec(clean);
    if (!match) throw malformed(`line ${i + 1}`, clean);
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const option = (name: string): readonly string[] =>
      options
        .split(/\s+/)
        .filter((one) => one.toLowerCase().startsWith(`${name}=`))
        .flatMap((one) => one.slice(name.length + 1).split(','));
    return [
      {
        uri: localPath(uri),
        suite,
        components: wordsOf(components),
        architectures: option('arch'),
        signedBy: option('signed-by').map(signedByWord),
        ignoreDate: option('check-valid-until').includes('no'),
      },
    ];
  });
}

function parseStanzaSources(text: string): readonly AptSource[] {
  const plain = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');
  let pairs = 0;
  return parseStanzas(plain).flatMap((stanza) => {
    const list = (name: string): readonly string[] => wordsOf(fieldOf(stanza, name) ?? '');
    if (fieldOf(stanza, 'enabled') === 'no' || !list('types').includes('deb')) return [];
    const [uris, suites] = [list('uris'), list('suites')];
    if (!uris.length || !suites.length) throw malformed('stanza', [...stanza.keys()].join(', '));
    pairs += uris.length * suites.length;
    if (pairs > MOST_SOURCES) throw malformed('stanza', `more than ${MOST_SOURCES} pairs of an address and a suite`);
    const same = {
      components: list('components'),
      architectures: list('architectures'),
      signedBy: signedBy(stanza),
      ignoreDate: fieldOf(stanza, 'check-valid-until') === 'no',
    };
    return uris.flatMap((uri) => suites.map((suite) => ({ uri: localPath(uri), suite, ...same })));
  });
}

/** A key in the file itself has its lines indented, and a dot for an empty one. */
function signedBy(stanza: Stanza): readonly SignedBy[] {
  const value = fieldOf(stanza, 'signed-by') ?? '';
  if (!value.includes('-----BEGIN')) return wordsOf(value.replaceAll(',', ' ')).map(signedByWord);
  const lines = value.split('\n').map((line) => line.trim());
  return [{ kind: 'keys', text: lines.map((line) => (line === '.' ? '' : line)).join('\n') }];
}

const signedByWord = (word: string): SignedBy =>
  word.startsWith('/') ? { kind: 'file', path: word } : { kind: 'name', name: word };

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

const localPath = (uri: string): string => uri.replace(/^(?:file|copy):(?:\/\/)?(?=\/)/, '');

const malformed = (where: string, found: string): OcixError =>
  new OcixError('usage/argument', 'this is no list of repositories', {
    at: [where],
    found: printable(found.slice(0, 100)),
    expected: 'deb [signed-by=KEYRING] URI SUITE COMPONENT…, or stanzas with Types, URIs and Suites',
  });

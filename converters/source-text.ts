/** What a user writes for a source or a target: `TRANSPORT:PATH[:REF|@INDEX]`, or a bare path. */
import { OcixError } from '../formats/base/errors.ts';
import { didYouMean, nearest } from '../formats/base/nearest.ts';
import { pathKind } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import { TRANSPORT as DISCOVERED } from '../formats/discovery/transport.ts';
import {
  CONTENT_READERS,
  contentReaderNamed,
  FILES_READERS,
  filesReaderNamed,
  NAME_READERS,
  nameReaderNamed,
  READERS,
  readerNamed,
} from '../formats/index.ts';
import type { Selector } from '../formats/model/reader.ts';
import { plainTar } from '../formats/plain/index.ts';

export interface SourceText {
  readonly transport: string | undefined;
  /** `-` is standard input. Behind `appc:` it is what is asked for. */
  readonly path: string;
  readonly selector: Selector | undefined;
  /** Where the transport takes several files. */
  readonly files?: readonly string[];
}

/** Transports of the contract that other versions have. */
const PLANNED = ['bundle', 'static'];

export const sourceTransports = (): readonly string[] => [
  ...[...READERS, ...CONTENT_READERS, ...FILES_READERS, ...NAME_READERS].flatMap(({ name, aliases }) => [
    name,
    ...aliases,
  ]),
  plainTar.name,
  DISCOVERED,
];

/**
 * @param from a format that the user named, instead of a transport
 * @throws OcixError usage/option, format/unsupported, source/missing
 */
export async function parseSource(text: string, from: string | undefined): Promise<SourceText> {
  if (from !== undefined && !isTransport(from))
    throw new OcixError('usage/option', `--from ${printable(from)} is not a format`, {
      hint: `${didYouMean(from, sourceTransports())}The formats are ${sourceTransports().join(', ')}.`,
    });
  const match = /^([a-z][a-z0-9-]*):(.*)$/s.exec(text);
  if (match?.[2]?.startsWith('//'))
    throw new OcixError(
      'format/unsupported',
      `${printable(text)} is in a registry, and this version of ocix reads files only`,
      { hint: 'Save the image to a file first, with skopeo copy or docker save.' },
    );
  if (match && nameReaderNamed(match[1]!)) return { transport: match[1], path: match[2]!, selector: undefined };
  if (match && filesReaderNamed(match[1]!)) return { transport: match[1], ...(await splitFiles(match[2]!)) };
  if (match?.[1] === DISCOVERED) return { transport: DISCOVERED, path: match[2]!, selector: undefined };
  if (match && isTransport(match[1]!)) return { transport: match[1], ...(await splitPath(match[2]!)) };
  if (match && PLANNED.includes(match[1]!) && (await pathKind(text)) === 'absent') {
    throw new OcixError('format/unsupported', `this version of ocix does not read ${match[1]}: yet`, {
      hint: `It reads ${sourceTransports().join(', ')}.`,
    });
  }
  if (match && from === undefined) await checkTransport(match[1]!, text);
  return { transport: from, path: text, selector: undefined };
}

/** Whether it is a way to name a source, of this version or of another. */
export const isSourceTransport = (name: string): boolean => isTransport(name) || PLANNED.includes(name);

/** A path may look like anything; one that is not there, and begins like a transport, is probably one. */
async function checkTransport(name: string, text: string): Promise<void> {
  const meant = nearest(name, sourceTransports());
  if (meant === undefined || (await pathKind(text)) !== 'absent') return;
  throw new OcixError('source/missing', `there is no ${printable(text)}`, {
    hint: `Did you mean ${meant}:${printable(text.replace(/^[^:]*:/, ''))}? The transports are ${sourceTransports().join(', ')}.`,
  });
}

const isTransport = (name: string): boolean =>
  name === plainTar.name ||
  name === DISCOVERED ||
  readerNamed(name) !== undefined ||
  contentReaderNamed(name) !== undefined ||
  filesReaderNamed(name) !== undefined ||
  nameReaderNamed(name) !== undefined;

/** Several files as one name, for people. */
export const namesOf = (files: readonly string[]): string =>
  files.length < 4 ? files.join(',') : `${files[0]} and ${files.length - 1} more`;

/** Separated by commas; a path that has one in it is taken where it is alone. */
async function splitFiles(rest: string): Promise<Pick<SourceText, 'path' | 'selector' | 'files'>> {
  const files = (await pathKind(rest)) === 'absent' ? rest.split(',').filter((path) => path !== '') : [rest];
  if (!files.length) throw noPath();
  return { path: namesOf(files), files, selector: undefined };
}

/** A path may have colons in it: the longest one that exists is meant. */
async function splitPath(rest: string): Promise<Pick<SourceText, 'path' | 'selector'>> {
  if (rest === '' || rest.startsWith(':')) throw noPath();
  if (rest === '-' || rest.startsWith('-:')) return { path: '-', ...selectorOf(rest.slice(2)) };
  for (let at = rest.length; at > 0; at = rest.lastIndexOf(':', at - 1)) {
    const path = rest.slice(0, at);
    if ((await pathKind(path)) !== 'absent') return { path, ...selectorOf(rest.slice(at + 1)) };
  }
  return { path: rest.split(':')[0]!, selector: undefined }; // opening it will say that it is missing
}

const noPath = (): OcixError =>
  new OcixError('usage/argument', 'there is no path behind the transport', {
    hint: 'For example docker-archive:app.tar, or docker-archive:app.tar:example/app:1.0.',
  });

function selectorOf(text: string): Pick<SourceText, 'selector'> {
  if (text === '') return { selector: undefined };
  if (!text.startsWith('@')) return { selector: { kind: 'reference', name: text } };
  const index = text.slice(1);
  // `sha512-…` or a UUID; eight digits are the beginning of one, and more than a place has.
  if (/^(?:[a-z0-9]+(?:-[0-9a-f]{2,128})+|[0-9a-f]{8})$/.test(index)) return { selector: { kind: 'id', id: index } };
  if (!/^[0-9]{1,6}$/.test(index))
    throw new OcixError('usage/argument', `@${printable(index)} is not the place of an image`, {
      hint: 'The first image is @0.',
    });
  return { selector: { kind: 'index', index: Number(index) } };
}

/**
 * Validation: an input held against every rule of its specification. Where a reader stops at the first fault, this goes on and says them all.
 */
import type { Archive } from '../formats/archive/archive.ts';
import { folderArchive } from '../formats/archive/folder.ts';
import { looksLikeTar, unwrap } from '../formats/archive/open.ts';
import { type ContextOptions, createContext } from '../formats/base/context.ts';
import { OcixError, within } from '../formats/base/errors.ts';
import { collect } from '../formats/bytes/chunks.ts';
import { fileSource, pathKind, type RandomSource } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import { sniff } from '../formats/codec/index.ts';
import { contentOffers, filesOffer, recognise } from '../formats/detect.ts';
import { contentReaderNamed, filesReaderNamed, readerNamed } from '../formats/index.ts';
import { type Content, type ContentReader, type FilesReader, HEAD_SIZE } from '../formats/model/reader.ts';
import { plainTar } from '../formats/plain/index.ts';
import { rawKeeper, type Spool, spool } from './keepers.ts';
import type { Source } from './open.ts';
import { parseSource, type SourceText } from './source-text.ts';
import { checkBundle, isBundle } from './validate/bundle.ts';
import { DOCUMENT_KINDS } from './validate/documents.ts';
import { checkEnvelope } from './validate/envelope.ts';
import { type Finding, findingList, type Run } from './validate/findings.ts';
import type { HostFacts } from './validate/host-facts.ts';
import { checkInterchange } from './validate/interchange.ts';
import { foundAt, parsePlain } from './validate/json-document.ts';
import { readLayer } from './validate/layer.ts';
import { checkLinks } from './validate/layer-entries.ts';
import { ARCHIVE_RULES, CONTENT_RULES, FILE_RULES, VALIDATED_FORMATS } from './validate/rule-sets.ts';
import { RULES, type RuleId } from './validate/rules/index.ts';

export interface ValidateOptions extends ContextOptions {
  /** The format or the kind of document, where recognising it must not be left to its bytes; `VALIDATED` lists them. */
  readonly from?: string | undefined;
  /** Leaves out the content of layers: their digests, their entries. */
  readonly fast?: boolean | undefined;
  /** The machine that a bundle is to run on; without it nothing is said of machines. */
  readonly machine?: HostFacts | undefined;
}

export interface Validation {
  /** As the user named it. */
  readonly source: string;
  readonly format: string;
  readonly title: string;
  /** In the order in which they were found. Of each rule the first hundred; `verdict` counts them all. */
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
}

export interface Verdict {
  /** In the words of the specifications: every MUST is kept; or every SHOULD besides. */
  readonly outcome: 'not compliant' | 'compliant' | 'unconditionally compliant';
  /** Breaches of rules, by level. */
  readonly must: number;
  readonly should: number;
  readonly notes: number;
  /** False where there are layers whose content was left out, and the rest is all that can be said. */
  readonly complete: boolean;
}

const BUNDLE = 'bundle';

/** What `from` takes beside the transports of sources. */
export const VALIDATED: readonly string[] = [BUNDLE, ...DOCUMENT_KINDS.map(({ name }) => name)];

/**
 * Holds a source against the rules of its specification: a layout, an archive, a bundle, a single document.
 *
 * @throws OcixError only where the source cannot be read at all: source/…, format/…, and what opening an archive throws
 */
export async function validate(source: Source, options: ValidateOptions = {}): Promise<Validation> {
  const context = createContext(options);
  const run: Run = {
    context,
    findings: findingList(),
    fast: options.fast ?? false,
    host: options.machine,
    spent: { bytes: 0, names: 0, lookups: 0, again: 0 },
  };
  if (typeof source !== 'string' && 'files' in source) throw several();
  const spooled = typeof source === 'string' ? undefined : await spool(source.stream, context);
  try {
    const text = await validatedText(spooled ? spooled.path : String(source), options.from ?? fromOf(source));
    if ((text.files?.length ?? 0) > 1) throw several();
    const name = printable(typeof source === 'string' ? text.path : (source.name ?? 'standard input'));
    const { format, title } = await within(name, () => validatePath(text, name, run));
    const complete = !run.fast || VALIDATED.includes(format);
    return { source: name, format, title, findings: run.findings.all(), verdict: { ...counted(run), complete } };
  } finally {
    await spooled?.remove();
  }
}

const several = (): OcixError =>
  new OcixError('usage/argument', 'several files are not validated together', { hint: 'Validate one at a time.' });

const fromOf = (source: Source): string | undefined => (typeof source === 'string' ? undefined : source.from);

/** `bundle:DIR` and `config:FILE` are sources of a validation alone. */
async function validatedText(text: string, from: string | undefined): Promise<SourceText> {
  if (from !== undefined && VALIDATED.includes(from)) return { transport: from, path: text, selector: undefined };
  const match = /^([a-z][a-z0-9-]*):(.+)$/s.exec(text);
  if (match && VALIDATED.includes(match[1]!) && (await pathKind(text)) === 'absent')
    return { transport: match[1], path: match[2]!, selector: undefined };
  return parseSource(text, from);
}

interface Title {
  readonly format: string;
  readonly title: string;
}

/** @param name what messages call it: a stream has been put into a file that nobody knows */
async function validatePath(text: SourceText, name: string, run: Run): Promise<Title> {
  if ((await pathKind(text.path)) === 'folder') return validateFolder(text, run);
  const source = await fileSource(text.path);
  if (source.kind === 'random') {
    try {
      return await validateFile({ ...source, name }, text, run);
    } finally {
      await source.close();
    }
  }
  // A pipe by name: it can be read once, and a validation may have to read it twice.
  const spooled: Spool = await spool(source.chunks, run.context);
  try {
    return await validatePath({ ...text, path: spooled.path }, name, run);
  } finally {
    await source.close();
    await spooled.remove();
  }
}

async function validateFolder({ transport, path, selector }: SourceText, run: Run): Promise<Title> {
  if (transport !== undefined && filesReaderNamed(transport)) throw several();
  const archive = await folderArchive(path, run.context);
  if (transport === BUNDLE || (transport === undefined && isBundle(archive.names()))) {
    await checkBundle(path, archive, run);
    return { format: BUNDLE, title: 'runtime bundle' };
  }
  return validateArchive(archive, transport, selector, run);
}

async function validateFile(source: RandomSource, text: SourceText, run: Run): Promise<Title> {
  const { transport, selector } = text;
  const head = await collect(source.window(0, SNIFFED), SNIFFED);
  if (VALIDATED.includes(transport ?? '') || (transport === undefined && isJson(head)))
    return validateDocument(source, transport, run);
  if (transport === plainTar.name) return validateLayer(source, run);
  const unwrapped = await unwrap(source, HEAD_SIZE, run.context);
  const files = transport === undefined ? filesOffer(head)?.reader : filesReaderNamed(transport);
  if (files) return validatePackage(source, files, head, run);
  const reader = transport === undefined ? contentOffers(unwrapped.head)[0]?.reader : contentReaderNamed(transport);
  if (reader) return validateContent({ name: source.name, size: source.size, ...unwrapped }, reader, run);
  const kept = rawKeeper();
  try {
    const archive = await unwrapped.archive(kept.keep);
    await checkEnvelope(source, unwrapped, run);
    return await validateArchive(archive, transport, selector, run);
  } finally {
    await kept.remove();
  }
}

/** Enough to tell a document from a tar. */
const SNIFFED = 512;

const isJson = (head: Uint8Array): boolean =>
  !looksLikeTar(head) && !sniff(head) && /^(?:\xef\xbb\xbf)?\s*[[{]/.test(String.fromCharCode(...head));

async function validateDocument(source: RandomSource, wanted: string | undefined, run: Run): Promise<Title> {
  if (wanted === BUNDLE)
    throw new OcixError('format/unknown', 'a bundle is a folder', { hint: 'Give the folder that config.json is in.' });
  const most = run.context.limits['json-bytes'];
  const bytes = await collect(source.window(0, most + 1), most + 1);
  const named = DOCUMENT_KINDS.find(({ name }) => name === wanted);
  const parsed = parsePlain(bytes, [], run);
  if (!parsed) return { format: named?.name ?? 'json', title: named?.title ?? 'JSON document' };
  const kind = named ?? DOCUMENT_KINDS.find((one) => one.is(parsed.value));
  if (!kind) {
    throw new OcixError('format/unknown', `${printable(source.name)} is a JSON document of no kind that ocix knows`, {
      hint: `If you know the kind, say it: --from ${DOCUMENT_KINDS.map(({ name }) => name).join(', ')}.`,
    });
  }
  if (kind.interchange) checkInterchange(parsed, foundAt([], run));
  kind.check(parsed.value, [], run);
  return { format: kind.name, title: kind.title };
}

/** A plain tar is one layer, and nothing says what it has to be. */
async function validateLayer(source: RandomSource, run: Run): Promise<Title> {
  const open = () => source.window(0, source.size);
  if (!run.fast) {
    const input = { open, compression: undefined, algorithm: 'sha256', diffAlgorithm: 'sha256' } as const;
    const { entries } = await readLayer(input, [], run);
    checkLinks(entries, [], [], run);
  }
  return { format: plainTar.name, title: plainTar.title };
}

async function validateArchive(
  archive: Archive,
  transport: string | undefined,
  selector: SourceText['selector'],
  run: Run,
): Promise<Title> {
  const reader = transport === undefined ? (await recognise(archive)).reader : readerNamed(transport);
  const rules = ARCHIVE_RULES.find(({ format }) => format === reader?.name);
  if (!reader || !rules) throw unsupported(reader?.name ?? transport);
  const bid = await reader.bid(archive);
  await rules.check(archive, selector, run);
  return { format: reader.name, title: bid?.title ?? reader.name };
}

async function validateContent(
  content: Content & { readonly head: Uint8Array },
  reader: ContentReader,
  run: Run,
): Promise<Title> {
  const rules = CONTENT_RULES.find(({ format }) => format === reader.name);
  if (!rules) throw unsupported(reader.name);
  await rules.check(content, run);
  return { format: reader.name, title: reader.recognise(content.head)?.title ?? reader.name };
}

async function validatePackage(source: RandomSource, reader: FilesReader, head: Uint8Array, run: Run): Promise<Title> {
  const rules = FILE_RULES.find(({ format }) => format === reader.name);
  if (!rules) throw unsupported(reader.name);
  const bid = reader.recognise(head);
  if (!bid) throw new OcixError('format/unknown', `${printable(source.name)} is no ${reader.name}`);
  await rules.check(source, run);
  return { format: reader.name, title: bid.title };
}

const unsupported = (format: string | undefined): OcixError =>
  new OcixError('format/unsupported', `this version of ocix does not validate ${format}`, {
    hint: `It validates ${[...VALIDATED_FORMATS, ...VALIDATED].join(', ')}.`,
  });

function counted(run: Run): Omit<Verdict, 'complete'> {
  const counts = { must: 0, should: 0, note: 0 };
  for (const [rule, count] of run.findings.counts()) counts[RULES[rule as RuleId].level] += count;
  const outcome = counts.must ? 'not compliant' : counts.should ? 'compliant' : 'unconditionally compliant';
  return { outcome, must: counts.must, should: counts.should, notes: counts.note };
}

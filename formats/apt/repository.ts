/**
 * One suite of a repository: its Release file, checked, and the indexes of its packages.
 * https://wiki.debian.org/DebianRepository/Format
 */
import type { Context } from '../base/context.ts';
import { OcixError, within } from '../base/errors.ts';
import { algorithmOf, hexOf } from '../bytes/digest.ts';
import type { RandomSource } from '../bytes/source.ts';
import { printable } from '../bytes/text.ts';
import type { Codec } from '../codec/codec.ts';
import { CODECS, decompressed } from '../codec/index.ts';
import type { Downloads } from '../store/download.ts';
import type { IndexInput } from './package-index.ts';
import { type Listed, type Release, readRelease, type SignedRelease, type Trust } from './release.ts';

export interface SuiteChoice {
  /** The folder or address with `dists/` in it. */
  readonly base: string;
  /** One that ends in a slash is a folder of its own, without components. */
  readonly suite: string;
  /** Absent: `main` where there is one, else all. */
  readonly components: readonly string[] | undefined;
  /** Debian's names. */
  readonly architecture: string;
  readonly trust: Trust;
}

export interface OpenedSuite {
  readonly choice: SuiteChoice;
  readonly release: Release;
  readonly indexes: readonly IndexInput[];
  close(): Promise<void>;
}

/** Debian's InRelease has 150 kB. */
const MOST_RELEASE = 32 * 2 ** 20;
/** Far away the smallest is best, near by the one that takes the least to uncompress. */
const FAR: readonly string[] = ['.xz', '.gz', ''];
const NEAR: readonly string[] = ['', '.gz', '.xz'];
const CODEC_OF: Readonly<Record<string, Codec>> = { '.xz': CODECS.xz, '.gz': CODECS.gzip };

/** @throws OcixError signature/…, apt/…, network/…, digest/mismatch, size/mismatch */
export async function openSuite(choice: SuiteChoice, downloads: Downloads, context: Context): Promise<OpenedSuite> {
  return within(`${printable(choice.base)} ${printable(choice.suite)}`, async () => {
    try {
      return await openOnce(choice, downloads, context);
    } catch (error) {
      // A mirror that is being written at this moment: what belongs together is there a moment later.
      if (!(error instanceof OcixError) || !/^(?:digest|size)\/mismatch$/.test(error.code)) throw error;
      return openOnce(choice, downloads, context);
    }
  });
}

const folderOf = (suite: string): string =>
  suite.endsWith('/') ? suite.replace(/^(?:\.?\/)+/, '') : `dists/${suite}/`;

async function openOnce(choice: SuiteChoice, downloads: Downloads, context: Context): Promise<OpenedSuite> {
  const folder = folderOf(choice.suite);
  const small = (name: string) => downloads.small({ base: choice.base, path: `${folder}${name}` }, MOST_RELEASE);
  const release = await within('Release', async () =>
    readRelease(await signedRelease(small), choice.suite, choice.trust, context),
  );
  const files: RandomSource[] = [];
  const close = async (): Promise<void> => {
    for (const file of files) await file.close();
  };
  try {
    const indexes: IndexInput[] = [];
    for (const path of indexPaths(choice, release)) {
      const { file, suffix } = await fetchIndex(path, folder, choice, release, downloads);
      files.push(file);
      const codec = CODEC_OF[suffix];
      const chunks = file.window(0, file.size);
      indexes.push({ name: path, chunks: codec ? decompressed(codec, chunks, context) : chunks });
    }
    return { choice, release, indexes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function signedRelease(small: (name: string) => Promise<Uint8Array | undefined>): Promise<SignedRelease> {
  const inline = await small('InRelease');
  if (inline) return { inline };
  const text = await small('Release');
  if (!text)
    throw new OcixError('apt/release', 'there is no such suite', {
      hint: 'Check its name, and the address of the repository.',
    });
  const signature = await small('Release.gpg');
  if (signature) return { text, signature };
  throw new OcixError('signature/missing', 'the repository is not signed', {
    hint: 'Nothing vouches for what it hands out. Use a repository that is signed.',
  });
}

/** Paths of indexes below the folder of the suite, without a suffix. */
function indexPaths({ suite, components, architecture }: SuiteChoice, release: Release): readonly string[] {
  if (suite.endsWith('/')) return ['Packages'];
  const own = release.components.map((name) => name.replace(/^.*\//, ''));
  const wanted = components ?? (own.includes('main') ? ['main'] : own);
  const architectures = release.allInside ? [architecture] : [architecture, 'all'];
  const paths = wanted.flatMap((component) => architectures.map((name) => `${component}/binary-${name}/Packages`));
  const known = paths.filter((path) => NEAR.some((suffix) => release.files.has(`${path}${suffix}`)));
  const missing = wanted.find((component) => !known.some((path) => path.startsWith(`${component}/`)));
  if (missing === undefined) return known;
  throw new OcixError('apt/release', `the suite has no ${printable(missing)} for ${architecture}`, {
    found: `components ${printable(own.join(', '))}; architectures ${printable(release.architectures.join(', '))}`,
    hint: 'Choose others with --components and --arch.',
  });
}

async function fetchIndex(
  path: string,
  folder: string,
  { base }: SuiteChoice,
  release: Release,
  downloads: Downloads,
): Promise<{ readonly file: RandomSource; readonly suffix: string }> {
  for (const suffix of /^https?:/i.test(base) ? FAR : NEAR) {
    const listed = release.files.get(`${path}${suffix}`);
    if (!listed) continue;
    for (const place of placesOf(`${path}${suffix}`, listed, release)) {
      const file = await downloads.file({ base, path: `${folder}${place}` }, listed);
      if (file) return { file, suffix };
    }
  }
  throw new OcixError('apt/index', `the repository lists ${printable(path)} and does not have it`, {
    hint: 'Use another mirror.',
  });
}

/** By its digest first: that name cannot come to mean something else while a mirror is being written. */
function placesOf(path: string, { digest }: Listed, { byHash }: Release): readonly string[] {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return byHash ? [`${folder}by-hash/${algorithmOf(digest).toUpperCase()}/${hexOf(digest)}`, path] : [path];
}

/** apt repositories as folders, signed, with texts that lie; and the files that users write about them. */
import { open } from '../../../converters/index.ts';
import { aptRepo } from '../../../fixtures/apt-repo.ts';
import { type DebRecipe, deb } from '../../../fixtures/deb.ts';
import { parseSources } from '../../../formats/apt/sources.ts';
import { createContext } from '../../../formats/base/context.ts';
import { OcixError } from '../../../formats/base/errors.ts';
import { binaryString } from '../../../formats/bytes/text.ts';
import { clearSigned, NOW, newKey, signed } from '../../formats/openpgp/keys.ts';
import { type Files, inputOf, onDisk } from '../folder.ts';
import { jsonText, mutatedBytes, mutatedJson } from '../mutate.ts';
import type { Random } from '../random.ts';
import { Find, type Subject } from '../subject.ts';
import { damagedFields, damagedText, stanzaFrom } from './fields.ts';
import { contentOf } from './readers.ts';

const PACKAGES: readonly DebRecipe[] = [
  { fields: { Package: 'app', Depends: 'lib | a, b' }, data: { 'usr/app': 'A' } },
  { fields: { Package: 'lib', Version: '2:1.0', 'Multi-Arch': 'same', Architecture: 'amd64' }, data: { 'usr/l': 'L' } },
  { fields: { Package: 'b', Provides: 'c (= 1), x', Conflicts: 'y', Essential: 'yes' } },
  { fields: { Package: 'c', Version: '3', 'Pre-Depends': 'b (>= 0)', Breaks: 'app (<< 0)' } },
];

/** Fields and stanzas of sound text, some of them damaged; what cannot be read as such stays. */
function damagedStanza(text: string, random: Random, probability: number): string {
  if (random.chance(0.5)) return text;
  const fields = text
    .replace(/\n+$/, '')
    .split(/\n(?=[^ ])/)
    .map((line) => /^([^:]+): ?(.*)$/s.exec(line)!);
  return stanzaFrom(
    damagedFields(Object.fromEntries(fields.map(([, name, value]) => [name, value])), random, probability),
    random,
  );
}

const RELEASE = 'dists/stable/Release';
const INDEX = 'dists/stable/main/binary-amd64/Packages';

/** Sound at first, so that what comes behind the index is reached; the digests are right unless they are what lies. */
function repositoryFrom(random: Random): Files {
  const packages = PACKAGES.filter(() => random.chance(0.9));
  const files = aptRepo({
    packages: packages.length ? packages : PACKAGES,
    stanza: (text) => damagedStanza(text, random, 0.05),
    release: random.chance(0.2) ? { 'Acquire-By-Hash': 'yes', 'Valid-Until': 'Mon, 01 Jun 2099 00:00:00 UTC' } : {},
  });
  const release = files.get(RELEASE)!;
  files.set(
    RELEASE,
    damagedText(damagedStanza(Buffer.from(release).toString(), random, 0.03), {
      ...random,
      chance: (p) => random.chance(p / 4),
    }),
  );
  for (const path of [...files.keys()]) {
    if (path === RELEASE || random.chance(0.98)) continue;
    if (random.chance(0.5)) files.delete(path);
    else files.set(path, mutatedBytes(files.get(path)!, random));
  }
  if (random.chance(0.1)) files.delete(INDEX); // there is the compressed one
  return files;
}

/** Made once a process: no input depends on it. */
const key = newKey();

async function withRepository(
  files: Files,
  inline: boolean,
  work: (folder: string, keyring: string) => Promise<void>,
): Promise<void> {
  const all = new Map(files);
  const release = files.get(RELEASE)!;
  if (inline)
    all.set(
      'dists/stable/InRelease',
      // There is no signing of nothing at all.
      Buffer.from(await clearSigned(await key, Buffer.from(release).toString('latin1') || '\n')),
    );
  else all.set(`${RELEASE}.gpg`, await signed(await key, release));
  all.set('key.asc', Buffer.from((await key).toPublic().armor()));
  await onDisk(all, (folder) => work(folder, `${folder}/key.asc`));
}

interface Chosen {
  readonly text: string;
  readonly lock?: { readonly text: string };
  readonly essential?: boolean;
}

async function read(folder: string, keyring: string, { text, ...more }: Chosen): Promise<string | undefined> {
  let lock: string | undefined;
  const repositories = {
    places: [folder],
    keyrings: [keyring],
    cache: `${folder}/cache`,
    now: NOW,
    architecture: 'amd64',
    decided: (decision: { readonly lock?: string; why(name: string): unknown }) => {
      lock = decision.lock;
      for (const { fields } of PACKAGES) decision.why(fields!['Package']!);
    },
    ...more,
  };
  const opened = await open(`apt:${text}`, { repositories });
  try {
    await contentOf(opened.items, createContext());
  } finally {
    await opened.close();
  }
  return lock;
}

const repository: Subject = {
  name: 'apt',
  make: (random) => inputOf(repositoryFrom(random)),
  check: ({ files }, random) =>
    withRepository(files!, random.chance(0.7), async (folder, keyring) => {
      const text = random.pick(['stable/app', 'stable/app', 'stable/app,c', 'toy/lib:amd64', 'stable/app=1.0-1']);
      const essential = random.chance(0.2);
      const lock = await read(folder, keyring, { text, essential });
      if (lock === undefined) throw new Find('nobody was told what was decided');
      await read(folder, keyring, { text, essential, lock: { text: lock } }).catch((error: unknown) => {
        throw new Find('what was written down cannot be read', error);
      });
    }),
};

/** Stands for the folder, which is another each time. */
const HERE = '/repository';
const WANTED = 'stable/app';

const lock: Subject = {
  name: 'apt-lock',
  make(random) {
    const bytes = deb(PACKAGES[0]!);
    const [, digest] = /^SHA256: (.*)$/m.exec(
      Buffer.from(aptRepo({ packages: [PACKAGES[0]!] }).get(INDEX)!).toString(),
    )!;
    const one = { name: 'app', version: '1.0-1', architecture: 'all', digest: `sha256:${digest}`, size: bytes.length };
    const packages = [{ ...one, base: HERE, path: 'pool/app_1.0-1_all.deb' }];
    const sound = {
      ocix: 1,
      wanted: WANTED,
      architecture: 'amd64',
      suites: [{ base: HERE, suite: 'stable', date: '' }],
      packages,
    };
    return { bytes: random.chance(0.95) ? jsonText(mutatedJson(sound, random), random) : jsonText(sound, random) };
  },
  check: ({ bytes }) =>
    withRepository(aptRepo({ packages: PACKAGES }), true, async (folder, keyring) => {
      const text = Buffer.from(bytes).toString().replaceAll(HERE, folder);
      await read(folder, keyring, { text: WANTED, lock: { text } });
    }),
};

const LINE =
  'deb [arch=amd64 signed-by=/k.gpg,/l.asc check-valid-until=no] https://deb.example/debian bookworm main contrib';
const OPTIONS = [
  '',
  '[',
  ']',
  '[]',
  '[ ]',
  '#',
  'deb',
  'deb-src',
  '[a=b',
  'file:///x',
  'cdrom:[a b]/',
  '\t',
  './',
  'copy:/a',
  ' '.repeat(50_000),
];
const STANZA = {
  Types: 'deb deb-src',
  URIs: 'https://deb.example/debian file:/srv/mirror',
  Suites: 'bookworm bookworm-updates',
  Components: 'main',
  'Signed-By': '/usr/share/keyrings/k.gpg',
  Enabled: 'yes',
  'Check-Valid-Until': 'no',
};

/** A user's own file: what is wrong in it is wrong usage. */
const sources: Subject = {
  name: 'apt-sources',
  make(random) {
    const words = () => LINE.split(' ').flatMap((word) => (random.chance(0.9) ? [word] : [random.pick(OPTIONS), word]));
    const text = random.chance(0.5)
      ? random
          .many(0, 4, () =>
            words()
              .filter(() => random.chance(0.97))
              .join(' '),
          )
          .join('\n')
      : random.many(1, 2, () => stanzaFrom(damagedFields(STANZA, random, 0.2), random)).join('\n');
    return { bytes: damagedText(text, random) };
  },
  async check({ bytes }) {
    try {
      for (const { uri, suite } of parseSources(binaryString(bytes)))
        if (uri === '' || suite === '') throw new Find('a source without a place');
    } catch (error) {
      if (!(error instanceof OcixError) || error.code !== 'usage/argument') throw error;
    }
  },
};

export const APT_SUBJECTS: readonly Subject[] = [repository, lock, sources];

/**
 * The rules against the official JSON schemas of the specifications, over every document of the corpus: the verdicts are the same, or the
 * difference is one that is listed here with its reason.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ajvDraft04 from 'ajv-draft-04';
import { describe, expect, test } from 'vitest';
import { RULES, type RuleId, validate } from '../../converters/index.ts';
import {
  config,
  DIGEST,
  index,
  manifest,
  patched,
  runtimeConfig,
  validateDocument,
} from '../converters/validate/inputs.ts';

const CORPUS = join(import.meta.dirname, '../../../shared/corpus');
const SCHEMAS = join(CORPUS, 'schemas');
const there = existsSync(SCHEMAS);

const SCHEMA_OF: Readonly<Record<string, readonly [folder: string, file: string]>> = {
  descriptor: ['image-spec', 'content-descriptor.json'],
  index: ['image-spec', 'image-index-schema.json'],
  manifest: ['image-spec', 'image-manifest-schema.json'],
  config: ['image-spec', 'config-schema.json'],
  'layout-file': ['image-spec', 'image-layout-schema.json'],
  'runtime-config': ['runtime-spec', 'config-schema.json'],
};

const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const compiled = new Map<string, (value: unknown) => boolean>();

/** The official schema's verdict. Formats are left to the rules: draft 4 does not make them binding. */
function schemaTakes(kind: string, value: unknown): boolean {
  const [folder, file] = SCHEMA_OF[kind]!;
  let takes = compiled.get(kind);
  if (!takes) {
    const ajv = new ajvDraft04.default({ strict: false, validateFormats: false });
    const base = `https://opencontainers.org/schema/${folder === 'image-spec' ? 'image/' : ''}`;
    for (const name of readdirSync(join(SCHEMAS, folder))) {
      if (name === file) continue;
      const { id: _, ...schema } = withoutIds(read(join(SCHEMAS, folder, name))) as { id?: string };
      ajv.addSchema(schema, `${base}${name}`);
    }
    const { id: _, ...main } = withoutIds(read(join(SCHEMAS, folder, file))) as { id?: string };
    takes = ajv.compile({ ...main, id: `${base}main.json` }) as (value: unknown) => boolean;
    compiled.set(kind, takes);
  }
  return takes(value);
}

/** Ids inside of a schema would change what its references are relative to. */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) =>
      name === 'id' && typeof one === 'string' ? [] : [[name, withoutIds(one)]],
    ),
  );
}

/** Breaches of a MUST that a schema does not see, or does not look for. */
const BEYOND: readonly RuleId[] = [
  'oci/config-env',
  'oci/descriptor-data',
  'oci/descriptor-digest-encoding',
  'oci/annotations-reserved',
  'oci/manifest-artifact-type',
  'oci/type-confusion',
  // A negative size in an index, and a digest among the diffIDs that is none.
  'oci/descriptor-size',
  'oci/config-diff-ids',
];

/** Rules that are no MUST, or none at all, where the schema refuses. */
const LENIENT: Readonly<Record<string, string>> = {
  'oci/manifest-layers-some': 'the text recommends a layer, the schema demands one',
  'runtime/devices-mode': 'the text has a mode of 32 bits, the schema one of nine and a little',
};

interface Verdicts {
  readonly schema: boolean;
  readonly rules: boolean;
  readonly broken: readonly RuleId[];
}

async function verdicts(file: string, kind: string): Promise<Verdicts> {
  const found = await validate(file, { from: kind });
  const broken = [...new Set(found.findings.map(({ rule }) => rule))];
  return { schema: schemaTakes(kind, read(file)), rules: found.verdict.must === 0, broken };
}

function expectSame(name: string, { schema, rules, broken }: Verdicts): void {
  const musts = broken.filter((rule) => RULES[rule].level === 'must');
  if (schema && !rules) expect([name, musts.filter((rule) => !BEYOND.includes(rule))]).toEqual([name, []]);
  if (!schema && rules) expect([name, broken.filter((rule) => rule in LENIENT).length > 0]).toEqual([name, true]);
}

describe.runIf(there)('labelled documents (skipped where ../shared/corpus is absent)', () => {
  const labelled = there
    ? ['config', 'descriptor', 'index', 'layout', 'manifest'].flatMap((kind) =>
        readdirSync(join(CORPUS, 'image-schema', kind)).map(
          (name) => [kind === 'layout' ? 'layout-file' : kind, join(CORPUS, 'image-schema', kind, name)] as const,
        ),
      )
    : [];
  const runtime = there
    ? ['good', 'bad'].flatMap((label) =>
        readdirSync(join(CORPUS, 'runtime-config', label)).map(
          (name) => ['runtime-config', join(CORPUS, 'runtime-config', label, name)] as const,
        ),
      )
    : [];

  test.each([...labelled, ...runtime])('%s %s', async (kind, file) => {
    const good = /\/good[-/]/.test(file);
    const found = await validate(file, { from: kind });
    expect([found.verdict.must === 0, found.findings.filter(({ level }) => level === 'must')]).toEqual(
      good ? [true, []] : [false, expect.anything()],
    );
  });
});

describe.runIf(there)('manifests of the corpus, whatever they are', () => {
  const names = there ? readdirSync(join(CORPUS, 'manifests')) : [];

  test.each(names)('%s', async (name) => {
    const file = join(CORPUS, 'manifests', name);
    if (/non-json|unknown-version/.test(name))
      return void (await expect(validate(file)).rejects.toMatchObject({ status: 3 }));
    const { format, verdict } = await validate(file);
    expect(['index', 'manifest', 'config', 'schema1']).toContain(format);
    expect(verdict.complete).toBe(true);
    // Docker's own documents have no schema of the specification.
    const value = read(file) as { readonly mediaType?: string };
    if (format in SCHEMA_OF && !/docker/.test(value.mediaType ?? '')) expectSame(name, await verdicts(file, format));
  });
});

describe.runIf(there)('one member at a time made something else', () => {
  const WRONG: readonly unknown[] = [undefined, null, true, -1, 1.5, 'x', '', [], [null], {}, { x: null }];
  const sound = { index, manifest, config, 'runtime-config': runtimeConfig } as const;

  test.each(Object.keys(sound) as (keyof typeof sound)[])('of %s', async (kind) => {
    let refused = 0;
    for (const pointer of pointersOf(sound[kind])) {
      for (const wrong of WRONG) {
        const value = patched(sound[kind], pointer, wrong);
        const found = await validateDocument(value, kind);
        const musts = found.findings.filter(({ level }) => level === 'must').map(({ rule }) => rule);
        const takes = schemaTakes(kind, JSON.parse(JSON.stringify(value)));
        if (!takes) refused++;
        // What the schema refuses is a breach of a MUST; but null, which the text of a configuration allows, and what is listed above.
        const lenient = found.findings.some(({ rule }) => rule in LENIENT) || (kind === 'config' && wrong === null);
        if (!takes && !lenient) expect([pointer, wrong, musts.length > 0]).toEqual([pointer, wrong, true]);
      }
    }
    expect(refused).toBeGreaterThan(80);
  });

  test('and the schemas can refuse', () => {
    expect(schemaTakes('manifest', manifest)).toBe(true);
    expect(schemaTakes('manifest', { ...manifest, config: { digest: DIGEST } })).toBe(false);
    expect(schemaTakes('runtime-config', patched(runtimeConfig, '/linux/seccomp/defaultAction', 'x'))).toBe(false);
  });
});

/** Every member of a document, from the outside in. */
function pointersOf(value: unknown, pointer = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [at, ...pointersOf(one, at)];
  });
}

/** JSON by itself, and each kind of document by what validates and decodes it. */
import { isDeepStrictEqual } from 'node:util';
import { validate } from '../../../converters/index.ts';
import { parseImageManifest } from '../../../formats/appc/manifest.ts';
import { parsePodManifest } from '../../../formats/appc/pod.ts';
import { createContext } from '../../../formats/base/context.ts';
import { parseJson } from '../../../formats/json/parse.ts';
import { config, descriptor, index, manifest, runtimeConfig } from '../../converters/validate/documents.ts';
import { sliced } from '../../formats/support.ts';
import { jsonText, mutatedBytes, mutatedJson, STRANGE } from '../mutate.ts';
import { Find, outcomeOf, type Subject } from '../subject.ts';
import { aciFrom, aciManifestFrom, dockerFrom, ociFrom, podManifestFrom } from './images.ts';

const SOUND = {
  index,
  manifest,
  config,
  descriptor,
  'runtime-config': runtimeConfig,
  'layout-file': { imageLayoutVersion: '1.0.0' },
};

/** Nothing is accepted that JSON.parse does not take, and what is accepted is the same. */
const json: Subject = {
  name: 'json',
  make(random) {
    const text = jsonText(random.chance(0.5) ? random.pick(STRANGE) : mutatedJson(runtimeConfig, random), random);
    return { bytes: random.chance(0.5) ? mutatedBytes(text, random) : text };
  },
  async check({ bytes }) {
    const found = parseJson(bytes, createContext());
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!isDeepStrictEqual(found, JSON.parse(text))) throw new Find('JSON.parse finds something else');
  },
};

const document: Subject = {
  name: 'document',
  make: (random) => ({ bytes: jsonText(mutatedJson(random.pick(Object.values(SOUND)), random, 6), random) }),
  async check({ bytes }, random) {
    const from = random.chance(0.3) ? {} : { from: random.pick([...Object.keys(SOUND), 'docker-manifest', 'schema1']) };
    await validate({ stream: sliced(bytes, 1000), ...from });
  },
};

const appc: Subject = {
  name: 'appc-manifest',
  make: (random) => ({ bytes: random.chance(0.5) ? aciManifestFrom(random) : podManifestFrom(random) }),
  async check({ bytes }) {
    await outcomeOf(async () => void parsePodManifest(bytes, createContext()));
    parseImageManifest(bytes, createContext());
  },
};

/** A validation says everything: it goes on where a reader stops. */
const validation: Subject = {
  name: 'validate',
  make: (random) => ({ bytes: random.pick([dockerFrom, ociFrom, aciFrom])(random) }),
  check: async ({ bytes }, random) =>
    void (await validate({ stream: sliced(bytes, 10_000) }, { fast: random.chance(0.1) })),
};

export const DOCUMENT_SUBJECTS: readonly Subject[] = [json, document, appc, validation];

/**
 * Annotations and labels: strings by name, and what the names that are defined may say.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
 */
import type { Json } from '../../formats/json/parse.ts';
import { shown } from './findings.ts';
import { isObject, mapOf, member, pointerTo, type Report, type Shape, text, under } from './shape.ts';
import { isBelowDomain, isDigestText, isTime, isUri } from './texts.ts';

/** Where annotations stand. References count on descriptors of `index.json` alone. */
export type AnnotationPlace = 'index.json' | 'elsewhere';

const OWN = 'org.opencontainers.image.';

/** Names below `org.opencontainers.image` that are defined, and what their values have to be. */
const DEFINED: Readonly<Record<string, ((value: string) => boolean) | undefined>> = {
  created: isTime,
  authors: undefined,
  url: undefined,
  documentation: undefined,
  source: undefined,
  version: undefined,
  revision: undefined,
  vendor: undefined,
  licenses: undefined,
  'ref.name': undefined,
  title: undefined,
  description: undefined,
  'base.digest': isDigestText,
  'base.name': undefined,
  'referrer.subject': isDigestText,
  'referrer.convert': undefined,
  // What conversion.md gives to the annotations of bundles, and labels may say beforehand.
  os: undefined,
  architecture: undefined,
  variant: undefined,
  'os.version': undefined,
  'os.features': undefined,
  author: undefined,
  stopSignal: undefined,
  exposedPorts: undefined,
};

/** The grammar of `ref.name`. */
const REFERENCE = /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/;
const MOST_REFERENCE = 512;

export const annotations = (place: AnnotationPlace): Shape =>
  under('oci/annotations', (value, pointer, report) => {
    mapOf(text)(value, pointer, report);
    checkNames(value, pointer, report);
    checkReference(value, pointer, place, report);
  });

/** Labels follow the rules of annotations, and name no reference. */
export const labels: Shape = under('oci/config-labels', (value, pointer, report) => {
  mapOf(text)(value, pointer, report);
  checkNames(value, pointer, report);
});

function checkNames(value: Json, pointer: string, report: Report): void {
  if (!isObject(value)) return;
  for (const [name, found] of Object.entries(value)) {
    const at = pointerTo(pointer, name);
    if (name.startsWith(OWN)) checkDefined(name.slice(OWN.length), found, at, report);
    else if (/^org\.opencontainers(?:\.|$)/.test(name))
      report(at, `${shown(name)} is reserved, and no specification defines it`, 'oci/annotations-reserved');
    else if (!isBelowDomain(name)) report(at, `${shown(name)} is below no domain`, 'oci/annotations-domain');
  }
}

function checkDefined(name: string, value: Json, at: string, report: Report): void {
  if (!Object.hasOwn(DEFINED, name))
    return report(at, `${shown(OWN + name)} is reserved, and not defined`, 'oci/annotations-reserved');
  if (typeof value !== 'string') return;
  const test = DEFINED[name];
  if (test && !test(value)) report(at, `${shown(value)} is not of the form that is defined`, 'oci/annotations-value');
  // A host with its domain or port, or this machine; without one a name means what a tool takes it for.
  if (name === 'base.name' && !/^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:\d+)\/./.test(value))
    report(at, `${shown(value)} does not say its registry`, 'oci/base-name');
  if (/^(?:url|documentation|source)$/.test(name) && value !== '' && !isUri(value))
    report(at, `${shown(value)} is not an address`, 'oci/annotations-value');
}

function checkReference(value: Json, pointer: string, place: AnnotationPlace, report: Report): void {
  const name = member(value, `${OWN}ref.name`);
  if (typeof name !== 'string') return;
  const at = pointerTo(pointer, `${OWN}ref.name`);
  if (place !== 'index.json')
    return report(at, 'a name counts on descriptors of index.json only', 'oci/ref-name-place');
  if (name.length > MOST_REFERENCE || !REFERENCE.test(name))
    report(at, `${shown(name)} does not follow the grammar of references`, 'oci/ref-name');
}

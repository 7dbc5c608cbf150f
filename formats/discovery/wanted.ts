/**
 * What is asked for: `NAME[:VERSION][,LABEL=VALUE…]`, and whether an image is that.
 * https://github.com/appc/spec/blob/v0.8.11/spec/discovery.md
 */
import type { ImageManifest } from '../appc/manifest.ts';
import { architectureLabel } from '../appc/platform.ts';
import { isIdentifier } from '../appc/types.ts';
import { OcixError } from '../base/errors.ts';
import { printable } from '../bytes/text.ts';

export interface Wanted {
  readonly name: string;
  /** As stated. */
  readonly labels: ReadonlyMap<string, string>;
  /** `os` and `arch`, where they are not stated. */
  readonly assumed: ReadonlyMap<string, string>;
}

/** As Go names them. */
export interface WantedPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** @throws OcixError usage/argument */
export function parseWanted(text: string, platform: WantedPlatform): Wanted {
  const [reference = '', ...pairs] = text.split(',');
  const colon = reference.indexOf(':');
  const name = colon < 0 ? reference : reference.slice(0, colon);
  const stated = [...(colon < 0 ? [] : [`version=${reference.slice(colon + 1)}`]), ...pairs];
  const labels = new Map<string, string>();
  for (const pair of stated) {
    const [, label = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    if (!isIdentifier(label) || label === 'name' || value === '')
      throw wrong(
        `${printable(pair)} is no label with a value`,
        'Labels are written as LABEL=VALUE, with a comma in front.',
      );
    if (labels.has(label)) throw wrong(`the label ${label} is given twice`, 'Give it once.');
    labels.set(label, value);
  }
  checkName(name);
  return { name, labels, assumed: without(labels, platformLabels(platform)) };
}

/** An image that another one depends on: for the same platform, unless it says otherwise. */
export const wantedBy = (parent: Wanted, name: string, labels: ReadonlyMap<string, string>): Wanted => {
  const platform = new Map(
    [...parent.assumed, ...parent.labels].filter(([label]) => label === 'os' || label === 'arch'),
  );
  return { name, labels, assumed: without(labels, platform) };
};

const platformLabels = ({ os, architecture, variant }: WantedPlatform): ReadonlyMap<string, string> =>
  new Map([
    ['os', os],
    ['arch', architectureLabel(architecture, variant)],
  ]);

const without = (
  labels: ReadonlyMap<string, string>,
  assumed: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> => new Map([...assumed].filter(([label]) => !labels.has(label)));

function checkName(name: string): void {
  if (name !== name.toLowerCase() && isIdentifier(name.toLowerCase()))
    throw wrong(`${printable(name)} is no image name: letters are lower-case there`, `Write ${name.toLowerCase()}.`);
  if (!isIdentifier(name) || !isLocation(name))
    throw wrong(
      name === '' ? 'there is no name to ask for' : `${printable(name)} is no image name`,
      'For example appc:example.com/app:1.0,os=linux,arch=amd64.',
    );
}

/** A name can be any identifier; as a place to ask at, its parts must be a host and the parts of a path. */
export function isLocation(name: string): boolean {
  const parts = name.split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..') && URL.canParse(`https://${parts[0]}/`);
}

const wrong = (message: string, hint: string): OcixError => new OcixError('usage/argument', message, { hint });

/**
 * What tells an image from the one that is wanted; undefined where it is that one. A stated label must be there with that value. One that is
 * assumed may be missing; there with another value, it tells.
 */
export function differenceFrom({ name, labels, assumed }: Wanted, manifest: ImageManifest): Difference | undefined {
  if (manifest.name !== name) return { what: 'name', wanted: name, found: manifest.name };
  for (const [label, wanted] of labels) {
    const found = manifest.labels.get(label);
    if (found !== wanted) return { what: `label ${label}`, wanted, found: found ?? 'none' };
  }
  for (const [label, wanted] of assumed) {
    const found = manifest.labels.get(label) ?? wanted;
    if (found !== wanted) return { what: `label ${label}`, wanted, found };
  }
  return undefined;
}

export interface Difference {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
}

/** @throws OcixError appc/name */
export function checkWanted(wanted: Wanted, manifest: ImageManifest): void {
  const difference = differenceFrom(wanted, manifest);
  if (!difference) return;
  throw new OcixError('appc/name', `the server answered with another image than ${wantedText(wanted)}`, {
    at: ['manifest', difference.what],
    expected: printable(difference.wanted),
    found: printable(difference.found),
    hint: 'Ask for the image that is there, or tell whoever runs the server.',
  });
}

/** For a person. */
export function wantedText({ name, labels }: Wanted): string {
  const version = labels.get('version');
  const others = [...labels].filter(([label]) => label !== 'version').map(([label, value]) => `,${label}=${value}`);
  return printable(`${name}${version === undefined ? '' : `:${version}`}${others.join('')}`);
}

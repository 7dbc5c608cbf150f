/**
 * Texts of an input with a long run of one character. An expression that looks for the end of a run where it is not tries each place of
 * it anew, and takes minutes for what a hostile document has room for.
 */
import { describe, expect, test } from 'vitest';
import { kubePod } from '../../converters/targets/kube-pod.ts';
import { isBelowDomain } from '../../converters/validate/texts.ts';
import { leastManifest } from '../../fixtures/aci.ts';
import { tar } from '../../fixtures/tar.ts';
import { appFor } from '../../formats/appc/app-for.ts';
import { referencesOf } from '../../formats/appc/config.ts';
import { parseImageManifest } from '../../formats/appc/manifest.ts';
import { nameOfReference } from '../../formats/appc/naming.ts';
import { nameFrom } from '../../formats/appc/types.ts';
import { createContext } from '../../formats/base/context.ts';
import { withoutEnd, withoutEnds } from '../../formats/bytes/text.ts';
import { parseStanzas } from '../../formats/debian/control.ts';
import { conffilesOf } from '../../formats/debian/survey.ts';
import { endpointsFor } from '../../formats/discovery/template.ts';
import { parseWanted } from '../../formats/discovery/wanted.ts';
import { sameForm } from '../../formats/model/reference.ts';
import { verifyCleartext } from '../../formats/openpgp/cleartext.ts';
import { mergedTree } from '../../formats/rootfs/tree.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';
import { configWith } from '../converters/runtime/generate.ts';
import { cpuTime, refusalOf } from '../formats/support.ts';

const run = (text: string): string => text.repeat(100_000);
/** Milliseconds. In steps that grow with the square of the run it is half a minute. */
const SOON = 2000;
const context = createContext();

const linkTo = (target: string): unknown => {
  const tree = mergedTree();
  tree.nextLayer();
  const scanner = tarScanner(context.limits, { entry: (entry) => void tree.apply(entry) });
  scanner.push(tar([{ name: 'l', link: target }]));
  scanner.finish();
  return tree.real('l');
};

const shellOf = (text: string): unknown => {
  const image = { kind: 'image', names: [], config: configWith(), layers: [], history: [], original: {} } as const;
  const app = { name: 'web', image, config: configWith({ cmd: [text] }), replaced: false, mounts: [], ports: [] };
  const pod = { kind: 'pod', names: [], volumes: [], isolation: {}, ports: [], annotations: new Map<string, string>() };
  const apps = [{ ...app, readOnlyRoot: false, annotations: new Map<string, string>() }];
  return kubePod({ ...pod, kind: 'pod', apps }, new Map([[image, 'example.com/a']]), context);
};

const READERS: Readonly<Record<string, () => unknown>> = {
  'a list of configuration files': () => conffilesOf(Buffer.from(`/a${run(' ')}b`)),
  'control data': () => parseStanzas(`A: b${run(' ')}c\n ${run('\t')}d${run(' ')}e\n`),
  'the prefix of a discovery tag': () =>
    endpointsFor(
      [{ kind: 'image', prefix: `a${run('/')}b`, target: '' }],
      parseWanted('a', { os: 'linux', architecture: 'amd64' }),
    ),
  'the target of a symlink': () => linkTo(`a${run('/')}b`),
  'a signed text': () =>
    refusalOf(() => verifyCleartext(Buffer.from(`a${run(' ')}b`), { keys: [], policy: { now: new Date(0) } }, context)),
  'the path of a volume': () =>
    appFor(
      configWith({ volumes: [`/a${run('/')}b`] }),
      { user: '0', group: '0', supplementaryGids: [] },
      new Map(),
      context,
    ),
  'a name that no app may have': () => nameFrom(`a${run('_')}b`),
  'the name of an App Container Image': () =>
    referencesOf(
      parseImageManifest(Buffer.from(JSON.stringify({ ...leastManifest, name: `a${run('-')}b` })), context),
      context,
    ),
  'a reference that no App Container Image may be called by': () => nameOfReference(`a${run('_')}B`),
  'a reference with colons': () => sameForm(`a${run(':')}/b`),
  'a command with dollar signs': () => shellOf(run('$(')),
  'the name of an annotation': () => isBelowDomain(`a${run('.a')}\n`),
};

describe('a run of a hundred thousand characters', () => {
  test.each(Object.keys(READERS))('in %s is read at once', async (name) => {
    const started = cpuTime();
    await READERS[name]!();
    expect(cpuTime() - started).toBeLessThan(SOON);
  });
});

test('withoutEnd() and withoutEnds() take these characters and no others', () => {
  expect([withoutEnd('--a-b--', '-'), withoutEnds('-_a-b_-', '-_'), withoutEnds('---', '-')]).toEqual([
    '--a-b',
    'a-b',
    '',
  ]);
});

/** deb2aci: packages as an App Container Image, as the tool of that name wrote them, with what it left out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DebRecipe, deb } from '../../fixtures/deb.ts';
import { accepted, type Manifest } from '../converters/targets/aci-images.ts';
import { memberJson, membersOf } from '../converters/targets/archives.ts';
import { scratch } from '../fixtures/peers.ts';
import { fileOf, ocix, output, refusalOf } from './command.ts';

const app: DebRecipe = {
  fields: { Package: 'app', Version: '2:1.0~rc1-3', Architecture: 'amd64', Depends: 'libapp++0' },
  data: { 'usr/bin/app': '#!/bin/sh\n' },
};
const library: DebRecipe = {
  fields: { Package: 'libapp++0', Version: '4.2', Architecture: 'amd64' },
  data: { 'usr/lib/libapp.so': 'x' },
};
const plus: DebRecipe = { fields: { Package: 'g++' }, data: { 'usr/bin/g++': 'x' } };

const files = (folder: string, ...recipes: readonly DebRecipe[]): readonly string[] =>
  recipes.map((recipe) => fileOf(deb(recipe), `${recipe.fields!['Package']}_1_amd64.deb`, folder));

async function manifestOf(path: string): Promise<Manifest> {
  accepted(path);
  return memberJson(await membersOf(path), 'manifest') as Manifest;
}

const packagesIn = ({ annotations = [] }: Manifest): Readonly<Record<string, string>> =>
  Object.fromEntries(
    annotations.flatMap(({ name, value }) => (name.startsWith('debian.org/deb/') ? [[name.slice(15), value]] : [])),
  );

describe('deb2aci', () => {
  test('writes one image of all packages, each with its annotation, and runs what it is told', async () => {
    const folder = scratch();
    const out = join(folder, 'out.aci');
    const options = ['-q', '--compress', 'none', '--exec', '/usr/bin/app', '--ref', 'example.com/app:1'];
    output(['deb2aci', ...options, ...files(folder, app, library), out]);
    const manifest = await manifestOf(out);
    expect(packagesIn(manifest)).toEqual({ app: 'amd64/2:1.0~rc1-3', libapp_0: 'amd64/4.2' });
    expect(manifest).toMatchObject({ name: 'example.com/app', app: { exec: ['/usr/bin/app'] } });
    const names = (await membersOf(out)).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['rootfs/usr/bin/app', 'rootfs/usr/lib/libapp.so', 'rootfs/var/lib/dpkg/status']),
    );
    expect(JSON.parse(output(['inspect', '--json', out])).images[0].names).toEqual(['example.com/app:1']);
  });

  test('tells two architectures of one package apart, and leaves out what no identifier can end with', async () => {
    const folder = scratch();
    const other = {
      fields: { ...library.fields, Architecture: 'i386', 'Multi-Arch': 'same' },
      data: { 'usr/lib/32': 'x' },
    };
    const both = { fields: { ...library.fields, 'Multi-Arch': 'same' }, data: { 'usr/lib/64': 'x' } };
    const inputs = [both, other, plus].map((recipe, i) => fileOf(deb(recipe), `${i}.deb`, folder));
    output(['deb2aci', '-q', '--compress', 'none', ...inputs, join(folder, 'out.aci')]);
    expect(packagesIn(await manifestOf(join(folder, 'out.aci')))).toEqual({
      'libapp_0~amd64': 'amd64/4.2',
      'libapp_0~i386': 'i386/4.2',
    });
  });

  test('calls the image like the first package, gives the same bytes, and takes nothing away', () => {
    const [one, two] = [scratch(), scratch()];
    for (const cwd of [one, two]) output(['deb2aci', '-q', ...files(cwd, app, library)], { cwd });
    expect(readdirSync(one).filter((name) => name.endsWith('.aci'))).toEqual(['app_1_amd64.aci']);
    const [a, b] = [one, two].map((cwd) => readFileSync(join(cwd, 'app_1_amd64.aci')));
    expect(a!.equals(b!)).toBe(true);
    expect(refusalOf(ocix(['deb2aci', '-q', ...files(one, app, library)], { cwd: one })).code).toBe('output/exists');
  });

  test('is the only command that writes those annotations', () => {
    const folder = scratch();
    output(['deb2oci', '-q', ...files(folder, app, library), join(folder, 'out')]);
    expect(output(['inspect', '--json', join(folder, 'out')])).not.toContain('debian.org/deb/');
  });
});

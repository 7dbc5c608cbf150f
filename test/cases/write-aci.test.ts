/** The commands that write App Container Images. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { greeting, sampleLayer } from '../../fixtures/images.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import { newKey } from '../formats/openpgp/keys.ts';
import { fileOf, greetingFile, ocix, output, refusalOf } from './command.ts';

const OCIX = join(import.meta.dirname, '../../dist/ocix.js');
const named = (...tags: readonly string[]): string =>
  fileOf(dockerSave({ ...greeting('amd64'), tags }, { generation: '1.10' }), 'app.tar');

describe('docker2aci', () => {
  test.each([
    ['busybox:latest', 'library-busybox-latest.aci'],
    ['quay.io/coreos/etcd:v2.3', 'coreos-etcd-v2.3.aci'],
    ['localhost:5000/a/b:1', 'a-b-1.aci'],
  ])('calls the image of %s %s', (tag, name) => {
    const cwd = scratch();
    const [line] = output(['docker2aci', '-q', named(tag)], { cwd }).split('\n');
    expect(line!.split('\t')).toEqual([tag, expect.stringMatching(/^sha256:[0-9a-f]{64}$/), name]);
    expect(readdirSync(cwd)).toEqual([name]);
  });

  test('calls an image without a name like its archive', () => {
    const cwd = scratch();
    output(['docker2aci', '-q', named()], { cwd });
    expect(readdirSync(cwd)).toEqual(['app.aci']);
  });

  test('goes by the name that is asked for', () => {
    const cwd = scratch();
    output(['docker2aci', '-q', '--ref', 'other/name:2', named('a:1')], { cwd });
    expect(readdirSync(cwd)).toEqual(['other-name-2.aci']);
  });

  test('does not write over an image of that name', () => {
    const cwd = scratch();
    writeFileSync(join(cwd, 'library-a-1.aci'), 'mine');
    expect(refusalOf(ocix(['docker2aci', '-q', named('a:1')], { cwd })).code).toBe('output/exists');
    expect(readFileSync(join(cwd, 'library-a-1.aci'), 'utf8')).toBe('mine');
  });

  test('reads a pipe and writes one, and needs a name for the rest', () => {
    const input = readFileSync(greetingFile());
    const out = join(scratch(), 'out.aci');
    output(['docker2aci', '-q', '-', out], { input });
    const script = '"$0" "$1" docker2aci -q "$2" - > "$3"';
    const piped = `${out}.piped`;
    expect(spawnSync('sh', ['-c', script, process.execPath, OCIX, greetingFile(), piped]).status).toBe(0);
    expect(readFileSync(piped).equals(readFileSync(out))).toBe(true);
    expect(refusalOf(ocix(['docker2aci', '-'], { input })).code).toBe('usage/argument');
  });
});

describe('an ACI', () => {
  test('that was an OCI image before gets its own manifest back, byte for byte', () => {
    const folder = scratch();
    const at = (name: string): string => join(folder, name);
    output(['convert', '-q', '--to', 'aci', greetingFile(), at('a.aci')]);
    output(['aci2oci', '-q', at('a.aci'), at('layout')]);
    output(['convert', '-q', '--to', 'aci', `oci:${at('layout')}`, at('b.aci')]);
    output(['convert', '-q', '--to', 'docker-archive', at('a.aci'), at('archive.tar')]);
    output(['convert', '-q', '--to', 'aci', at('archive.tar'), at('c.aci')]);
    // Nothing else about the tree has changed, so neither has the image.
    expect(readFileSync(at('b.aci')).equals(readFileSync(at('a.aci')))).toBe(true);
    expect(readFileSync(at('c.aci')).equals(readFileSync(at('a.aci')))).toBe(true);
    output(['convert', '-q', '--to', 'aci', '--ref', 'example.com/new:2', `oci:${at('layout')}`, at('d.aci')]);
    expect(JSON.parse(output(['inspect', '--json', at('d.aci')])).images[0].names).toEqual(['example.com/new:2']);
  });

  test('is signed on request, beside it', async () => {
    const key = await newKey();
    const folder = scratch();
    const at = (name: string): string => join(folder, name);
    mkdirSync(at('keys'));
    writeFileSync(at('secret.asc'), key.armor());
    writeFileSync(at('keys/public.asc'), key.toPublic().armor());
    output(['convert', '-q', '--to', 'aci', '--sign-key', at('secret.asc'), greetingFile(), at('a.aci')]);
    expect(output(['verify', '-q', '--keyring', at('keys'), at('a.aci')])).toContain('good, signed by Alice');
    expect(
      refusalOf(
        ocix(['convert', '-q', '--to', 'aci', '--sign-key', at('keys/public.asc'), greetingFile(), at('b.aci')]),
      ).code,
    ).toBe('keyring/invalid');
    writeFileSync(at('c.aci.asc'), 'mine');
    expect(
      refusalOf(ocix(['convert', '-q', '--to', 'aci', '--sign-key', at('secret.asc'), greetingFile(), at('c.aci')]))
        .code,
    ).toBe('output/exists');
    expect(
      refusalOf(ocix(['convert', '-q', '--to', 'aci', '--sign-key', at('secret.asc'), greetingFile(), '-'])).code,
    ).toBe('usage/option');
    expect(refusalOf(ocix(['convert', '-q', '--sign-key', at('secret.asc'), greetingFile(), at('out')])).code).toBe(
      'usage/option',
    );
    expect(readdirSync(folder).sort()).toEqual(['a.aci', 'a.aci.asc', 'c.aci.asc', 'keys', 'secret.asc']);
  });
});

describe('an output that cannot take it', () => {
  const large = (): string => {
    const layer = sampleLayer([{ name: 'large', body: randomBytes(4 << 20) }]);
    return fileOf(dockerSave({ layers: [layer], tags: ['a:1'] }, { generation: '1.10' }), 'in.tar');
  };
  const traces = (): readonly string[] => readdirSync(tmpdir()).filter((name) => /^ocix-[A-Za-z0-9]{6}$/.test(name));

  test.each(['aci', 'docker-archive', 'oci-archive', 'tar'])('%s ends with 7 where the pipe is closed', (to) => {
    const before = traces();
    const script = 'set -o pipefail; "$0" "$1" convert -q --to "$2" "$3" - | head -c 1 > /dev/null; echo "$?"';
    const args = ['-c', script, process.execPath, OCIX, to, large()];
    expect(spawnSync('bash', args, { encoding: 'utf8' }).stdout).toBe('7\n');
    expect(traces().filter((name) => !before.includes(name))).toEqual([]);
  });

  test.each(['aci', 'docker-archive', 'oci-archive', 'tar'])('%s ends with 7 where nothing can be written', (to) => {
    const before = traces();
    const script = '"$0" "$1" convert -q --to "$2" "$3" - > /dev/full';
    const run = spawnSync('sh', ['-c', script, process.execPath, OCIX, to, large()], { encoding: 'utf8' });
    expect([run.status, run.stderr]).toEqual([7, expect.stringMatching(/^ocix: output\//)]);
    expect(traces().filter((name) => !before.includes(name))).toEqual([]);
  });

  const mounts = process.getuid?.() === 0 ? withPeer('unshare') : test.skip;
  mounts.each([['aci'], ['aci', '--layers', 'each'], ['docker-archive'], ['oci-archive'], ['tar']])(
    '%s %s %s ends with 7 where the disk is full, without a trace',
    (...to) => {
      const small = scratch();
      const script = 'mount -t tmpfs -o size=1m none "$0" && { "$@" "$0/out" 2>/dev/null; echo $?; ls -A "$0"; }';
      const command = [process.execPath, OCIX, 'convert', '-q', '--to', ...to.filter(Boolean), large()];
      const run = runPeer({ tool: 'unshare', args: ['--mount', 'bash', '-c', script, small, ...command] });
      expect(run.toString()).toBe('7\n');
    },
  );
});

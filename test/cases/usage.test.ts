/** What a user does wrong, and what the command says to it: a status, a code, a hint, three lines at most. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { LESSONS } from '../../cli/lessons.ts';
import { dockerSave, type Generation } from '../../fixtures/docker-save.ts';
import { greeting } from '../../fixtures/images.ts';
import { layoutTar, ociLayout } from '../../fixtures/oci-layout.ts';
import { tar } from '../../fixtures/tar.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { scratch } from '../fixtures/peers.ts';
import { fileOf, greetingFile, OCIX, ocix, output, refused, snapshot } from './command.ts';
import { namesOf } from './layout.ts';

const image = greeting('amd64');

describe('help', () => {
  test('ocix alone says what it is and what most people need', () => {
    const text = output([]);
    for (const command of ['convert', 'docker2oci', 'inspect', 'ls', 'detect']) expect(text).toContain(command);
    expect(output(['--help'])).toContain('Most people need');
  });

  test.each(Object.keys(LESSONS))('ocix %s --help has examples and exit statuses', (command) => {
    const text = output([command, '--help']);
    expect(text).toContain(`Usage: ocix ${command}`);
    expect(text).toContain('Examples:');
    expect(text).toContain('Exit status:');
    expect(output(['help', command])).toBe(text);
  });

  test('--version prints the version and nothing else', () => {
    expect(output(['--version'])).toBe(`${packageJson.version}\n`);
  });

  test.each([[['--version', '--json']], [['--json', '--version']]])('%j says what it works with', (args) => {
    const facts = JSON.parse(output(args));
    expect(facts).toMatchObject({
      ocix: packageJson.version,
      node: process.versions.node,
      platform: expect.stringMatching(/^[a-z0-9]+\/[a-z0-9]+$/),
      openat2: expect.any(Boolean),
      engines: {
        gzip: { name: 'libdeflate', version: packageJson.devDependencies.libdeflate, native: false },
        gunzip: { name: 'node:zlib', native: true },
        digest: { name: 'node:crypto', native: true },
        openpgp: { version: packageJson.dependencies.openpgp },
      },
    });
    expect(Object.keys(facts.engines)).toEqual(
      expect.arrayContaining(['zstd', 'unzstd', 'xz', 'unxz', 'unxzRare', 'unbzip2', 'unlzma', 'syscalls']),
    );
  });
});

describe('wrong usage ends in 2', () => {
  test.each([
    [['cnvert', 'a', 'b'], 'Did you mean convert?'],
    [['help', 'convet'], 'Did you mean convert?'],
    [['docker2oc', 'a'], 'Did you mean docker2oci?'],
    [['convert', '--forse', 'a', 'b'], 'Did you mean --force?'],
    [['convert', '--compres', 'gzip', 'a', 'b'], 'Did you mean --compress?'],
    [['ls', '--jsn', 'a'], 'Did you mean --json?'],
    [['convert', '--compres=gzip', 'a', 'b'], 'Did you mean --compress=gzip?'],
    [['inspect', '--plattform=linux/arm64', 'a'], 'Did you mean --platform=linux/arm64?'],
    [['validate', '--level', 'mst', 'a'], 'Did you mean must?'],
    [['inspect', '--progress=plian', 'a'], 'Did you mean plain?'],
  ])('%j: the likely one is suggested', (args, suggestion) => {
    const refusal = refused(args, { cwd: scratch() });
    expect(refusal).toMatchObject({ status: 2, code: 'usage/argument', stdout: '' });
    expect(refusal.lines.join('\n')).toContain(suggestion);
  });

  test.each([
    [['convert', '--to', 'ocii', 'a', 'b'], 'Did you mean oci?'],
    [['convert', '--to=docker-archve', 'a', 'b'], 'Did you mean docker-archive?'],
    [['convert', '--from', 'docker-archiv', 'a', 'b'], 'Did you mean docker-archive?'],
    [['convert', '--compress', 'zsdt', 'a', 'b'], 'Did you mean zstd?'],
    [['inspect', '--limit', 'entrys=1', 'a'], 'Did you mean entries?'],
    [['diff', '--ignore', 'mtme', 'a', 'b'], 'Did you mean mtime?'],
    [['bundle', '--caps', 'chwon', 'a', 'b'], 'Did you mean CAP_CHOWN?'],
    [['inspect', 'docker-archve:app.tar'], 'Did you mean docker-archive:app.tar?'],
  ])('%j: the likely value is suggested', (args, suggestion) => {
    const refusal = refused(args, { cwd: scratch() });
    expect(refusal).toMatchObject({ status: 2, stdout: '' });
    expect(refusal.lines.join('\n')).toContain(suggestion);
    expect(refusal.lines.length).toBeLessThanOrEqual(3);
  });

  test('what is far from everything gets no suggestion', () => {
    for (const args of [
      ['convert', '--to', 'floppy', 'a', 'b'],
      ['convert', '--xyzzy=1', 'a', 'b'],
      ['inspect', 'nowhere.tar'],
    ])
      expect(refused(args, { cwd: scratch() }).lines.join(' ')).not.toContain('Did you mean');
  });

  test.each([
    [['convert']],
    [['convert', 'only-one']],
    [['convert', 'a', 'b', 'c']],
    [['inspect']],
    [['detect', 'a', 'b']],
    [['convert', '', 'out']],
    [['convert', 'missing.tar', 'out']],
    [['convert', 'docker-archive:', 'out']],
    [['convert', 'docker-archive:missing.tar:a:1', 'out']],
    [['convert', '--from', 'floppy', 'a', 'out']],
    [['convert', '--to', 'floppy', 'a', 'out']],
    [['convert', '--limit', 'patience=3', 'a', 'out']],
    [['convert', '--limit', 'entries=none', 'a', 'out']],
    [['ls', '--layer', 'two', 'a']],
    [['docker2oci', '-']],
    [['migrate', '.', '']],
  ])('%j', (args) => {
    const folder = scratch();
    const refusal = refused(args, { cwd: folder });
    expect(refusal).toMatchObject({ status: 2, code: expect.stringMatching(/^(?:usage|source)\//), stdout: '' });
    expect(refusal.lines.length).toBeLessThanOrEqual(3);
    expect(snapshot(folder)).toEqual([]);
  });
});

describe('a name that is not UTF-8', () => {
  // Node cannot pass one on; a shell can.
  const inShell = (script: string, cwd: string) =>
    spawnSync('bash', ['-c', script, process.execPath, OCIX, greetingFile()], { cwd, encoding: 'utf8' });

  test('is refused, and not taken for another one', () => {
    const folder = scratch();
    for (const script of [`"$0" "$1" unpack "$2" $'\\xff'`, `"$0" "$1" inspect $'caf\\xe9.tar'`]) {
      const { status, stderr } = inShell(script, folder);
      expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('not UTF-8') });
    }
    expect(snapshot(folder)).toEqual([]);
  });

  test('may have the character in it that stands for one', () => {
    expect(inShell('"$0" "$1" unpack -q "$2" \ufffd', scratch())).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('an option that the source cannot follow is not passed over', () => {
  test.each([
    ['convert', '--arch', 'arm64'],
    ['convert', '--layers', 'package'],
    ['convert', '--distroless'],
    ['convert', '--apt-repo', 'somewhere'],
    ['convert', '--apt-keyring', 'somewhere'],
    ['convert', '--components', 'main'],
    ['convert', '--lock', 'lock'],
    ['convert', '--dep', 'somewhere'],
    ['convert', '--rkt-compat'],
    ['convert', '--insecure'],
    ['unpack', '--explain', 'libc6'],
    ['bundle', '--configure'],
    ['bundle', '--dep', 'somewhere'],
    ['inspect', '--distroless'],
    ['inspect', '--insecure'],
    ['ls', '--explain', 'libc6'],
    ['runtime-config', '--rkt-compat'],
  ])('%s %s for a docker archive', (command, ...options) => {
    const folder = scratch();
    const out = ['inspect', 'ls', 'runtime-config'].includes(command) ? [] : ['out'];
    const refusal = refused([command, ...options, greetingFile(), ...out], { cwd: folder });
    expect(refusal).toMatchObject({ status: 2, code: 'usage/option', stdout: '' });
    expect(refusal.lines[0]).toContain(`${options.join(' ').replace(/ (?!package).*/, '')} is for `);
    expect(snapshot(folder)).toEqual([]);
  });

  test.each([
    ['aci:nowhere', '--insecure'],
    ['aci:nowhere', '--distroless'],
    ['oci:nowhere', '--dep', 'somewhere'],
    ['deb:nowhere', '--rkt-compat'],
    ['deb:nowhere', '--apt-repo', 'somewhere'],
    ['apt:stable/nowhere', '--dep', 'somewhere'],
    ['tar:nowhere', '--passphrase-file', OCIX],
    ['deb:nowhere', '--passphrase-file', OCIX],
  ])('%s %s: said before anything is read', (source, ...options) => {
    const refusal = refused(['inspect', source, ...options], { cwd: scratch() });
    expect(refusal).toMatchObject({ status: 2, code: 'usage/option' });
    expect(refusal.lines[0]).toContain(options[0]);
  });

  test.each([
    ['docker2aci', '--dep', 'somewhere'],
    ['docker2oci', '--rkt-compat'],
    ['deb2oci', '--insecure'],
  ])('%s, which names the format, %s', (command, ...options) => {
    const folder = scratch();
    expect(refused([command, 'nowhere', ...options], { cwd: folder })).toMatchObject({
      status: 2,
      code: 'usage/option',
    });
    expect(snapshot(folder)).toEqual([]);
  });

  test('an estate, of which nothing is fetched, --insecure and --lock; --dep is for the images that need it', () => {
    const folder = scratch();
    mkdirSync(join(folder, 'images'));
    fileOf(dockerSave(image, { generation: '1.10' }), 'images/app.tar', folder);
    for (const options of [['--insecure'], ['--lock', 'lock']])
      expect(refused(['migrate', ...options, 'images', 'out'], { cwd: folder })).toMatchObject({
        status: 2,
        code: 'usage/option',
      });
    expect(output(['migrate', '--dep', 'images', '--rkt-compat', 'images', 'out'], { cwd: folder })).toContain(
      'greeting',
    );
  });

  test('two sources, --lock and --explain', () => {
    for (const options of [
      ['--lock', 'lock'],
      ['--explain', 'libc6'],
    ])
      expect(refused(['diff', ...options, 'apt:stable/a', 'apt:stable/b'], { cwd: scratch() })).toMatchObject({
        status: 2,
        code: 'usage/option',
      });
  });

  test('no signature to check, --allow-weak-signatures', () => {
    const refusal = refused(['inspect', '--allow-weak-signatures', greetingFile()]);
    expect(refusal).toMatchObject({ status: 2, code: 'usage/option' });
  });
});

test.each([
  '--arch',
  '--components',
  '--dep',
  '--explain',
  '--apt-repo',
  '--apt-keyring',
  '--keyring',
  '--lock',
  '--passphrase-file',
  '--signature',
  '--sign-key',
])('%s with nothing behind it, which a variable that was never set gives, is wrong usage', (option) => {
  const folder = scratch();
  const refusal = refused(['convert', option, '', greetingFile(), 'out'], { cwd: folder });
  expect(refusal).toMatchObject({ status: 2, code: 'usage/option' });
  expect(refusal.lines[0]).toContain(`nothing behind ${option}`);
  expect(snapshot(folder)).toEqual([]);
});

test.each([
  ['static:web', /static: is a target that this version of ocix does not write/],
  ['docker://example.com/app:1', /is in a registry/],
  ['docker:app', /docker: is a source/],
])('%s as a target is told for what it is', (out, what) => {
  const folder = scratch();
  const refusal = refused(['convert', greetingFile(), out], { cwd: folder });
  expect(refusal).toMatchObject({ status: 2, code: 'usage/argument' });
  expect(refusal.lines[0]).toMatch(what);
  expect(snapshot(folder)).toEqual([]);
});

test.each([
  ['convert', ''],
  ['convert', 'oci:'],
  ['bundle', ''],
  ['unpack', ''],
])('%s to %j, which a variable that was never set gives, does not mean the current folder', (command, out) => {
  const folder = scratch();
  fileOf(Buffer.from('precious'), 'keep', folder);
  const before = snapshot(folder);
  for (const force of [[], ['--force']])
    expect(refused([command, ...force, greetingFile(), out], { cwd: folder })).toMatchObject({
      status: 2,
      code: 'usage/argument',
    });
  expect(snapshot(folder)).toEqual(before);
});

describe('what is not recognised or not supported ends in 3', () => {
  const inputs: Readonly<Record<string, Uint8Array>> = {
    'an empty file': Buffer.alloc(0),
    'a short text': Buffer.from('hello\n'),
    'a long text': Buffer.from('hello\n'.repeat(1000)),
    'a plain tar': tar([{ name: 'etc/passwd', body: 'root:x:0:0::/:' }]),
    'a tar of nothing': tar([]),
    'text in gzip': gzipSync('hello\n'.repeat(1000)),
  };
  test.each(Object.keys(inputs))('%s, as a file and from a pipe, for every command', (kind) => {
    const folder = scratch();
    const path = fileOf(inputs[kind]!, 'input.bin', folder);
    const before = snapshot(folder);
    for (const refusal of [
      refused(['convert', path, join(folder, 'out')]),
      refused(['convert', '-', join(folder, 'out')], { input: inputs[kind]! }),
      refused(['inspect', path]),
      refused(['ls', path]),
      refused(['detect', path]),
      refused(['docker2oci', path, join(folder, 'out')]),
    ].slice(0, kind.includes('tar') ? 5 : 6)) {
      expect(refusal).toMatchObject({ status: 3, code: 'format/unknown', stdout: '' });
      expect(refusal.lines.length).toBeLessThanOrEqual(3);
    }
    expect(snapshot(folder)).toEqual(before);
  });

  test('a folder that is no layout', () => {
    const folder = scratch();
    mkdirSync(join(folder, 'in'));
    writeFileSync(join(folder, 'in/readme'), 'x');
    mkdirSync(join(folder, 'in/.ocix-000000-1-00000000'));
    const refusal = refused(['convert', 'in', 'out'], { cwd: folder });
    expect(refusal).toMatchObject({ status: 3, code: 'format/unknown' });
    expect(refusal.lines[1]).toMatch(/first entries: readme$/);
  });

  test.each(['docker://example.com/app:1', 'static:folder'])('%s, which another version reads', (source) => {
    expect(refused(['convert', source, 'out'], { cwd: scratch() })).toMatchObject({
      status: 3,
      code: 'format/unsupported',
    });
  });
});

test('every error is three lines at most, with code, place and hint, also where the input tries to draw on the terminal', () => {
  const folder = scratch();
  const evil = '\x1b[2J\nocix: fake\r';
  const bytes = dockerSave(image, { generation: '1.10', manifest: (items) => [{ ...items[0], Layers: [evil, evil] }] });
  const refusal = refused(['convert', fileOf(bytes, 'e.tar', folder), join(folder, 'out')]);
  expect(refusal).toMatchObject({ status: 4, code: 'member/missing' });
  expect(refusal.lines.length).toBeLessThanOrEqual(3);
  expect(refusal.lines.join('')).not.toMatch(/[\x1b\r]/);
  expect(refusal.lines[1]).toMatch(/^ {2}at {2}.*e\.tar > manifest\.json > /);
});

describe('docker2oci', () => {
  test.each([
    ['app.tar', 'app.oci'],
    ['app.tar.gz', 'app.oci'],
    ['app-1.0.tgz', 'app-1.0.oci'],
    ['app.docker', 'app.oci'],
    ['no-suffix', 'no-suffix.oci'],
    ['v1.2.3.tar.xz', 'v1.2.3.oci'],
  ])('calls the layout of %s %s, in the current folder', (name, wanted) => {
    const folder = scratch();
    const elsewhere = scratch();
    const path = fileOf(dockerSave(image, { generation: '1.10' }), name, elsewhere);
    expect(output(['docker2oci', '-q', path], { cwd: folder })).toMatch(
      new RegExp(`\t${wanted.replaceAll('.', '\\.')}\n$`),
    );
    expect(namesOf(join(folder, wanted))).toEqual(['greeting:latest']);
  });

  test.each<Generation>(['v1', '25', 'containerd'])(
    'reads the form %s from a pipe, to the OUT that is given',
    (generation) => {
      const folder = scratch();
      output(['docker2oci', '-q', '-', 'x.oci'], { cwd: folder, input: dockerSave(image, { generation }) });
      expect(namesOf(join(folder, 'x.oci'))).toEqual(['greeting:latest']);
    },
  );

  test('refuses what is no docker archive, rather than read it as something else', () => {
    const folder = scratch();
    const path = fileOf(layoutTar(ociLayout(image)), 'layout.tar', folder);
    const refusal = refused(['docker2oci', path], { cwd: folder });
    expect(refusal.status).toSatisfy((status) => status === 3 || status === 4);
    expect(snapshot(folder).map((line) => line.split(' ')[0])).toEqual(['layout.tar']);
  });

  test('does not write over the file that it reads', () => {
    const folder = scratch();
    const path = fileOf(dockerSave(image, { generation: '1.10' }), 'app.oci', folder);
    const before = snapshot(folder);
    expect(refused(['docker2oci', path, path])).toMatchObject({ status: 7, code: 'output/exists' });
    expect(refused(['docker2oci', path], { cwd: folder }).status).toBe(0);
    expect(snapshot(folder)).toEqual(expect.arrayContaining([...before]));
    expect(namesOf(join(folder, 'app.oci.oci'))).toEqual(['greeting:latest']);
  });
});

test('an option may stand behind the arguments, and --from in the place of a transport', () => {
  const out = join(scratch(), 'out');
  output(['convert', greetingFile({ generation: '25' }), out, '--from', 'oci', '-q']);
  expect(namesOf(out)).toEqual(['latest']);
  expect(ocix(['convert', '--from', 'docker-archive', greetingFile(), out]).status).toBe(0);
});

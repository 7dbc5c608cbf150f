/** Each MUST and SHOULD of conversion.md, as layers-and-rootfs.md numbers them in section 7.1. */
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../../fixtures/docker-save.ts';
import { sampleLayer } from '../../../fixtures/images.ts';
import {
  annotated,
  blobOf,
  emptyLayout,
  layoutTar,
  putDocument,
  putImage,
  setIndex,
} from '../../../fixtures/oci-layout.ts';
import { fileOf, output, refused } from '../../cases/command.ts';
import { codeOf, refusalOf } from '../../formats/support.ts';
import { generate } from './generate.ts';

describe('R1: process.cwd is WorkingDir', () => {
  test('verbatim', () => {
    expect(generate({ workingDir: '/srv/app/' }).document.process.cwd).toBe('/srv/app/');
  });

  test.each([undefined, ''])('and / where it is %j', (workingDir) => {
    expect(generate({ ...(workingDir === undefined ? {} : { workingDir }) }).document.process.cwd).toBe('/');
  });

  test.each(['app', './app', '../etc', 'proc/self/fd/7'])('a relative one, %s, is refused', async (workingDir) => {
    expect(await codeOf(() => generate({ workingDir }))).toBe('image/config');
  });
});

describe('R2: process.env holds Env verbatim and in order', () => {
  const env = ['B=2', 'A=1', 'EMPTY=', 'EQUALS=a=b=c', 'LINES=one\ntwo', 'B=3', 'ünï=ç'];

  test('repeated names, empty values, equals signs and newlines included', () => {
    expect(generate({ env }).document.process.env.slice(0, env.length)).toEqual(env);
  });

  test('what is added stands behind: PATH and HOME, and TERM only with a terminal', () => {
    const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    expect(generate().document.process.env).toEqual([path, 'HOME=/']);
    expect(generate({}, {}, { terminal: true }).document.process.env).toEqual([path, 'HOME=/', 'TERM=xterm']);
    expect(generate({ env }).document.process.env.slice(env.length)).toEqual([path, 'HOME=/']);
  });

  test('a name in Env is not added again, whatever its value (umoci overwrote HOME)', () => {
    const own = ['HOME=', 'PATH=/own', 'TERM=dumb'];
    const passwd = 'root:x:0:0::/root:/bin/sh\n';
    expect(generate({ env: own }, { 'etc/passwd': passwd }, { terminal: true }).document.process.env).toEqual(own);
  });

  test('a name that only begins or ends like one that is added does not count', () => {
    const env = ['HOMEDIR=/x', 'MYPATH=/y', 'home=/z'];
    expect(generate({ env }).document.process.env).toEqual([...env, expect.stringMatching(/^PATH=/), 'HOME=/']);
  });

  test('HOME comes from the user database of the image', () => {
    const home = (passwd: string, user?: string) =>
      generate({ ...(user ? { user } : {}) }, { 'etc/passwd': passwd }).document.process.env.at(-1);
    expect(home('root:x:0:0::/root:/bin/sh\n')).toBe('HOME=/root');
    expect(home('app:x:7:7::/srv/app:/bin/sh\n', 'app')).toBe('HOME=/srv/app');
    expect(home('app:x:7:7::/srv/app:/bin/sh\n', '7:0')).toBe('HOME=/srv/app');
    expect(home('app:x:7:7::/srv/app:/bin/sh\n', '8')).toBe('HOME=/');
    expect(home('root:x:0:0\n')).toBe('HOME=/');
    expect(home('root:x:0:0::relative:/bin/sh\n')).toBe('HOME=/');
    expect(home('root:x:0:0::/ro\0ot:/bin/sh\n')).toBe('HOME=/');
  });

  test.each(['NOVALUE', '=x', '', 'A\0B=1', 'A=\0'])('%j in Env is refused, never dropped', async (line) => {
    expect(await codeOf(() => generate({ env: ['A=1', line] }))).toBe('image/config');
  });
});

describe('R3: process.args is Entrypoint, then Cmd', () => {
  test('both, each alone, and words that are empty', () => {
    const args = (entrypoint: string[], cmd: string[]) => generate({ entrypoint, cmd }).document.process.args;
    expect(args(['/e', '-a'], ['b', ''])).toEqual(['/e', '-a', 'b', '']);
    expect(args(['/e'], [])).toEqual(['/e']);
    expect(args([], ['/c', '$HOME', 'a b'])).toEqual(['/c', '$HOME', 'a b']);
  });

  test('neither is refused, with the way to unpack it all the same', async () => {
    const refusal = await refusalOf(() => generate({ cmd: [] }));
    expect([refusal?.code, refusal?.hint]).toEqual(['image/config', expect.stringContaining('ocix unpack')]);
  });

  test('a NUL in a word is refused', async () => {
    expect(await codeOf(() => generate({ cmd: ['/bin/a\0b'] }))).toBe('image/config');
  });
});

describe('R4: annotations from the fields of the configuration', () => {
  const full = {
    platform: {
      os: 'linux',
      architecture: 'amd64',
      variant: 'v3',
      osVersion: '6.1',
      osFeatures: ['a', 'b'],
    },
    author: 'Somebody <s@example.org>',
    created: '2024-02-29T12:00:00.123456789Z',
    stopSignal: 'SIGINT',
  };

  test('all of them, author in the singular, and none that is empty', () => {
    expect(generate(full).document.annotations).toEqual({
      'org.opencontainers.image.os': 'linux',
      'org.opencontainers.image.architecture': 'amd64',
      'org.opencontainers.image.variant': 'v3',
      'org.opencontainers.image.os.version': '6.1',
      'org.opencontainers.image.os.features': 'a,b',
      'org.opencontainers.image.author': 'Somebody <s@example.org>',
      'org.opencontainers.image.created': '2024-02-29T12:00:00.123456789Z',
      'org.opencontainers.image.stopSignal': 'SIGINT',
    });
    expect(Object.keys(generate({ author: '', stopSignal: '' }).document.annotations)).toEqual([
      'org.opencontainers.image.os',
      'org.opencontainers.image.architecture',
    ]);
  });

  test('a health check, which the specification has no key for, is kept under a key of ours', () => {
    const { annotations } = generate({ healthcheck: { test: ['CMD', '/check'], retries: 3 } }).document;
    expect(JSON.parse(annotations['io.ocix.healthcheck'])).toEqual({ test: ['CMD', '/check'], retries: 3 });
  });
});

describe('R5: every label is an annotation', () => {
  test('unchanged, and wins over what R4 and R8 make', () => {
    const labels = new Map([
      ['org.opencontainers.image.author', ''],
      ['org.opencontainers.image.os', 'plan9'],
      ['org.opencontainers.image.exposedPorts', 'none'],
      ['with space', ' value\n'],
      ['__proto__', 'a label too'],
      ['constructor', 'and this'],
    ]);
    const { annotations } = generate({ author: 'A', exposedPorts: ['80/tcp'], labels }).document;
    expect(Object.entries(annotations)).toEqual(expect.arrayContaining([...labels]));
    expect(Object.keys(annotations)).toHaveLength(labels.size + 1);
  });

  test.each([
    'run.oci.handler',
    'run.oci.hooks.stderr',
    'org.criu.config',
    'cdi.k8s.io/gpu',
    'containerd.io/restart.loguri',
    'io.kubernetes.cri-o.Annotations',
    'org.systemd.property.Delegate',
  ])('%s, which steers a runtime, is copied with a note', (name) => {
    const { document, notes } = generate({ labels: new Map([[name, 'x']]) });
    expect(document.annotations[name]).toBe('x');
    expect(notes).toEqual([expect.objectContaining({ kind: 'defaulted', message: expect.stringContaining(name) })]);
  });

  test('other labels are not worth a note, and no label makes a hook', () => {
    const { document, notes } = generate({ labels: new Map([['hooks', '{"prestart":[]}']]) });
    expect([notes, document.hooks]).toEqual([[], undefined]);
  });
});

describe('R6: annotations of a manifest or an index are not copied', () => {
  test('neither comes into config.json', () => {
    const image = {
      layers: [sampleLayer([{ name: 'bin/' }])],
      tags: ['annotated:1'],
      config: { config: { Cmd: ['/bin/x'], Labels: { label: 'yes' } } },
    };
    const layout = emptyLayout();
    const manifest = putImage(layout, image);
    const parsed = JSON.parse(blobOf(layout, manifest).toString());
    const own = { ...parsed, annotations: { 'org.example.manifest': 'no' } };
    setIndex(
      layout,
      [annotated(putDocument(layout, own, manifest.mediaType), { 'org.example.descriptor': 'no' })],
      (index) => ({ ...index, annotations: { 'org.example.index': 'no' } }),
    );
    const text = output(['runtime-config', '-q', fileOf(layoutTar(layout))]);
    expect(JSON.parse(text).annotations.label).toBe('yes');
    expect(text).not.toContain('org.example');
    expect(text).not.toContain('ref.name');
  });
});

describe('R8: exposed ports are one annotation', () => {
  test('sorted and separated by commas; absent where there are none', () => {
    const key = 'org.opencontainers.image.exposedPorts';
    expect(generate({ exposedPorts: ['8080/tcp', '53/udp'] }).document.annotations[key]).toBe('53/udp,8080/tcp');
    expect(key in generate().document.annotations).toBe(false);
  });
});

describe('R11: what the caller asks for', () => {
  test('--tty, --read-only and --caps change what they say and nothing else', () => {
    const before = generate().document;
    const { document } = generate({}, {}, { terminal: true, readOnly: true, capabilities: ['CAP_KILL'] });
    expect(document.process.terminal).toBe(true);
    expect(document.root).toEqual({ path: 'rootfs', readonly: true });
    const one = ['CAP_KILL'];
    expect(document.process.capabilities).toEqual({ bounding: one, effective: one, permitted: one });
    const { process: _, root: __, ...rest } = document;
    const { process: ___, root: ____, ...same } = before;
    expect(rest).toEqual(same);
  });

  test.each([
    ['chown,cap_net_raw , KILL', ['CAP_CHOWN', 'CAP_KILL', 'CAP_NET_RAW']],
    ['none', undefined],
  ])('--caps %s', (text, wanted) => {
    const file = fileOf(dockerSave({ layers: [], config: { config: { Cmd: ['x'] } } }, { generation: '1.10' }));
    const { process } = JSON.parse(output(['runtime-config', '-q', '--caps', text, file]));
    expect(process.capabilities.bounding).toEqual(wanted ?? []);
  });

  test('--caps with a name that is none is wrong usage', () => {
    const file = fileOf(dockerSave({ layers: [], config: { config: { Cmd: ['x'] } } }, { generation: '1.10' }));
    for (const caps of ['CAP_FLY', '', 'CHOWN,,KILL'])
      expect(refused(['runtime-config', '--caps', caps, file])).toMatchObject({ status: 2, code: 'usage/option' });
  });
});

describe('an image of another platform', () => {
  test('of another system is refused, with the way that stays open', async () => {
    const refusal = await refusalOf(() => generate({ platform: { os: 'windows', architecture: 'amd64' } }));
    expect([refusal?.code, refusal?.hint]).toEqual(['format/unsupported', expect.stringContaining('ocix convert')]);
  });

  test('of another architecture is noted; one that is not said is not', () => {
    expect(generate({ platform: { os: 'linux', architecture: 's390x' } }).notes).toEqual([
      expect.objectContaining({ kind: 'defaulted', message: expect.stringContaining('s390x') }),
    ]);
    expect(generate({ platform: {} }).notes).toEqual([]);
  });
});

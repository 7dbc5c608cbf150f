/** Every kind of document that the generator writes, held against the official schema of the runtime specification. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ajvDraft04 from 'ajv-draft-04';
import { describe, expect, test } from 'vitest';
import type { ImageConfig } from '../../../formats/model/config.ts';
import { generate } from './generate.ts';

const CORPUS = join(import.meta.dirname, '../../../../shared/corpus');
const SCHEMAS = join(CORPUS, 'schemas/runtime-spec');
const there = existsSync(SCHEMAS);

const Ajv = ajvDraft04.default;
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

function validator() {
  const ajv = new Ajv({ strict: false, allErrors: true });
  for (const name of readdirSync(SCHEMAS))
    if (name !== 'config-schema.json') ajv.addSchema(json(join(SCHEMAS, name)), name);
  return ajv.compile(json(join(SCHEMAS, 'config-schema.json')));
}

const namespace = {
  uids: [
    { container: 0, host: 1000, size: 1 },
    { container: 1, host: 4294901758, size: 65536 },
  ],
  gids: [{ container: 0, host: 1000, size: 1 }],
};
const passwd = 'app:x:1000:4294967294::/app:\n';

const confined: Partial<ImageConfig> = {
  supplementaryGroups: [400, 4294967294],
  runtimeEnv: ['container=x'],
  mountPoints: [
    { name: 'a', path: '/a', readOnly: true, volume: { kind: 'empty', mode: 0o1777, uid: 5, gid: 6 } },
    {
      name: 'b',
      path: '/b',
      readOnly: false,
      volume: { kind: 'host', source: '/opt', recursive: true, readOnly: true },
    },
    { name: 'c', path: '/c', readOnly: false },
  ],
  isolation: {
    cpu: { request: 1, limit: 1500, shares: 512 },
    memory: { request: 1, limit: Number.MAX_SAFE_INTEGER },
    capabilities: ['CAP_CHECKPOINT_RESTORE'],
    seccomp: { mode: 'retain', calls: ['read'], errno: 'ENOSYS' },
    noNewPrivileges: true,
    oomScoreAdj: -1000,
    selinuxLabel: 'u:r:t:s0',
    apparmorProfile: 'p',
    sysctl: { 'net.ipv4.ip_forward': '1' },
    unsupported: [{ name: 'x', value: null }],
  },
};

describe.runIf(there)('the official schema (skipped where ../shared/corpus/schemas is absent)', () => {
  test.each([
    ['of an image that says nothing', generate()],
    [
      'of one that says everything',
      generate(
        {
          platform: { os: 'linux', architecture: 'arm', variant: 'v7', osVersion: '1', osFeatures: ['x'] },
          entrypoint: ['/e'],
          env: ['A=b\nc', 'ü='],
          user: 'app',
          workingDir: '/w',
          author: 'a',
          created: '2024-02-29T12:00:00Z',
          stopSignal: '9',
          exposedPorts: ['80/tcp'],
          volumes: ['/v', '/full'],
          labels: new Map([['l', '']]),
          healthcheck: { test: ['NONE'] },
        },
        { 'etc/passwd': passwd, 'etc/group': 'g:x:44:app\n', 'full/': '' },
        { terminal: true, readOnly: true, capabilities: ['CAP_KILL'] },
      ),
    ],
    ['without privileges', generate({ volumes: ['/v'] }, {}, { userNamespace: namespace })],
    ['of one that is confined in every way', generate(confined)],
    [
      'of one whose filter lists what is refused',
      generate({ isolation: { seccomp: { mode: 'remove', calls: ['reboot'] } } }),
    ],
    ['without capabilities', generate({}, {}, { capabilities: [] })],
  ])('takes the document %s', (_, { document }) => {
    const validate = validator();
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('takes and refuses what the corpus says that it does, so it can tell', () => {
    const validate = validator();
    for (const name of readdirSync(join(CORPUS, 'runtime-config/good')))
      expect([name, validate(json(join(CORPUS, 'runtime-config/good', name)))]).toEqual([name, true]);
    expect(validate(json(join(CORPUS, 'runtime-config/bad/linux-netdevice.json')))).toBe(false);
    const wrong = generate().document;
    expect(validate({ ...wrong, process: { ...wrong.process, cwd: 7 } })).toBe(false);
    expect(validate({ ...wrong, mounts: [{ type: 'tmpfs' }] })).toBe(false);
  });
});

/** One sound document of each kind, with most of what it may hold. */
export const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;

export const descriptor = {
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: DIGEST,
  size: 7,
  platform: { architecture: 'amd64', os: 'linux' },
  annotations: { 'org.opencontainers.image.ref.name': 'example/app:1.0', 'com.example.key': '' },
};

export const index = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [descriptor],
  annotations: {},
};

export const manifest = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: DIGEST, size: 2 },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: DIGEST, size: 3 }],
  annotations: { 'org.opencontainers.image.created': '2024-02-29T12:00:00Z' },
};

export const config = {
  created: '2024-02-29T12:00:00.5+01:00',
  architecture: 'arm64',
  variant: 'v8',
  os: 'linux',
  config: {
    User: 'guest:1000',
    ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8080': {} },
    Env: ['A=b', 'EMPTY='],
    Entrypoint: ['/bin/app'],
    Cmd: null,
    Volumes: { '/data': {} },
    WorkingDir: '/srv',
    Labels: { 'com.example.team': 'core' },
    StopSignal: 'SIGRTMIN+3',
  },
  rootfs: { type: 'layers', diff_ids: [DIGEST] },
  history: [{ created: '2024-02-29T12:00:00Z', created_by: 'COPY' }, { empty_layer: true }],
};

export const runtimeConfig = {
  ociVersion: '1.0.2',
  root: { path: 'rootfs' },
  process: {
    user: { uid: 1000, gid: 1000, additionalGids: [44] },
    args: ['/bin/app'],
    env: ['PATH=/bin'],
    cwd: '/',
    capabilities: { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], effective: ['CAP_KILL'] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }],
  },
  hostname: 'app',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts' },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm' },
  ],
  annotations: { 'com.example.key': 'v' },
  linux: {
    namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'uts' }],
    devices: [{ type: 'c', path: '/dev/fuse', major: 10, minor: 229 }],
    resources: { devices: [{ allow: false, access: 'rwm' }], cpu: { shares: 1024 }, memory: { limit: 1024 } },
    maskedPaths: ['/proc/kcore'],
    readonlyPaths: ['/proc/bus'],
    seccomp: {
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      syscalls: [
        { names: ['read', 'write'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
      ],
    },
  },
};

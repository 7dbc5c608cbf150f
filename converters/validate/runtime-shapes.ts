/**
 * The form of `config.json`, whatever the platform; `linux` has a file of its own.
 * https://github.com/opencontainers/runtime-spec/tree/v1.2.1/schema
 */
import { linux, mapping } from './linux-shapes.ts';
import {
  bool,
  int32,
  list,
  mapOf,
  matching,
  object,
  oneOf,
  required,
  type Shape,
  text,
  uint32,
  uint64,
  under,
  whole,
} from './shape.ts';
import { isSemVer } from './texts.ts';

const strings = list(text);
const uint16 = whole(0, 2 ** 16 - 1);

const mount = object({
  source: text,
  destination: required(text),
  options: strings,
  type: text,
  uidMappings: list(mapping),
  gidMappings: list(mapping),
});

const hook = object({
  path: required(text),
  args: strings,
  env: strings,
  timeout: under('runtime/hook-timeout', whole(1, Number.MAX_SAFE_INTEGER)),
});

const SCHEDULERS = ['OTHER', 'FIFO', 'RR', 'BATCH', 'ISO', 'IDLE', 'DEADLINE'].map((name) => `SCHED_${name}`);
const SCHEDULER_FLAGS = [
  'RESET_ON_FORK',
  'RECLAIM',
  'DL_OVERRUN',
  'KEEP_POLICY',
  'KEEP_PARAMS',
  'UTIL_CLAMP_MIN',
  'UTIL_CLAMP_MAX',
].map((name) => `SCHED_FLAG_${name}`);

const processShape = object({
  args: strings,
  commandLine: text,
  consoleSize: object({ height: required(uint64), width: required(uint64) }),
  cwd: required(text),
  env: strings,
  terminal: bool,
  user: object({ uid: uint32, gid: uint32, umask: uint32, additionalGids: list(uint32), username: text }),
  capabilities: object({
    bounding: strings,
    permitted: strings,
    effective: strings,
    inheritable: strings,
    ambient: strings,
  }),
  apparmorProfile: text,
  oomScoreAdj: whole(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  selinuxLabel: text,
  ioPriority: object({
    class: required(oneOf('IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE')),
    priority: required(int32),
  }),
  noNewPrivileges: bool,
  scheduler: object({
    policy: required(oneOf(...SCHEDULERS)),
    nice: int32,
    priority: int32,
    flags: list(oneOf(...SCHEDULER_FLAGS)),
    runtime: uint64,
    deadline: uint64,
    period: uint64,
  }),
  rlimits: list(
    object({
      type: required(matching(/^RLIMIT_[A-Z]+$/, 'a kind of limit')),
      soft: required(uint64),
      hard: required(uint64),
    }),
  ),
  execCPUAffinity: object({
    initial: matching(/^[0-9, -]*$/, 'a list of processors'),
    final: matching(/^[0-9, -]*$/, 'a list of processors'),
  }),
});

const solaris = object({
  milestone: text,
  limitpriv: text,
  maxShmMemory: text,
  cappedCPU: object({ ncpus: text }),
  cappedMemory: object({ physical: text, swap: text }),
  anet: list(
    object({
      linkname: text,
      lowerLink: text,
      allowedAddress: text,
      configureAllowedAddress: text,
      defrouter: text,
      macAddress: text,
      linkProtection: text,
    }),
  ),
});

const windows = object({
  layerFolders: required(list(text, 1)),
  devices: list(object({ id: required(text), idType: required(oneOf('class')) })),
  resources: object({
    memory: object({ limit: uint64 }),
    cpu: object({ count: uint64, shares: uint16, maximum: uint16, affinity: object({ mask: uint64, group: uint32 }) }),
    storage: object({ iops: uint64, bps: uint64, sandboxSize: uint64 }),
  }),
  network: object({
    endpointList: strings,
    allowUnqualifiedDNSQuery: bool,
    DNSSearchList: strings,
    networkSharedContainerName: text,
    networkNamespace: text,
  }),
  credentialSpec: object({}),
  servicing: bool,
  ignoreFlushesDuringBoot: bool,
  hyperv: object({ utilityVMPath: text }),
});

const vm = object({
  hypervisor: object({ path: required(text), parameters: strings }),
  kernel: required(object({ path: required(text), parameters: strings, initrd: text })),
  image: object({ path: required(text), format: required(oneOf('raw', 'qcow2', 'vdi', 'vmdk', 'vhd')) }),
  hwConfig: object({
    deviceTree: text,
    vcpus: uint32,
    memory: uint64,
    dtdevs: strings,
    iomems: list(object({ firstGFN: uint64, firstMFN: required(uint64), nrMFNs: required(uint64) })),
    irqs: list(uint32),
  }),
});

const zos = object({
  namespaces: list(object({ type: required(oneOf('mount', 'pid', 'uts', 'ipc')), path: text })),
});

const SHARING = ['disable', 'new', 'inherit'];

const freebsd = object({
  devices: list(object({ path: text, mode: whole(0, 0o777) })),
  jail: object({
    parent: text,
    host: oneOf('new', 'inherit'),
    ip4: oneOf(...SHARING),
    ip4Addr: strings,
    ip6: oneOf(...SHARING),
    ip6Addr: strings,
    vnet: oneOf('new', 'inherit'),
    interface: text,
    vnetInterfaces: strings,
    sysvmsg: oneOf(...SHARING),
    sysvsem: oneOf(...SHARING),
    sysvshm: oneOf(...SHARING),
    enforceStatfs: whole(0, 255),
    allow: object({
      setHostname: bool,
      rawSockets: bool,
      chflags: bool,
      mount: strings,
      quotas: bool,
      socketAf: bool,
      mlock: bool,
      reservedPorts: bool,
      suser: bool,
    }),
  }),
});

export const HOOKS = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;
export const PLATFORMS = ['linux', 'solaris', 'windows', 'vm', 'zos', 'freebsd'] as const;

export const runtimeConfigShape: Shape = object({
  ociVersion: required(
    under('runtime/version', (value, pointer, report) => {
      text(value, pointer, report);
      if (typeof value === 'string' && !isSemVer(value))
        report(pointer, `${JSON.stringify(value.slice(0, 40))} is no version`);
    }),
    'runtime/version',
  ),
  hooks: object(Object.fromEntries(HOOKS.map((name) => [name, list(hook)]))),
  annotations: mapOf(text),
  hostname: text,
  domainname: text,
  mounts: list(mount),
  root: object({ path: required(text), readonly: bool }),
  process: processShape,
  linux,
  solaris,
  windows,
  vm,
  zos,
  freebsd,
});

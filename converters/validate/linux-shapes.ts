/**
 * The form of `linux` in `config.json`.
 * https://github.com/opencontainers/runtime-spec/blob/v1.2.1/config-linux.md
 */
import {
  bool,
  int64,
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
  whole,
} from './shape.ts';

const strings = list(text);
const weight = whole(0, 2 ** 16 - 1);

/** Ids of a user namespace, and of a mount. */
export const mapping: Shape = object({
  containerID: required(uint32),
  hostID: required(uint32),
  size: required(uint32),
});

const device = object({
  type: required(matching(/^[cbup]$/, 'c, b, u or p')),
  path: required(text),
  fileMode: uint32, // the schema ends at 512, the text does not, and podman writes the bits of the type too
  major: int64,
  minor: int64,
  uid: uint32,
  gid: uint32,
});

const numbered = { major: required(int64), minor: required(int64) };
const throttles = list(object({ ...numbered, rate: required(uint64) }));

const resources = object({
  unified: mapOf(text),
  devices: list(object({ allow: required(bool), type: text, major: int64, minor: int64, access: text })),
  pids: object({ limit: required(int64) }),
  blockIO: object({
    weight,
    leafWeight: weight,
    throttleReadBpsDevice: throttles,
    throttleWriteBpsDevice: throttles,
    throttleReadIOPSDevice: throttles,
    throttleWriteIOPSDevice: throttles,
    weightDevice: list(object({ ...numbered, weight, leafWeight: weight })),
  }),
  cpu: object({
    cpus: text,
    mems: text,
    period: uint64,
    quota: int64,
    burst: uint64,
    realtimePeriod: uint64,
    realtimeRuntime: int64,
    shares: uint64,
    idle: int64,
  }),
  hugepageLimits: list(
    object({
      pageSize: required(matching(/^[1-9][0-9]*[KMG]B$/, 'a size of pages such as 2MB')),
      limit: required(uint64),
    }),
  ),
  memory: object({
    kernel: int64,
    kernelTCP: int64,
    limit: int64,
    reservation: int64,
    swap: int64,
    swappiness: uint64,
    disableOOMKiller: bool,
    useHierarchy: bool,
    checkBeforeUpdate: bool,
  }),
  network: object({
    classID: uint32,
    priorities: list(object({ name: required(text), priority: required(uint32) })),
  }),
  rdma: mapOf(object({ hcaHandles: uint32, hcaObjects: uint32 })),
});

const ARCHITECTURES = (
  'X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 ' +
  'PPC PPC64 PPC64LE S390 S390X SH SHEB PARISC PARISC64 RISCV64'
)
  .split(' ')
  .map((name) => `SCMP_ARCH_${name}`);
const action = oneOf(
  ...'KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG NOTIFY'.split(' ').map((name) => `SCMP_ACT_${name}`),
);
const FLAGS = 'TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV'.split(' ').map((name) => `SECCOMP_FILTER_FLAG_${name}`);
const OPERATORS = 'NE LT LE EQ GE GT MASKED_EQ'.split(' ').map((name) => `SCMP_CMP_${name}`);

const seccomp = object({
  defaultAction: required(action),
  defaultErrnoRet: uint32,
  flags: list(oneOf(...FLAGS)),
  listenerPath: text,
  listenerMetadata: text,
  architectures: list(oneOf(...ARCHITECTURES)),
  syscalls: list(
    object({
      names: required(list(text, 1)),
      action: required(action),
      errnoRet: uint32,
      args: list(
        object({
          index: required(uint32),
          value: required(uint64),
          valueTwo: uint64,
          op: required(oneOf(...OPERATORS)),
        }),
      ),
    }),
  ),
});

export const NAMESPACES = ['mount', 'pid', 'network', 'uts', 'ipc', 'user', 'cgroup', 'time'] as const;
const POLICIES = 'DEFAULT BIND INTERLEAVE WEIGHTED_INTERLEAVE PREFERRED PREFERRED_MANY LOCAL'.split(' ');
const offset = object({ secs: int64, nanosecs: uint32 });

export const linux: Shape = object({
  devices: list(device),
  netDevices: mapOf(object({ name: text })),
  uidMappings: list(mapping),
  gidMappings: list(mapping),
  namespaces: list(object({ type: required(oneOf(...NAMESPACES)), path: text })),
  resources,
  cgroupsPath: text,
  rootfsPropagation: oneOf('private', 'shared', 'slave', 'unbindable'),
  seccomp,
  sysctl: mapOf(text),
  maskedPaths: strings,
  readonlyPaths: strings,
  mountLabel: text,
  intelRdt: object({
    closID: text,
    schemata: strings,
    l3CacheSchema: text,
    memBwSchema: matching(/^MB:[^\n]*$/, 'a schema that begins with MB:'),
    enableMonitoring: bool,
  }),
  memoryPolicy: object({
    mode: oneOf(...POLICIES.map((name) => `MPOL_${name}`)),
    nodes: text,
    flags: list(oneOf(...['NUMA_BALANCING', 'RELATIVE_NODES', 'STATIC_NODES'].map((name) => `MPOL_F_${name}`))),
  }),
  personality: object({ domain: required(oneOf('LINUX', 'LINUX32')), flags: strings }),
  timeOffsets: object({ boottime: offset, monotonic: offset }),
});

/**
 * A filter of system calls, as `linux.seccomp` has it.
 * https://github.com/opencontainers/runtime-spec/blob/v1.1.0/config-linux.md#seccomp
 */
import { type Context, note } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Json } from '../../formats/json/parse.ts';
import type { SeccompFilter } from '../../formats/model/isolation.ts';
import { errnoOf } from './errno.ts';

/**
 * What runtimes call between putting the filter in force and the first instruction of the program, found by leaving out one at a time:
 * runc 1.1.5 ends the wait for `start` (openat, write, close) and closes what is left open (getpid, openat, fstatfs, epoll_ctl,
 * getdents64, close), from Go, whose scheduler may need futex and rt_sigreturn; crun 1.8.1 calls close. Then comes execve. The two
 * exits are there so that a program can end: the specification of the isolator allows a minimum for that.
 * This is enough only with `noNewPrivileges`: without, the filter is in force before ids and capabilities are set.
 */
export const RUNTIME_CALLS: readonly string[] = [
  'close',
  'epoll_ctl',
  'execve',
  'exit',
  'exit_group',
  'fstatfs',
  'futex',
  'getdents64',
  'getpid',
  'openat',
  'rt_sigreturn',
  'write',
];

/** By GOARCH, with those whose programs the processor runs too. Others are left to the runtime, which takes its own. */
const ARCHITECTURES: Readonly<Record<string, readonly string[]>> = {
  '386': ['X86'],
  amd64: ['X86_64', 'X86', 'X32'],
  arm: ['ARM'],
  arm64: ['AARCH64', 'ARM'],
  mips: ['MIPS'],
  mips64: ['MIPS64', 'MIPS64N32', 'MIPS'],
  mips64le: ['MIPSEL64', 'MIPSEL64N32', 'MIPSEL'],
  mipsle: ['MIPSEL'],
  ppc64: ['PPC64', 'PPC'],
  ppc64le: ['PPC64LE'],
  riscv64: ['RISCV64'],
  s390x: ['S390X', 'S390'],
};

/** Undefined where nothing is left to refuse. @throws OcixError image/config for an error that Linux does not have */
export function seccompOf(filter: SeccompFilter, architecture: string | undefined, context: Context): Json | undefined {
  const { mode, calls, errno } = filter;
  const listed = new Set(calls);
  const [action, number] = errno === undefined ? ['SCMP_ACT_KILL_PROCESS'] : errnoAction(errno, architecture, context);
  const known = Object.hasOwn(ARCHITECTURES, architecture ?? '') ? ARCHITECTURES[architecture!]! : [];
  const architectures = known.length ? { architectures: known.map((name) => `SCMP_ARCH_${name}`) } : {};
  // Either way the runtime's own calls are allowed: a program that is never started is confined, but of no use.
  const forced = RUNTIME_CALLS.filter((call) => listed.has(call) === (mode === 'remove'));
  if (forced.length) {
    note(
      context,
      'defaulted',
      `the seccomp filter of the image refuses ${forced.join(', ')}: allowed all the same, since a runtime cannot start the program without`,
      'configuration',
    );
  }
  if (mode === 'retain') {
    return {
      defaultAction: action,
      ...(number === undefined ? {} : { defaultErrnoRet: number }),
      ...architectures,
      syscalls: [{ names: [...new Set([...calls, ...RUNTIME_CALLS])].sort(), action: 'SCMP_ACT_ALLOW' }],
    };
  }
  const refused = calls.filter((call) => !forced.includes(call));
  if (!refused.length) return undefined;
  return {
    // No defaultErrnoRet beside it: crun refuses one where the default is to allow.
    defaultAction: 'SCMP_ACT_ALLOW',
    ...architectures,
    syscalls: [{ names: refused, action, ...(number === undefined ? {} : { errnoRet: number }) }],
  };
}

function errnoAction(name: string, architecture: string | undefined, context: Context): readonly [string, number] {
  const errno = errnoOf(name, architecture);
  if (!errno) {
    throw new OcixError('image/config', `Linux has no error called ${printable(name.slice(0, 40))}`, {
      at: ['configuration'],
      hint: 'Correct the seccomp filter of the image: see errno(3).',
    });
  }
  if (!errno.certain) {
    note(
      context,
      'guessed',
      `${name} is written as ${errno.number}, its number on most processors; ${architecture} may have another`,
      'configuration',
    );
  }
  return ['SCMP_ACT_ERRNO', errno.number];
}

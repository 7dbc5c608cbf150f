/** Named sets of system calls: section 6 of the fact sheet for App Container Images. */
import { describe, expect, test } from 'vitest';
import { expandSeccomp } from '../../../formats/appc/seccomp-sets.ts';

const RKT = '@rkt/default-whitelist';
const size = (name: string, architecture?: string) => expandSeccomp([name], 'retain', architecture).calls.length;

describe('expandSeccomp', () => {
  test('gives single calls back sorted, each once', () => {
    expect(expandSeccomp(['write', 'read', 'write'], 'remove')).toEqual({
      mode: 'remove',
      calls: ['read', 'write'],
      unknown: [],
      approximate: [],
      all: false,
    });
  });

  test.each([
    ['@docker/default-whitelist', 309],
    ['@docker/default-blacklist', 50],
    [RKT, 309],
    ['@rkt/default-blacklist', 50],
    ['@systemd/clock', 6],
    ['@systemd/default-whitelist', 63],
    ['@systemd/mount', 12],
    ['@systemd/network-io', 22],
    ['@systemd/obsolete', 27],
    ['@systemd/privileged', 53],
    ['@systemd/process', 22],
    ['@systemd/raw-io', 7],
    ['@appc.io/empty', 0],
  ])('%s has %d members, in order and each a name', (name, members) => {
    const { calls, unknown } = expandSeccomp([name], 'retain');
    expect([calls.length, new Set(calls).size, unknown]).toEqual([members, members, []]);
    expect(calls).toEqual([...calls].sort());
    for (const call of calls) expect(call).toMatch(/^[a-z0-9_]+$/);
  });

  test('what Docker allows and what it forbids have nothing in common', () => {
    const allowed = new Set(expandSeccomp(['@docker/default-whitelist'], 'retain').calls);
    const forbidden = expandSeccomp(['@docker/default-blacklist'], 'retain').calls;
    expect(forbidden.filter((call) => allowed.has(call))).toEqual([]);
    expect(['read', 'execve', 'futex'].every((call) => allowed.has(call))).toBe(true);
    expect(forbidden).toEqual(expect.arrayContaining(['reboot', 'mount', 'kexec_load']));
  });

  test('joins sets and calls', () => {
    const { calls } = expandSeccomp(['@systemd/clock', 'reboot', 'clock_settime'], 'remove');
    expect(calls).toHaveLength(7);
    expect(calls).toEqual(expect.arrayContaining(['clock_settime', 'reboot']));
  });

  test('on ARM rkt allows six more, and Docker’s list is what it is', () => {
    expect([size(RKT, 'arm'), size(RKT, 'arm64'), size(RKT, 'amd64')]).toEqual([315, 315, 309]);
    expect(size('@docker/default-whitelist', 'arm64')).toBe(309);
  });

  test('@appc.io/all in a retain-set masks everything else: no filter', () => {
    expect(expandSeccomp(['read', '@appc.io/all', '@made/up'], 'retain')).toMatchObject({ all: true, calls: [] });
  });

  test('@appc.io/all in a remove-set means nothing, and is reported', () => {
    const expanded = { all: true, calls: ['read'], unknown: ['@appc.io/all'], mode: 'remove' };
    expect(expandSeccomp(['read', '@appc.io/all'], 'remove')).toMatchObject(expanded);
  });

  test('@appc.io/empty in a remove-set masks everything else and asks for rkt’s own list: a retain-set', () => {
    const { mode, calls } = expandSeccomp(['reboot', '@appc.io/empty'], 'remove', 'arm');
    expect([mode, calls.length, calls.includes('reboot')]).toEqual(['retain', 315, false]);
  });

  test.each(['@docker/other', '@systemd/', '@systemd/constructor', '@unknown/x', '@', '@appc.io/none'])(
    '%s is reported as unknown and adds nothing',
    (name) => {
      expect(expandSeccomp([name, 'read'], 'retain')).toMatchObject({ calls: ['read'], unknown: [name] });
    },
  );

  test('names systemd’s sets as approximate, and no others', () => {
    const names = ['@systemd/clock', '@docker/default-blacklist', '@systemd/none'];
    expect(expandSeccomp(names, 'remove').approximate).toEqual(['@systemd/clock']);
  });
});

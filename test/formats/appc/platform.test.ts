/** Names of platforms: those of the specification, and those that manifests have all the same. */
import { describe, expect, test } from 'vitest';
import { platformOf } from '../../../formats/appc/platform.ts';
import { contextWith } from '../support.ts';
import { notesOf } from './images.ts';

function platform(labels: Readonly<Record<string, string>>) {
  const context = contextWith();
  return { ...platformOf(new Map(Object.entries(labels)), context), notes: notesOf(context) };
}

describe('a platform of the specification', () => {
  test.each([
    ['linux', 'amd64', 'amd64', undefined],
    ['linux', 'i386', '386', undefined],
    ['linux', 'aarch64', 'arm64', 'v8'],
    ['linux', 'armv6l', 'arm', 'v6'],
    ['linux', 'armv7l', 'arm', 'v7'],
    ['linux', 'ppc64', 'ppc64', undefined],
    ['linux', 'ppc64le', 'ppc64le', undefined],
    ['linux', 's390x', 's390x', undefined],
    ['freebsd', 'amd64', 'amd64', undefined],
    ['freebsd', 'i386', '386', undefined],
    ['freebsd', 'arm', 'arm', undefined],
    ['darwin', 'x86_64', 'amd64', undefined],
    ['darwin', 'i386', '386', undefined],
  ])('%s/%s has a name in OCI', (os, arch, architecture, variant) => {
    expect(platform({ os, arch })).toEqual({ os, architecture, ...(variant ? { variant } : {}), notes: [] });
  });

  test.each(['aarch64_be', 'armv7b'])('linux/%s has none, and is written as it is', (arch) => {
    expect(platform({ os: 'linux', arch })).toMatchObject({
      architecture: arch,
      notes: [expect.stringContaining('guessed')],
    });
  });
});

test('what the manifest leaves open stays open', () => {
  expect(platform({})).toEqual({ notes: [] });
  expect(platform({ os: '', arch: '' })).toEqual({ notes: [] });
  expect(platform({ os: 'freebsd' })).toEqual({ os: 'freebsd', notes: [] });
  expect(platform({ arch: 'aarch64' })).toEqual({ architecture: 'arm64', variant: 'v8', notes: [] });
});

test.each(['arm64', '386', 'riscv64'])('a name of Go’s is taken, with a note: %s', (arch) => {
  expect(platform({ arch })).toEqual({ architecture: arch, notes: [expect.stringContaining('repaired')] });
});

test.each(['constructor', '__proto__', 'AMD64', 'x\u001b[31m'])(
  'a name that nobody knows is written as it is: %j',
  (arch) => {
    const { architecture, notes } = platform({ arch });
    expect(architecture).toBe(arch);
    expect(notes).toHaveLength(1);
    expect(notes[0]).not.toContain('\u001b');
  },
);

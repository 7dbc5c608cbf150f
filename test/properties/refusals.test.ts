/**
 * What the system may say to each call that Node lacks: something is lost, and noted; or nothing more can be written, and the run ends in 7
 * with everything as it was. A reading says what it could not see.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { convert, diff, unpack } from '../../converters/index.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { sampleLayer } from '../../fixtures/images.ts';
import type { OcixError } from '../../formats/base/errors.ts';
import type { Syscalls } from '../../formats/rootfs/syscalls.ts';
import { fileOf, snapshot } from '../cases/command.ts';
import { scratch } from '../fixtures/peers.ts';
import { asRoot, xattr } from '../formats/rootfs/disk.ts';
import { withRefusals } from './fault.ts';

const image = () =>
  fileOf(
    dockerSave(
      {
        layers: [
          sampleLayer([
            { name: 'deep/er/file', body: 'x', pax: [xattr('user.a', 'x')] },
            { name: 'owned', body: 'x', uid: 7, gid: 8 },
            { name: 'link', link: 'deep', pax: [xattr('trusted.a', 'x')] },
            { name: 'pipe', type: '6' },
            { name: 'dev', type: '3', major: 1, minor: 3 },
          ]),
        ],
        tags: ['app:1'],
        config: { config: { Cmd: ['/x'] } },
      },
      { generation: '1.10' },
    ),
  );

type Call = keyof Syscalls;
type ErrorName = 'EPERM' | 'ENOTSUP' | 'ENOSPC' | 'EIO';
/** A note, nothing at all, or the end with status 7. */
type End = RegExp | 'nothing' | 'refusal';

const ATTRIBUTE = {
  EPERM: /not kept: no permission/,
  ENOTSUP: /does not take it/,
  ENOSPC: /has no room for it/,
} as const;
const TIME = {
  EPERM: /the time is not kept: no permission/,
  ENOTSUP: /the time is not kept: .* does not take it/,
} as const;
const ENDS: { readonly [call in Exclude<Call, 'xattrs'>]: { readonly [error in ErrorName]: End } } = {
  setXattr: { ...ATTRIBUTE, EIO: 'refusal' },
  setXattrOfFile: { ...ATTRIBUTE, EIO: 'refusal' },
  makeNode: { EPERM: /is an empty file, since/, ENOTSUP: /does not take it/, ENOSPC: 'refusal', EIO: 'refusal' },
  setTime: { ...TIME, ENOSPC: 'refusal', EIO: 'refusal' },
  setTimeOfFile: { ...TIME, ENOSPC: 'refusal', EIO: 'refusal' },
  // A filter of system calls says EPERM, and it is done another way.
  openFolder: { EPERM: 'nothing', ENOTSUP: 'refusal', ENOSPC: 'refusal', EIO: 'refusal' },
};

const JOBS = {
  unpack: (source: string, out: string) => unpack(source, out),
  bundle: (source: string, out: string) => convert(source, out, { to: 'bundle' }),
};

const rows = (Object.keys(ENDS) as (keyof typeof ENDS)[]).flatMap((call) =>
  (Object.keys(ENDS[call]) as ErrorName[]).map((error) => [call, error, ENDS[call][error]] as const),
);

describe.each(Object.keys(JOBS) as (keyof typeof JOBS)[])('%s, where', (job) => {
  asRoot.each(rows)('%s ends in %s: %s', async (call, error, end) => {
    const folder = scratch();
    const before = snapshot(folder);
    const source = image();
    const errno = constants.errno[error];
    const { result, calls } = await withRefusals({ [call]: call === 'openFolder' ? -errno : errno }, () =>
      JOBS[job](source, join(folder, 'out')),
    );
    expect(calls).toBeGreaterThan(0);
    if (end === 'refusal') {
      expect(result).toMatchObject({ status: 'rejected', reason: { status: 7, code: 'output/write' } });
      expect(snapshot(folder)).toEqual(before);
      return;
    }
    expect(result.status, String((result as PromiseRejectedResult).reason)).toBe('fulfilled');
    const { notes } = (result as PromiseFulfilledResult<Awaited<ReturnType<typeof unpack>>>).value;
    const lost = notes.filter(({ kind }) => kind === 'dropped').map(({ message }) => message);
    if (end === 'nothing') expect(lost).toEqual([]);
    else expect(lost.join('\n')).toMatch(end);
  });
});

describe.each(Object.keys(JOBS) as (keyof typeof JOBS)[])('%s, where the disk fails', (job) => {
  asRoot.each(Object.keys(ENDS) as (keyof typeof ENDS)[])(
    'in any one call of %s, ends in 7 with everything as it was',
    async (call) => {
      const source = image();
      const answer = call === 'openFolder' ? -constants.errno.EIO : constants.errno.EIO;
      for (let nth = 1; ; nth++) {
        const folder = scratch();
        const before = snapshot(folder);
        const work = () => JOBS[job](source, join(folder, 'out'));
        const { result, calls } = await withRefusals({ [call]: answer }, work, nth);
        if (calls < nth) {
          expect(result.status).toBe('fulfilled');
          expect(nth).toBeGreaterThan(1);
          return;
        }
        expect([nth, result]).toMatchObject([nth, { reason: { status: 7, code: 'output/write' } }]);
        expect(snapshot(folder)).toEqual(before);
      }
    },
  );
});

asRoot('the owner cannot be recorded: it is noted, or the end', async () => {
  for (const [error, status] of [
    ['ENOSPC', 'fulfilled'],
    ['EIO', 'rejected'],
  ] as const) {
    const { result } = await withRefusals({ setXattrOfFile: constants.errno[error] }, () =>
      convert(image(), join(scratch(), 'out'), { to: 'bundle', extraction: { rootless: true } }),
    );
    expect([error, result.status]).toEqual([error, status]);
    if (result.status === 'fulfilled')
      expect(result.value.notes.map(({ message }) => message).join()).toContain('the owner is not kept');
  }
});

describe('a folder that is compared, where', () => {
  const folderWith = (file: string): string => {
    const folder = scratch();
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd', file), 'x');
    return folder;
  };
  const compared = () => diff(`rootfs:${folderWith('a')}`, `rootfs:${folderWith('b')}`);

  asRoot.each(['EPERM', 'ENOSPC', 'EIO'] as const)(
    'xattrs ends in %s: what could not be seen is told',
    async (error) => {
      const { result } = await withRefusals({ xattrs: constants.errno[error] }, compared);
      expect(result.status).toBe('fulfilled');
      expect(JSON.stringify((result as PromiseFulfilledResult<unknown>).value)).toContain('attributes cannot be read');
    },
  );

  asRoot('there are no attributes: nothing is missing', async () => {
    const { result } = await withRefusals({ xattrs: constants.errno.ENOTSUP }, compared);
    expect(JSON.stringify((result as PromiseFulfilledResult<unknown>).value)).not.toContain('cannot be read');
  });

  asRoot('openFolder ends in EIO: it cannot be read, and nobody is said to have changed it', async () => {
    const { result } = await withRefusals({ openFolder: -constants.errno.EIO }, compared);
    const { code } = (result as PromiseRejectedResult).reason as OcixError;
    expect([result.status, code]).toEqual(['rejected', 'source/unreadable']);
  });
});

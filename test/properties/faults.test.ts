/**
 * The output path with a fault in each of its calls in turn, from the first to the last: the run ends in 7, says what the system said,
 * and leaves everything as it was. The same with a real disk that is full, at every size and number of files.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convert, unpack } from '../../converters/index.ts';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { sampleLayer } from '../../fixtures/images.ts';
import { fileOf, snapshot } from '../cases/command.ts';
import { scratch } from '../fixtures/peers.ts';
import { asRoot } from '../formats/rootfs/disk.ts';
import { withFault } from './fault.ts';

const image = {
  layers: [
    sampleLayer([
      { name: 'etc/' },
      { name: 'etc/passwd', body: 'root:x:0:0::/:\n' },
      { name: 'link', link: 'etc' },
      { name: 'hard', type: '1', link: 'etc/passwd' },
      { name: 'deep/er/file', body: 'x'.repeat(3000) },
      { name: 'pipe', type: '6' },
    ]),
    sampleLayer([{ name: '.wh.link' }, { name: 'new', body: 'y' }]),
  ],
  tags: ['app:1'],
  config: { config: { Cmd: ['/x'] } },
};
const archive = (): string => fileOf(dockerSave(image, { generation: '1.10' }));

type Job = (source: string, out: string) => Promise<unknown>;
const JOBS: Readonly<Record<string, Job>> = {
  oci: (source, out) => convert(source, out),
  'oci with one layer': (source, out) => convert(source, out, { flatten: true }),
  'oci-archive': (source, out) => convert(source, out, { to: 'oci-archive' }),
  'docker-archive': (source, out) => convert(source, out, { to: 'docker-archive' }),
  tar: (source, out) => convert(source, out, { to: 'tar' }),
  bundle: (source, out) => convert(source, out, { to: 'bundle' }),
  'root filesystem': (source, out) => unpack(source, out),
};

/** More calls than any of the jobs makes. */
const MOST = 300;

/** Every fault of a job in turn; gives the calls that failed. `state` is what must be the same after each. */
async function everyFault(
  job: Job,
  code: string,
  prepare: (out: string) => Promise<unknown> = async () => {},
  state: (folder: string) => unknown = snapshot,
): Promise<readonly string[]> {
  const source = archive();
  const calls: string[] = [];
  for (let number = 1; number < MOST; number++) {
    const folder = scratch();
    const out = join(folder, 'out');
    await prepare(out);
    const before = state(folder);
    const { result, call } = await withFault({ number, code }, () => job(source, out));
    if (call === undefined) {
      expect(result.status).toBe('fulfilled');
      return calls;
    }
    calls.push(call);
    const where = `${call}, call ${number}`;
    if (result.status === 'fulfilled') throw new Error(`nobody saw that ${where} failed`);
    expect(result.reason, `${where}: ${result.reason}`).toMatchObject({ status: 7, code: 'output/write' });
    expect(result.reason.message).not.toMatch(/injected|undefined/);
    expect(state(folder), where).toEqual(before);
  }
  throw new Error(`more than ${MOST} calls`);
}

describe.each(Object.keys(JOBS))('%s', (name) => {
  test.each(['ENOSPC', 'EACCES', 'EINTR', 'EIO'])('with %s in every call of its way leaves nothing', async (code) => {
    const calls = await everyFault(JOBS[name]!, code);
    expect(calls.length).toBeGreaterThan(4);
  });
});

/** Blobs that nothing names may be there already: whoever is killed between two renames leaves them too. */
const named = (folder: string): readonly string[] => snapshot(folder).filter((line) => !line.startsWith('out/blobs/'));

test('a layout that has an image keeps it, and gets no second one by halves', async () => {
  const other = fileOf(
    dockerSave({ layers: [sampleLayer([{ name: 'other' }])], tags: ['other:1'] }, { generation: 'v1' }),
  );
  const calls = await everyFault(JOBS['oci']!, 'ENOSPC', (out) => convert(other, out), named);
  expect(calls).toContain('rename');
});

describe('a disk that is full', () => {
  const command = join(import.meta.dirname, '../../dist/ocix.js');
  const script = `mount -t tmpfs -o "$2" none "$1" || exit 99
"$3" "$4" $5 -q "$6" "$1/out" >&2; status=$?
ls -A "$1"; exit $status`;

  /** Status, standard error and what is on a small disk afterwards. */
  function onDisk(options: string, job: string, source: string) {
    const args = ['-m', 'sh', '-c', script, 'sh', scratch(), options, process.execPath, command, job, source];
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    return { status, left: stdout, stderr };
  }

  asRoot.each(['convert', 'convert --to oci-archive', 'unpack', 'bundle'])(
    'of any number of blocks or files ends `%s` in 7 with nothing left, or has room for all',
    (job, ...rest) => {
      const context = rest.at(-1) as unknown as { skip?(reason: string): void };
      const noise = Buffer.from(Array.from({ length: 90_000 }, (_, i) => (Math.imul(i + 1, 2654435761) >>> 13) & 255));
      const source = fileOf(
        dockerSave(
          { ...image, layers: [...image.layers, sampleLayer([{ name: 'noise', body: noise }])] },
          { generation: '1.10' },
        ),
      );
      const statuses: (number | null)[] = [];
      for (const options of [
        'size=4k',
        'size=20k',
        'size=64k',
        'nr_inodes=2',
        'nr_inodes=4',
        'nr_inodes=7',
        'size=4m',
      ]) {
        const { status, left, stderr } = onDisk(options, job, source);
        if (status === 99 || status === null) return context?.skip?.('cannot mount');
        statuses.push(status);
        if (status === 0) expect([options, left]).toEqual([options, 'out\n']);
        else {
          expect([options, status, left]).toEqual([options, 7, '']);
          expect(stderr).toMatch(/^ocix: output\/write: .*no space left/m);
        }
      }
      expect([statuses[0], statuses.at(-1)]).toEqual([7, 0]);
    },
  );
});

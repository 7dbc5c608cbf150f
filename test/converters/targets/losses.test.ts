/** The table of what each target carries, as it is documented, and that each target keeps what it says. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convert, diff, inspect } from '../../../converters/index.ts';
import { type Carried, FIELDS } from '../../../converters/targets/carries.ts';
import { TARGETS } from '../../../converters/targets/index.ts';
import type { ImageRecipe } from '../../../fixtures/docker-save.ts';
import { greeting } from '../../../fixtures/images.ts';
import { scratch } from '../../fixtures/peers.ts';
import { dockerFile, ociFile } from './archives.ts';

const HEAD = `# What each target carries

Made from what the targets declare (\`vitest -u\` writes it anew). Fields are those of the model, and of \`ocix diff\`. **no**: lost, and a note says so
wherever an image states it, so that \`--strict\` refuses. **-**: not what the target is about; nobody misses it there, and no note is made.
Anything else says where a field goes, or how much of it; what is left out of it is a note.
`;

const FOOT = `
An ACI for each layer (\`--layers each\`) carries \`layers\` too; a hard link to a file of a lower layer is a file of its own there.

Beside images: an index of several platforms and artifacts (signatures, attestations, charts) pass into image layouts and OCI archives as they are. A
docker archive holds an index's images side by side and gives its name to the one for this machine; artifacts are left out. The other
targets hold one image. Bookkeeping of engines and builders in a configuration (\`container\`, \`Hostname\`, \`docker_version\` and the like) does not count as
a loss in \`other\`.

What a change of format changes, and \`ocix diff\` shows:

| from, by way of, to | differs |
| --- | --- |
| OCI, docker archive, OCI | annotations; layers' compression; names without a tag have \`:latest\` |
| ACI, OCI, ACI | the image id, where the tar was packed in another order; dependencies and \`pathWhitelist\` are resolved |
| Docker or OCI, ACI, Docker or OCI | \`user\` is numbers, with the group; labels of our own are added; \`stopSignal\`, \`healthcheck\`, \`onBuild\`, \`shell\` and \`other\` are lost; one layer; an absent working directory is \`/\`; 64-bit ARM is version 8; ports of a range stand one by one |
`;

const cell = (carried: Carried): string => (typeof carried === 'string' ? carried : carried.as);

function table(): string {
  const rows = FIELDS.map(
    (field) => `| \`${field}\` | ${TARGETS.map(({ carries }) => cell(carries[field])).join(' | ')} |`,
  );
  const names = TARGETS.map(({ name }) => `\`${name}\``);
  return [`| | ${names.join(' | ')} |`, `| --- |${' --- |'.repeat(names.length)}`, ...rows].join('\n');
}

test('the documentation has the table', async () => {
  await expect(`${HEAD}\n${table()}\n${FOOT}`).toMatchFileSnapshot('../../../docs/losses.md');
});

/** States every field that a document of Docker's or OCI's can state. */
function everything(): ImageRecipe {
  const image = greeting('amd64');
  const { config } = image.config as { readonly config: object };
  const all = { ...config, OnBuild: ['RUN a'], Shell: ['/bin/sh', '-c'], MemorySwap: 5, Entrypoint: ['/bin/greet'] };
  return { ...image, config: { ...image.config, config: all } };
}

describe('a field that a target does not carry is a note, and one that it carries is there', () => {
  const single = TARGETS.filter(({ name }) => ['oci', 'oci-archive', 'docker-archive', 'aci'].includes(name));
  test.each(single)('$name', async ({ name, carries }) => {
    const source = dockerFile(everything());
    const out = join(scratch(), 'out');
    const { notes } = await convert(source, out, { to: name });
    const no = FIELDS.filter((field) => carries[field] === 'no');
    const lost = notes.find(({ message }) => / has no place for /.test(message))?.message ?? '';
    for (const field of no) if (field !== 'annotations') expect(lost).toMatch(new RegExp(`\\b${field}\\b`));
    const yes = FIELDS.filter((field) => carries[field] === 'yes');
    const changed = (await diff(source, out)).differences.flatMap(
      (found) => (found.part === 'tree' ? [found.path] : found.kind === 'added' ? [] : [found.field]), // an ACI states more
    );
    expect(yes.filter((field) => changed.includes(field))).toEqual([]);
  });

  test('a tree says what of the configuration it leaves behind', async () => {
    const { notes } = await convert(dockerFile(everything()), join(scratch(), 'out'), { to: 'tar' });
    expect(notes).toEqual([
      {
        kind: 'dropped',
        message:
          'a root file system has no place for created, author, entrypoint, cmd, env, user, workingDir, stopSignal, exposedPorts, volumes, labels, healthcheck, onBuild, shell, other (MemorySwap)',
        at: ['greeting:latest'],
      },
    ]);
  });

  test('what engines write about themselves is no loss', async () => {
    const { config } = greeting('amd64');
    const image = {
      ...greeting('amd64'),
      config: { ...config, docker_version: '20.10', container: 'x', config: { Hostname: 'h', Cmd: ['/a'] } },
    };
    const { notes } = await convert(ociFile(image), join(scratch(), 'out'), { to: 'aci' });
    expect(notes).toEqual([]);
  });

  test('with --strict nothing is written where a field would be lost', async () => {
    const out = join(scratch(), 'out');
    await expect(convert(dockerFile(everything()), out, { to: 'aci', strict: true })).rejects.toMatchObject({
      code: 'strict/notes',
    });
    await expect(inspect(out)).rejects.toMatchObject({ code: 'source/missing' });
  });
});

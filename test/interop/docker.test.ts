/** A Docker daemon of our own saves an image, and runs one that went through ocix; podman runs it too. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dockerSave } from '../../fixtures/docker-save.ts';
import { prepare } from '../../fixtures/image-recipe.ts';
import { greeting, greetingText, sampleLayer } from '../../fixtures/images.ts';
import { fileOf, output } from '../cases/command.ts';
import { readLayout } from '../cases/layout.ts';
import { runPeer, scratch, withPeer } from '../fixtures/peers.ts';
import { dockerDaemon, has, hasDaemon, withDaemon } from './daemon.ts';
import { podmanHome } from './podman.ts';

const image = greeting(process.arch === 'arm64' ? 'arm64' : 'amd64');
const wanted = prepare(image);
const isRoot = process.getuid?.() === 0;

const TAGS = ['many:1', 'example.com/many:also', 'second:2'] as const;

/** With an image layout, and with what older engines read. */
const FORMS: readonly (readonly [form: string, options: readonly string[]])[] = [
  ['as a layout too', []],
  ['with --v1', ['--v1']],
];

/** Two images that share layers, with three tags, by way of a layout. */
function severalImages(folder: string, form: readonly string[]): string {
  const more = [...image.layers, sampleLayer([{ name: 'more', body: 'more' }])];
  const images = [
    { ...image, tags: [TAGS[0], TAGS[1]] },
    { ...image, layers: more, config: { ...image.config, history: [] }, tags: [TAGS[2]] },
  ];
  output(['convert', '-q', fileOf(dockerSave(images, { generation: '25' }), 'many.tar', folder), join(folder, 'many')]);
  output(['convert', '-q', '--to', 'docker-archive', ...form, join(folder, 'many'), join(folder, 'back.tar')]);
  return join(folder, 'back.tar');
}

describe('with a Docker daemon', () => {
  const daemon = dockerDaemon();
  const docker = (...args: readonly string[]): string => daemon(...args).toString();

  withDaemon('what docker save writes of an image with two tags is converted, under both, with the same id', () => {
    const folder = scratch();
    docker('load', '--input', fileOf(dockerSave(image, { generation: '1.10' }), 'in.tar', folder));
    docker('tag', 'greeting:latest', 'example.com/second:2');
    docker('save', '--output', join(folder, 'saved.tar'), 'greeting:latest', 'example.com/second:2');
    output(['convert', '-q', join(folder, 'saved.tar'), join(folder, 'out')]);
    const read = readLayout(join(folder, 'out'));
    expect(read.map(({ name }) => name).sort()).toEqual(['example.com/second:2', 'greeting:latest']);
    for (const { diffIds, config } of read) {
      expect(diffIds).toEqual(wanted.layers.map(({ diffId }) => diffId));
      expect(config.config.Cmd).toEqual(['/bin/greet']);
    }
    const id = docker('image', 'inspect', '--format', '{{.Id}}', 'greeting:latest').trim();
    expect(new Set(read.map(({ configDigest }) => configDigest))).toEqual(new Set([id]));
  });

  withDaemon('what docker save writes into a pipe is converted from it', () => {
    const folder = scratch();
    docker('load', '--input', fileOf(dockerSave(image, { generation: '1.10' }), 'in.tar', folder));
    const input = daemon('save', 'greeting:latest');
    output(['convert', '-q', '-', join(folder, 'out')], { input });
    expect(readLayout(join(folder, 'out'))).toMatchObject([
      { name: 'greeting:latest', configDigest: wanted.configDigest },
    ]);
  });

  withDaemon.each(FORMS)(
    'an archive of several images with several tags is loaded with all of them, and runs, %s',
    (_, form) => {
      const said = docker('load', '--input', severalImages(scratch(), form));
      for (const tag of TAGS) expect(said).toContain(tag);
      expect(docker('run', '--rm', '--network=none', 'second:2')).toBe(greetingText);
      const id = (tag: string): string => docker('image', 'inspect', '--format', '{{.Id}}', tag).trim();
      expect(id('many:1')).toBe(wanted.configDigest);
      expect(id('example.com/many:also')).toBe(wanted.configDigest);
      expect(id('second:2')).not.toBe(wanted.configDigest);
    },
  );

  (hasDaemon && has('skopeo') ? test : test.skip).each(['v1', '25', 'containerd'] as const)(
    'an archive of the form %s, through ocix and skopeo, is loaded and greets',
    (generation) => {
      const folder = scratch();
      const tag = `through-ocix:${generation}`;
      const source = fileOf(dockerSave(image, { generation }), 'in.tar', folder);
      output(['convert', '-q', '--ref', tag, source, join(folder, 'out')]);
      const target = `docker-archive:${folder}/back.tar:${tag}`;
      runPeer({ tool: 'skopeo', args: ['--insecure-policy', 'copy', '-q', `oci:${folder}/out:${tag}`, target] });
      expect(docker('load', '--input', join(folder, 'back.tar'))).toContain(tag);
      expect(docker('run', '--rm', '--network=none', tag)).toBe(greetingText);
    },
  );
});

(isRoot ? withPeer('podman') : test.skip)('podman runs the image from the layout, and it greets', () => {
  const { folder, podman } = podmanHome();
  output(['convert', '-q', fileOf(dockerSave(image, { generation: 'v1' }), 'in.tar'), join(folder, 'out')]);
  // Raising limits takes a capability that a container in a container does not have.
  const limits = ['--ulimit=nofile=1024:1024', '--ulimit=nproc=1024:1024'];
  // crun refuses hosts with both kinds of cgroups; runc cannot do without any.
  const hybrid = existsSync('/sys/fs/cgroup/unified');
  const options = ['--rm', '--network=none', ...(hybrid ? [] : ['--cgroups=disabled']), ...limits];
  expect(podman(...(hybrid ? ['--runtime=runc'] : []), 'run', ...options, `oci:${folder}/out:greeting:latest`)).toBe(
    greetingText,
  );
});

(isRoot ? withPeer('podman') : test.skip).each(FORMS)(
  'podman loads several images with several tags, and skopeo reads each, %s',
  (_, form) => {
    const { folder, podman } = podmanHome();
    const archive = severalImages(folder, form);
    podman('load', '--input', archive);
    const listed = podman('images', '--format', '{{.Repository}}:{{.Tag}}');
    for (const tag of TAGS) expect(listed).toContain(tag);
    if (!has('skopeo')) return;
    for (const tag of TAGS) {
      const source = `docker-archive:${archive}:${tag}`;
      const config = runPeer({ tool: 'skopeo', args: ['--insecure-policy', 'inspect', '--config', source] });
      expect(JSON.parse(config.toString()).rootfs.diff_ids.length).toBeGreaterThan(1);
    }
  },
);

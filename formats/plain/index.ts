/**
 * A plain tar of a root filesystem (`docker export`, debootstrap): one layer, and no configuration. Nothing in such a tar
 * says that it is an image, so it is never recognised; the user says so with `tar:PATH`.
 */
import type { Keeper, Member } from '../archive/archive.ts';
import type { Context } from '../base/context.ts';
import type { ByteSource } from '../bytes/source.ts';
import type { Image } from '../model/image.ts';
import { layerFromMember } from '../model/layer.ts';

export const plainTar = {
  name: 'tar',
  title: 'root filesystem tar',
  summary: 'a plain root filesystem tar (docker export, debootstrap), one layer',
} as const;

export async function readPlainTar(source: ByteSource, keep: Keeper, context: Context): Promise<Image> {
  return {
    kind: 'image',
    names: [],
    config: {
      platform: {},
      entrypoint: [],
      cmd: [],
      env: [],
      exposedPorts: [],
      volumes: [],
      labels: new Map(),
      onBuild: [],
      shell: [],
      other: {},
    },
    layers: [await layerFromMember(await memberOf(source, keep, context), {})],
    history: [],
    original: {},
  };
}

async function memberOf(source: ByteSource, keep: Keeper, context: Context): Promise<Member> {
  const common = { name: source.name, type: 'file', link: '' } as const;
  if (source.kind === 'random') {
    const { size } = source;
    return {
      ...common,
      size,
      open: () => source.window(0, size),
      openReusing: () => source.reusingWindow(0, size),
      head: (most: number) => source.window(0, most),
    };
  }
  const counter = { size: 0 };
  const kept = await keep(counted(source.chunks, counter), source.name, context);
  return { ...common, size: counter.size, kept, open: kept.open };
}

async function* counted(chunks: AsyncIterable<Uint8Array>, counter: { size: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counter.size += chunk.length;
    yield chunk;
  }
}

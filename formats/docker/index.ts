/**
 * Docker archives: what `docker save` and its imitators write.
 *
 * `manifest.json` decides where there is one; the first version of the format, which nothing else reads any more, is
 * recognised by its layer folders.
 */
import type { Archive } from '../archive/archive.ts';
import type { Bid, Reader } from '../model/reader.ts';
import { checkIndex } from './hybrid.ts';
import { readManifest } from './manifest.ts';
import { isVersion1, readVersion1 } from './version1.ts';

export const dockerArchive = {
  name: 'docker-archive',
  aliases: ['docker'],
  summary: 'what docker save, podman save, skopeo, kaniko, jib and bazel write, of every age',
  async bid(archive): Promise<Bid | undefined> {
    const names = new Set(archive.names());
    const manifest = names.has('manifest.json');
    if (archive.kind === 'folder') {
      return manifest && !names.has('oci-layout')
        ? { confidence: 50, reason: 'a folder with manifest.json', title: 'docker archive, unpacked' }
        : undefined;
    }
    if (manifest) return { confidence: 90, reason: 'manifest.json at the top', title: title(archive, names) };
    if (names.has('repositories'))
      return {
        confidence: 80,
        reason: 'repositories, and no manifest.json',
        title: 'docker archive (docker save before 1.10)',
      };
    if (isVersion1(archive))
      return {
        confidence: 70,
        reason: 'folders named by layer ids, with json and layer.tar',
        title: 'docker archive (docker save before 1.10)',
      };
    return undefined;
  },
  async read(archive, context) {
    if (!(await archive.get('manifest.json'))) return readVersion1(archive, context);
    const images = await readManifest(archive, context);
    await checkIndex(archive, images, context);
    return images;
  },
} satisfies Reader;

function title(archive: Archive, names: ReadonlySet<string>): string {
  if (names.has('oci-layout')) return 'docker archive (docker save 25 or later)';
  if (isVersion1(archive)) return 'docker archive (docker save 1.10 to 24)';
  return 'docker archive';
}

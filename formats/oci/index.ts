/**
 * OCI image layouts, as a folder or as one tar; also the layouts of the release candidates, with `refs/` instead of
 * `index.json`, as the tools of 2016 wrote them.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
import type { Archive } from '../archive/archive.ts';
import type { Bid, Reader } from '../model/reader.ts';
import { readLayout } from './layout.ts';

export const oci = {
  name: 'oci',
  aliases: ['oci-archive', 'oci-layout'],
  summary: 'OCI image layouts, as a folder or as one tar',
  async bid(archive): Promise<Bid | undefined> {
    const names = new Set(archive.names());
    const title = archive.kind === 'tar' ? 'OCI archive (an image layout as one tar)' : 'OCI image layout';
    const marker = names.has('oci-layout');
    if (names.has('index.json') && marker)
      return { confidence: 85, reason: 'oci-layout and index.json at the top', title };
    if (marker && hasFolder(archive, 'refs'))
      return {
        confidence: 85,
        reason: 'oci-layout and refs/, as release candidates of the specification have it',
        title: `${title}, of a release candidate`,
      };
    if (names.has('index.json') && hasFolder(archive, 'blobs'))
      return { confidence: 40, reason: 'index.json and blobs/, but no oci-layout', title };
    return undefined;
  },
  read: readLayout,
} satisfies Reader;

function hasFolder(archive: Archive, folder: string): boolean {
  return archive.names().some((name) => name === folder || name.startsWith(`${folder}/`));
}

/** The table of readers. Detection, help and the property tests walk it; adding a format is a line here. */
import { aci } from './appc/index.ts';
import { pod } from './appc/pod-reader.ts';
import { rkt } from './appc/rkt.ts';
import { apt } from './apt/index.ts';
import { deb } from './debian/index.ts';
import { dockerArchive } from './docker/index.ts';
import type { ContentReader, FilesReader, NameReader, Reader } from './model/reader.ts';
import { oci } from './oci/index.ts';

export const READERS: readonly Reader[] = [dockerArchive, oci, rkt];

export const CONTENT_READERS: readonly ContentReader[] = [aci, pod];

export const FILES_READERS: readonly FilesReader[] = [deb];

export const NAME_READERS: readonly NameReader[] = [apt];

const isCalled =
  (name: string) =>
  (reader: Reader | ContentReader | FilesReader | NameReader): boolean =>
    reader.name === name || reader.aliases.includes(name);

export const readerNamed = (name: string): Reader | undefined => READERS.find(isCalled(name));
export const contentReaderNamed = (name: string): ContentReader | undefined => CONTENT_READERS.find(isCalled(name));
export const filesReaderNamed = (name: string): FilesReader | undefined => FILES_READERS.find(isCalled(name));
export const nameReaderNamed = (name: string): NameReader | undefined => NAME_READERS.find(isCalled(name));

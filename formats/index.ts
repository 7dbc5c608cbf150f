/** The table of readers. Detection, help and the property tests walk it; adding a format is a line here. */
import { dockerArchive } from './docker/index.ts';
import type { Reader } from './model/reader.ts';
import { oci } from './oci/index.ts';

export const READERS: readonly Reader[] = [dockerArchive, oci];

export const readerNamed = (name: string): Reader | undefined =>
  READERS.find((reader) => reader.name === name || reader.aliases.includes(name));

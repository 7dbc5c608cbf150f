/** What a format answers to the validator: what is wrong with an input of its own. */
import type { Archive } from '../../formats/archive/archive.ts';
import type { RandomSource } from '../../formats/bytes/source.ts';
import type { Content, Selector } from '../../formats/model/reader.ts';
import type { Run } from './findings.ts';

/** A format that is an archive of documents. */
export interface ArchiveRules {
  /** The name of the reader whose inputs these rules are for. */
  readonly format: string;
  /** @param chosen which image of several */
  check(archive: Archive, chosen: Selector | undefined, run: Run): Promise<void>;
}

/** A format whose input is one file from end to end; `content` can be opened again. */
export interface ContentRules {
  readonly format: string;
  check(content: Content, run: Run): Promise<void>;
}

/** A format whose input is a file that is read here and there. */
export interface FileRules {
  readonly format: string;
  check(source: RandomSource, run: Run): Promise<void>;
}

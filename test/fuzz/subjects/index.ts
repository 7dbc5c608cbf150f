/** Everything that is fuzzed. A reader gets here by a line. */
import type { Subject } from '../subject.ts';
import { APT_SUBJECTS } from './apt.ts';
import { DISCOVERY_SUBJECTS } from './discovery.ts';
import { DOCUMENT_SUBJECTS } from './documents.ts';
import { ESTATE_SUBJECTS } from './estates.ts';
import { OPENPGP_SUBJECTS } from './openpgp.ts';
import { OUTPUT_SUBJECTS } from './outputs.ts';
import { PACKAGE_SUBJECTS } from './packages.ts';
import { READER_SUBJECTS } from './readers.ts';
import { STREAM_SUBJECTS } from './streams.ts';
import { TAR_SUBJECTS } from './tar.ts';

export const SUBJECTS: readonly Subject[] = [
  ...TAR_SUBJECTS,
  ...STREAM_SUBJECTS,
  ...DOCUMENT_SUBJECTS,
  ...READER_SUBJECTS,
  ...OUTPUT_SUBJECTS,
  ...OPENPGP_SUBJECTS,
  ...PACKAGE_SUBJECTS,
  ...APT_SUBJECTS,
  ...ESTATE_SUBJECTS,
  ...DISCOVERY_SUBJECTS,
];

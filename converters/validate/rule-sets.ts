/** Who validates what: rules for each reader. A format is validated as soon as it has a row here. */
import { appcRules } from './appc.ts';
import { debianRules } from './debian.ts';
import { dockerRules } from './docker.ts';
import { checkLayout } from './layout.ts';
import type { ArchiveRules, ContentRules, FileRules } from './rule-set.ts';

export const ARCHIVE_RULES: readonly ArchiveRules[] = [dockerRules, { format: 'oci', check: checkLayout }];

export const CONTENT_RULES: readonly ContentRules[] = [appcRules];

export const FILE_RULES: readonly FileRules[] = [debianRules];

export const VALIDATED_FORMATS: readonly string[] = [...ARCHIVE_RULES, ...CONTENT_RULES, ...FILE_RULES].map(
  ({ format }) => format,
);

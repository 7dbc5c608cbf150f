/** The library: everything that the command does. `docs/library.md` shows each function at work. */
export type { Context, ContextOptions } from '../formats/base/context.ts';
export { CODES, type Code, OcixError, STATUS } from '../formats/base/errors.ts';
export { DEFAULT_LIMITS, type LimitName, type Limits, parseLimit } from '../formats/base/limits.ts';
export type { Note, NoteKind } from '../formats/base/notes.ts';
export type { ProgressEvent } from '../formats/base/progress.ts';
export type { HealthCheck, ImageConfig, Platform } from '../formats/model/config.ts';
export type { Artifact, Descriptor, HistoryStep, Image, ImageIndex, Item } from '../formats/model/image.ts';
export { imagesOf } from '../formats/model/image.ts';
export type { Layer } from '../formats/model/layer.ts';
export type { GoodSignature } from '../formats/openpgp/policy.ts';
export { type ConvertOptions, convert, unpack } from './convert.ts';
export {
  type Comparison,
  type ConfigDifference,
  DIFF_FIELDS,
  type Difference,
  type DiffOptions,
  diff,
  type LayerShare,
  type NotCompared,
  type TextDifference,
  type TreeDifference,
} from './diff.ts';
export type { TreeField } from './diff-tree.ts';
export type { NetworkOptions } from './fetch.ts';
export type { Listed } from './listing.ts';
export {
  detect,
  inspect,
  type ListSourceOptions,
  list,
  type OpenedImages,
  type OpenOptions,
  open,
} from './look.ts';
export { type MigratedImage, type MigrateOptions, type MigrationReport, migrate } from './migrate.ts';
export type { OnlyFor } from './only-for.ts';
export type { Offer, Source, SourceOptions } from './open.ts';
export type { Report } from './report.ts';
export { configOf, type DescribedRuntime, describeRuntime, type RuntimeConfigOptions } from './runtime-config.ts';
export type { Trust } from './signed.ts';
export type { ImageSummary, LayerSummary, PodSummary, SourceSummary } from './summary.ts';

export type { Finding } from './validate/findings.ts';
export type { HostFacts } from './validate/host-facts.ts';
export { RULES, type RuleId } from './validate/rules/index.ts';
export type { Level, Rule } from './validate/rules/rule.ts';
export { VALIDATED, type ValidateOptions, type Validation, type Verdict, validate } from './validate.ts';

export { type CheckedSignature, checkSignature, RKT_KEYRINGS, type SignatureRequest } from './verify.ts';

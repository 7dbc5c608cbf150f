/** What a target is: a way to write images somewhere, all or nothing. */
import type { Writable } from 'node:stream';
import type { Keeper } from '../../formats/archive/archive.ts';
import type { Context } from '../../formats/base/context.ts';
import type { Item } from '../../formats/model/image.ts';
import type { RuntimeOptions } from '../runtime/config.ts';
import type { AciNaming } from './aci-manifest.ts';
import type { Carries } from './carries.ts';
import type { CompressionPlan } from './compression.ts';
import type { ExtractionOptions } from './extraction.ts';
import type { WrittenImage } from './oci-documents.ts';

export interface TargetOptions {
  readonly compression: CompressionPlan;
  /** Replaces what is at the destination, whatever it is. */
  readonly replace: boolean;
  /** Where the output goes instead of a path, for a target that can be sent. It stays open. */
  readonly stream?: Writable | undefined;
  /** Where the images came from, for a target that can say so beside them: annotations of their entries. */
  readonly origin?: Readonly<Record<string, string>> | undefined;
  /** For a target whose images must have names of another kind than references. */
  readonly naming?: AciNaming | undefined;
  /** For targets that unpack. */
  readonly extraction?: ExtractionOptions | undefined;
  /** For targets that write a `config.json`. */
  readonly runtime?: RuntimeOptions | undefined;
}

export interface Target {
  /** Stable: the name of the transport, and of `--to`. */
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  /** In a sentence: `a docker archive`. */
  readonly what: string;
  /** What of the model it has a place for; the pipeline notes the rest. */
  readonly carries: Carries;
  /** Its output is one file, and may be sent to a stream instead. */
  readonly single?: true;
  /** Its images may leave open what platform they are for; for others the host's is assumed. */
  readonly anyPlatform?: true;
  /** @throws OcixError output/exists, output/write */
  open(out: string, options: TargetOptions, context: Context): Promise<TargetSink>;
}

/** Nothing is visible at the destination before `commit`. Whoever opens a sink ends it with `commit` or `discard`. */
export interface TargetSink {
  /** For sources that can be read only once: stores their large members where this sink finds them. */
  readonly keep: Keeper;
  write(items: readonly Item[]): Promise<readonly WrittenImage[]>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** What a target is: a way to write images somewhere, all or nothing. */
import type { Writable } from 'node:stream';
import type { Keeper } from '../../formats/archive/archive.ts';
import type { Context } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import type { Storable } from '../../formats/model/image.ts';
import type { Pod } from '../../formats/model/pod.ts';
import type { SigningKey } from '../../formats/openpgp/sign.ts';
import type { RuntimeOptions } from '../runtime/config.ts';
import type { AciNaming } from './aci-manifest.ts';
import type { Carries } from './carries.ts';
import type { CompressionPlan, XzChoice } from './compression.ts';
import type { ExtractionOptions } from './extraction.ts';
import type { WrittenImage } from './oci-documents.ts';

/** What only some targets take. */
export interface OwnOptions {
  /** How an ACI is to be called: as the reference is written, or after docker2aci, with the registry in front. */
  readonly naming?: AciNaming | undefined;
  /** A detached signature goes beside the output, which has `.asc` behind its name. */
  readonly signWith?: SigningKey | undefined;
  /** An image for each layer, each depending on the one below it, in a folder. */
  readonly eachLayer?: true | undefined;
  /** One layer as it is, 0 for the base, in the place of the tree. */
  readonly layer?: number | undefined;
  /** With what Docker before 1.10 reads. */
  readonly version1?: true | undefined;
  /** The whole output as xz. */
  readonly xz?: XzChoice | undefined;
}

/** As users write them. */
const OWN_OPTIONS: Readonly<Record<keyof OwnOptions, string>> = {
  naming: 'naming',
  signWith: '--sign-key',
  eachLayer: '--layers each',
  layer: '--layer',
  version1: '--v1',
  xz: '--compress xz',
};

/** @throws OcixError usage/option for one that the target does not take */
export function ownOptions({ name, takes = [] }: Target, options: OwnOptions): OwnOptions {
  const given = (Object.keys(OWN_OPTIONS) as (keyof OwnOptions)[]).filter((key) => options[key] !== undefined);
  const stray = given.find((key) => !takes.includes(key));
  if (stray !== undefined)
    throw new OcixError('usage/option', `${OWN_OPTIONS[stray]} means nothing to the target ${name}`, {
      hint: 'Leave it out, or choose another target with --to.',
    });
  return Object.fromEntries(given.map((key) => [key, options[key]]));
}

export interface TargetOptions extends OwnOptions {
  readonly compression: CompressionPlan;
  /** Replaces what is at the destination, whatever it is. */
  readonly replace: boolean;
  /** Where the output goes instead of a path, for a target that can be sent. It stays open. */
  readonly stream?: Writable | undefined;
  /** Where the images came from, for a target that can say so beside them: annotations of their entries. */
  readonly origin?: Readonly<Record<string, string>> | undefined;
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
  /** Options of its own. */
  readonly takes?: readonly (keyof OwnOptions)[];
  /** Its images may leave open what platform they are for; for others the host's is assumed. */
  readonly anyPlatform?: true;
  /** @throws OcixError output/exists, output/write */
  open(out: string, options: TargetOptions, context: Context): Promise<TargetSink>;
}

/** Nothing is visible at the destination before `commit`. Whoever opens a sink ends it with `commit` or `discard`. */
export interface TargetSink {
  /** For sources that can be read only once: stores their large members where this sink finds them. */
  readonly keep: Keeper;
  write(items: readonly Storable[]): Promise<readonly WrittenImage[]>;
  /** In the place of `write`. Where it is absent, the images of a pod are written, and what else it says is lost. */
  writePod?(pod: Pod): Promise<readonly WrittenImage[]>;
  commit(): Promise<void>;
  discard(): Promise<void>;
}

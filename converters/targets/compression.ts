/** How layers are to be stored: what the user says, and what follows from it for a layer. */
import { OcixError } from '../../formats/base/errors.ts';
import { didYouMean } from '../../formats/base/nearest.ts';
import type { Codec } from '../../formats/codec/codec.ts';
import type { LayerCompression } from '../../formats/model/media-types.ts';

/** `keep` passes what is compressed, or is an OCI layer already, and gzips the rest. */
export interface CompressionPlan {
  readonly name: LayerCompression | 'keep';
  readonly level?: number | undefined;
  /** The same bytes on every machine and Node version. */
  readonly reproducible: boolean;
  /** Processors that are busy with something else meanwhile. */
  readonly occupied?: number | undefined;
}

/** What a layer becomes: a blob that passes as it is, or a new one. */
export interface Form {
  readonly name: LayerCompression;
  readonly pass: boolean;
}

/** @param native the layer is an OCI layer already, so even uncompressed it may stand in a manifest as it is */
export function formFor(codec: Codec | undefined, native: boolean, plan: CompressionPlan): Form {
  const own = codec?.name === 'gzip' || codec?.name === 'zstd' ? codec.name : codec ? undefined : 'none';
  if (plan.name === 'keep')
    return own === undefined || (own === 'none' && !native) ? { name: 'gzip', pass: false } : { name: own, pass: true };
  return { name: plan.name, pass: own === plan.name && (own === 'none' || plan.level === undefined) };
}

export const COMPRESSIONS: readonly string[] = ['gzip', 'zstd', 'xz', 'none', 'keep'];
const MOST: { readonly [name: string]: number } = { gzip: 12, zstd: 19, xz: 9 };

/** The one file of a target, in a form that no layer has. */
export interface XzChoice {
  /** 1 to 9. */
  readonly level?: number;
}

/** @throws OcixError usage/option */
export function parseCompression(text: string): Pick<CompressionPlan, 'name' | 'level'> & { readonly xz?: XzChoice } {
  const [name = '', number, ...more] = text.split(':');
  if (name === 'bzip2')
    throw new OcixError('usage/option', '--compress bzip2: nothing here compresses with bzip2', {
      hint: 'Write an ACI with --compress none, and compress it with bzip2; its readers know that.',
    });
  const valid =
    COMPRESSIONS.includes(name) &&
    !more.length &&
    (number === undefined ||
      (/^[0-9]{1,2}$/.test(number) && Number(number) >= 1 && Number(number) <= (MOST[name] ?? 0)));
  if (!valid)
    throw new OcixError('usage/option', `--compress ${text} is not a compression`, {
      hint: `${didYouMean(name, COMPRESSIONS)}Write gzip, zstd, none or keep, or xz for an ACI; gzip:1 to gzip:12, zstd:1 to zstd:19 and xz:1 to xz:9 say how hard to try.`,
    });
  const level = number === undefined ? {} : { level: Number(number) };
  return name === 'xz' ? { name: 'keep', xz: level } : { name: name as CompressionPlan['name'], ...level };
}

/** For targets whose layers stand uncompressed. @throws OcixError usage/option */
export function refuseCompression({ name }: CompressionPlan, why: string): void {
  if (name === 'keep' || name === 'none') return;
  throw new OcixError('usage/option', `--compress ${name}: ${why}`, {
    hint: 'Leave the option out, and compress what was written as a whole.',
  });
}

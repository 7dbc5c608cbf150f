/** Sources that somebody has to vouch for, and what is told of it in the output. */
import type { Context } from '../formats/base/context.ts';
import { OcixError } from '../formats/base/errors.ts';
import { fileState, pathKind } from '../formats/bytes/source.ts';
import { printable } from '../formats/bytes/text.ts';
import type { Item } from '../formats/model/image.ts';
import type { Source } from './open.ts';
import type { CheckedSignature } from './verify.ts';

export interface Trust {
  /** Without a good signature nothing is read; otherwise one that is there has to be good. */
  readonly required: boolean;
  /** The signature of the source itself; those of other files lie beside them. */
  readonly signature?: string | undefined;
  /** Folders and files of keys; without any, the keys that rkt trusts on this machine. */
  readonly keyring?: readonly string[] | undefined;
  readonly allowWeak?: boolean | undefined;
  /** The time to judge by. */
  readonly now: Date;
}

export interface SignatureGuard {
  /** @throws OcixError signature/…, keyring/… */
  source(source: Source, path: string): Promise<CheckedSignature | undefined>;
  /** @param file undefined for what is in a store, which keeps no signatures */
  dependency(file: string | undefined): Promise<void>;
  /** What was checked is what was read: called when all is read. @throws OcixError signature/invalid where a file has changed since */
  unchanged(): Promise<void>;
}

export function signatureGuard(trust: Trust, context: Context): SignatureGuard {
  const { required, signature, keyring, allowWeak, now } = trust;
  /** As the files were before they were checked. */
  const states = new Map<string, string>();
  return {
    async source(source, path) {
      const kind = typeof source === 'string' ? await pathKind(path) : 'stream';
      if (kind === 'file' || kind === 'absent') return check(path, signature);
      if (!required && signature === undefined) return undefined;
      throw new OcixError('usage/argument', `a signature is over a file, and this source is a ${kind}`, {
        hint: kind === 'folder' ? 'Give the image as the file that was signed.' : 'Write the image to a file first.',
      });
    },
    async dependency(file) {
      if (file !== undefined) await check(file, undefined);
      else if (required)
        throw new OcixError('signature/missing', 'it comes from a store, which keeps no signatures', {
          hint: 'Give the file that was signed, with its signature beside it: --dep FILE.',
        });
    },
    async unchanged() {
      for (const [file, before] of states) {
        if ((await fileState(file)) === before) continue;
        throw new OcixError('signature/invalid', `${printable(file)} has changed since its signature was checked`, {
          hint: 'Another process writes to it. Convert a copy that nobody else can change.',
        });
      }
    },
  };

  async function check(file: string, beside: string | undefined): Promise<CheckedSignature | undefined> {
    const { checkSignature } = await import('./verify.ts');
    const before = await fileState(file);
    try {
      const good = await checkSignature({ file, signature: beside, keyring, allowWeak, now }, context);
      if (!states.has(file)) states.set(file, before);
      return good;
    } catch (error) {
      const missing = error instanceof OcixError && error.code === 'signature/missing';
      if (missing && !required && beside === undefined) return undefined;
      throw error;
    }
  }
}

/** Who vouched is told beside each image, where no document of its own would have to be changed for it. */
export function signed(items: readonly Item[], { primary, userId, created }: CheckedSignature): readonly Item[] {
  const told = [
    ['io.ocix.signature.key', primary],
    ['io.ocix.signature.user', printable(userId)],
    ['io.ocix.signature.created', created.toISOString()],
  ] as const;
  return items.map((item) =>
    item.kind === 'image' && !item.original.manifest
      ? { ...item, annotations: new Map([...(item.annotations ?? []), ...told]) }
      : item,
  );
}

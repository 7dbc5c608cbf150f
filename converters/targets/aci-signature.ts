/** An output file with its detached signature beside it: `FILE.asc`, over the file as it is shipped. Both are there in the end, or none. */
import { rm } from 'node:fs/promises';
import type { Context } from '../../formats/base/context.ts';
import { OcixError } from '../../formats/base/errors.ts';
import type { Signer, SigningKey } from '../../formats/openpgp/sign.ts';
import { type OutputFile, openOutput } from '../../formats/store/output-file.ts';
import type { TargetOptions } from './target.ts';

/** Loaded where somebody signs. @throws OcixError keyring/invalid, encryption/passphrase */
export async function signerFor(key: SigningKey | undefined): Promise<Signer | undefined> {
  if (!key) return undefined;
  const { signerWith } = await import('../../formats/openpgp/sign.ts');
  return signerWith(key);
}

/** @throws OcixError usage/option where there is no file to put a signature beside, output/exists */
export async function openSigned(out: string, options: TargetOptions, context: Context): Promise<OutputFile> {
  const signer = await signerFor(options.signWith);
  if (signer && options.stream)
    throw new OcixError('usage/option', '--sign-key: a stream has no place for a signature beside it', {
      hint: 'Write to a file.',
    });
  const file = await openOutput(out, options);
  if (!signer) return file;
  const path = `${out}.asc`;
  const signature = await openOutput(path, options).catch(async (error: unknown) => {
    await file.discard();
    throw error;
  });
  return {
    ...file,
    async commit() {
      await signature.write([await signer.sign(file.read(), context)]);
      await signature.commit();
      try {
        await file.commit();
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },
    async discard() {
      await file.discard();
      await signature.discard();
    },
  };
}

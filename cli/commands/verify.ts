/** `verify`: whether an image's signature is by a key that is trusted. */
import { type Command, Option } from 'commander';
import type { CheckedSignature } from '../../converters/verify.ts';
import { OcixError, STATUS } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import { type CommonOptions, collect, limitOption, printOptions } from '../options.ts';
import { errorText } from '../render/error.ts';
import { paintFor } from '../render/terminal.ts';
import { begin, print, type Session } from '../session.ts';

interface Options extends CommonOptions {
  readonly keyring: readonly string[];
  readonly signature?: string;
  readonly allowWeakSignatures?: boolean;
}

export function registerVerify(program: Command, session: Session): void {
  const command = program
    .command('verify')
    .summary('whether an image is signed by a key that is trusted')
    .description('Checks the detached OpenPGP signature of FILE, an App Container Image, against trusted keys.')
    .argument('<file>', 'the image as it was shipped: the signature covers the compressed file')
    .addOption(
      new Option('--keyring <dir>', 'trusted keys: a folder, a file, or rkt’s trusted-keys layout (repeatable)')
        .argParser(collect)
        .default([], 'rkt’s own'),
    )
    .addOption(new Option('--signature <file>', 'where the signature is').default(undefined, 'FILE.asc or FILE.sig'))
    .addOption(
      new Option('--allow-weak-signatures', 'take SHA-1, RSA from 1024 bits on, DSA, and keys that have expired since'),
    )
    .action((file: string, options: Options) => run(file, options, session));
  printOptions(limitOption(command));
}

async function run(file: string, options: Options, session: Session): Promise<void> {
  const { checkSignature } = await import('../../converters/verify.ts');
  const { library, view } = begin(session, options);
  const { keyring, signature, allowWeakSignatures: allowWeak } = options;
  try {
    const good = await checkSignature({ file, keyring, signature, allowWeak, now: new Date() }, library);
    view.end();
    await print(session, [options.json ? JSON.stringify({ verified: true, ...good }) : lineOf(good)]);
  } catch (error) {
    view.end();
    if (!(error instanceof OcixError) || !error.code.startsWith('signature/')) throw error;
    session.stderr.write(`${errorText(error, paintFor(session.stderr, session.env))}\n`);
    if (options.json) await print(session, [JSON.stringify({ verified: false, file, error: plain(error) })]);
    session.finish(STATUS.found);
  }
}

function lineOf({ file, userId, fingerprint, primary, created, weak }: CheckedSignature): string {
  const key = fingerprint === primary ? fingerprint : `${fingerprint}, of ${primary}`;
  const reservations = weak.length ? `; weak: ${weak.join(', ')}` : '';
  return `${printable(file)}: good, signed by ${printable(userId)} (${key}) on ${created.toISOString().slice(0, 10)}${reservations}`;
}

const plain = ({ code, message, at, expected, found, hint }: OcixError): object => ({
  code,
  message,
  at,
  expected,
  found,
  hint,
});

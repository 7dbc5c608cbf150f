/** The control archive of a package: a handful of small files. */
import type { Context } from '../base/context.ts';
import { OcixError } from '../base/errors.ts';
import { checkLimit } from '../base/limits.ts';
import { binaryString, concat, printable } from '../bytes/text.ts';
import { tarScanner } from '../tar/scanner.ts';
import { plainData } from './data-stream.ts';
import type { DataArchive } from './package.ts';

/** By name. */
export type ControlFiles = ReadonlyMap<string, Uint8Array>;

/**
 * Files below folders, and what is no file, are passed over as dpkg does not look at them. The last of several of a name counts.
 * @throws OcixError codec/…, tar/…, limit/control-bytes, debian/package for a name that could not be a file's name in a database
 */
export async function readControlArchive(archive: DataArchive, context: Context): Promise<ControlFiles> {
  const files = new Map<string, Uint8Array>();
  let parts: Uint8Array[] = [];
  let total = 0;
  const scanner = tarScanner(context.limits, {
    data: (bytes) => void parts.push(new Uint8Array(bytes)),
    end(entry) {
      const name = binaryString(entry.path).replace(/^(?:\.?\/)+/, '');
      if (entry.type === 'file' && !name.includes('/')) files.set(checkedName(name), concat(parts));
      parts = [];
    },
  });
  for await (const chunk of plainData(archive, context)) {
    total += chunk.length;
    checkLimit(context.limits, 'control-bytes', total, 'the size of the control archive');
    scanner.push(chunk);
  }
  scanner.finish();
  return files;
}

function checkedName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$/.test(name)) return name;
  throw new OcixError('debian/package', `${JSON.stringify(printable(name.slice(0, 100)))} is no control file`, {
    hint: 'No tool writes such a package; do not trust it.',
  });
}

/**
 * The tar around an archive's members. Readers take the last of two members of one name, or the first; names that are absolute are taken for
 * relative ones. Nobody refuses such an archive, so nobody else says it.
 */
import { checkAbort } from '../../formats/base/context.ts';
import type { RandomSource } from '../../formats/bytes/source.ts';
import { binaryString } from '../../formats/bytes/text.ts';
import type { Content } from '../../formats/model/reader.ts';
import { cleanPath, shownPath } from '../../formats/rootfs/path.ts';
import { tarScanner } from '../../formats/tar/scanner.ts';
import type { Run } from './findings.ts';

/** One read covers many small members, and costs little where a large one follows. */
const STEP = 32 * 1024;

/** The archive has been opened before, so it is a whole tar, and within every limit. */
export async function checkEnvelope(
  source: RandomSource,
  { compression, open }: Pick<Content, 'compression' | 'open'>,
  run: Run,
): Promise<void> {
  const scanner = memberScanner(run);
  if (compression.length) {
    for await (const chunk of open()) {
      checkAbort(run.context);
      scanner.push(chunk);
    }
    return;
  }
  while (scanner.position < source.size) {
    checkAbort(run.context);
    for await (const chunk of source.window(scanner.position, STEP)) scanner.push(chunk);
    scanner.skip();
  }
}

function memberScanner(run: Run) {
  const names = new Set<string>();
  return tarScanner(run.context.limits, {
    entry(entry) {
      const raw = binaryString(entry.path);
      const { path } = cleanPath(entry.path);
      const at = [shownPath(raw)];
      if (raw.startsWith('/')) run.findings.add('archive/name', at, 'the name is absolute');
      if (path === '') return;
      if (names.has(path)) run.findings.add('archive/duplicate', at, 'there is another member of this name');
      names.add(path);
    },
    warning: (message, path) =>
      run.findings.add('archive/portable', path.length ? [shownPath(binaryString(path))] : [], message),
  });
}

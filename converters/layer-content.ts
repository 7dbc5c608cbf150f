/** Single files of a layer, read once more: by where they stand in it. */
import { type Context, checkAbort } from '../formats/base/context.ts';
import { concat } from '../formats/bytes/text.ts';
import type { Layer } from '../formats/model/layer.ts';
import { tarScanner } from '../formats/tar/scanner.ts';

/** @param offsets of entries, in the tar; whoever asks bounds their sizes, which are held in memory */
export async function contentsAt(
  layer: Layer,
  offsets: ReadonlySet<number>,
  context: Context,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const found = new Map<number, Uint8Array>();
  let parts: Uint8Array[] | undefined;
  let filled = 0;
  const scanner = tarScanner(context.limits, {
    entry(entry) {
      parts = offsets.has(entry.offset) ? [] : undefined;
      filled = 0;
    },
    data(bytes, offset) {
      if (!parts) return;
      if (offset > filled) parts.push(new Uint8Array(offset - filled)); // a hole of a sparse file
      parts.push(new Uint8Array(bytes));
      filled = offset + bytes.length;
    },
    end(entry) {
      if (!parts) return;
      if (entry.size > filled) parts.push(new Uint8Array(entry.size - filled));
      found.set(entry.offset, concat(parts));
    },
  });
  for await (const chunk of layer.open(context)) {
    checkAbort(context);
    scanner.push(chunk);
  }
  return found;
}

/**
 * Maps of sparse files: old GNU headers, and PAX versions 0.0, 0.1 and 1.0.
 * https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html
 *
 * A map must ascend without overlap and end within the logical size, and the stored data must be as long as the map says;
 * otherwise two readers would extract two files.
 */
import { OcixError } from '../base/errors.ts';
import { binaryString } from '../bytes/text.ts';
import type { Extent } from './entry.ts';
import { parseCount, parseDecimal } from './number.ts';
import type { PaxRecord } from './pax.ts';

const MOST = Number.MAX_SAFE_INTEGER;
/** More stretches than any file system makes of a file; a map is kept in memory. */
const MOST_EXTENTS = 1_000_000;

/** Entries of an old GNU map in `block`, `count` of them from `at`; an entry that is empty ends the map. */
export function gnuExtents(block: Uint8Array, at: number, count: number): readonly Extent[] {
  const extents: Extent[] = [];
  for (let i = 0; i < count; i++) {
    const field = block.subarray(at + i * 24, at + (i + 1) * 24);
    if (field[0] === 0) break;
    extents.push({
      offset: parseCount(field.subarray(0, 12), MOST, 'sparse offset'),
      length: parseCount(field.subarray(12, 24), MOST, 'sparse length'),
    });
  }
  return extents;
}

/** What PAX records say about a sparse file. */
export interface PaxSparse {
  readonly name: Uint8Array | undefined;
  /** Logical size in bytes. */
  readonly size: number;
  /** Absent in version 1.0, where the map stands before the data. */
  readonly extents: readonly Extent[] | undefined;
}

export function paxSparse(
  records: readonly PaxRecord[],
  values: ReadonlyMap<string, Uint8Array>,
): PaxSparse | undefined {
  const text = (key: string): string | undefined => {
    const value = values.get(`GNU.sparse.${key}`);
    return value === undefined ? undefined : binaryString(value);
  };
  const name = values.get('GNU.sparse.name');
  const version = `${text('major') ?? ''}.${text('minor') ?? ''}`;
  if (version === '1.0') {
    return { name, size: parseDecimal(text('realsize') ?? '', MOST, 'GNU.sparse.realsize'), extents: undefined };
  }
  const map = text('map');
  const logical = text('size');
  if (logical === undefined || (version !== '.' && version !== '0.0' && version !== '0.1')) return undefined;
  const size = parseDecimal(logical, MOST, 'GNU.sparse.size');
  return { name, size, extents: pairs(map === undefined ? repeated(records) : map === '' ? [] : map.split(',')) };
}

/** Version 0.0 repeats two keys, so their order counts. */
function repeated(records: readonly PaxRecord[]): string[] {
  const numbers: string[] = [];
  for (const { key, value } of records) {
    const wanted = numbers.length % 2 ? 'GNU.sparse.numbytes' : 'GNU.sparse.offset';
    if (key !== 'GNU.sparse.offset' && key !== 'GNU.sparse.numbytes') continue;
    if (key !== wanted) throw bad(`${key} where ${wanted} must stand`);
    numbers.push(binaryString(value));
  }
  return numbers;
}

function pairs(numbers: readonly string[]): readonly Extent[] {
  if (numbers.length % 2) throw bad('the map has an offset without a length');
  if (numbers.length > 2 * MOST_EXTENTS) throw bad('the map is too long');
  const extents: Extent[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    extents.push({
      offset: parseDecimal(numbers[i]!, MOST, 'a sparse offset'),
      length: parseDecimal(numbers[i + 1]!, MOST, 'a sparse length'),
    });
  }
  return extents;
}

/** Reads a version 1.0 map: decimal lines (a count, then offset and length each), padded to a block. */
export interface MapReader {
  /** Takes one block; gives the map once it is complete. */
  block(bytes: Uint8Array): readonly Extent[] | undefined;
}

export function mapReader(): MapReader {
  const numbers: string[] = [];
  let wanted: number | undefined;
  let line = '';
  return {
    block(bytes) {
      for (const byte of bytes) {
        if (wanted !== undefined && numbers.length === wanted) return pairs(numbers);
        if (byte !== 0x0a) {
          line += String.fromCharCode(byte);
          if (line.length > 20) throw bad('a line of the map is no number');
          continue;
        }
        if (wanted === undefined) wanted = 2 * parseDecimal(line, MOST_EXTENTS, 'the number of sparse stretches');
        else numbers.push(line);
        line = '';
      }
      return wanted !== undefined && numbers.length === wanted ? pairs(numbers) : undefined;
    },
  };
}

/** @throws OcixError tar/sparse */
export function checkExtents(extents: readonly Extent[], size: number, stored: number): void {
  let end = 0;
  let sum = 0;
  if (extents.length > MOST_EXTENTS) throw bad('the map is too long');
  for (const { offset, length } of extents) {
    if (offset < end) throw bad('its stretches overlap or do not ascend');
    end = offset + length;
    if (end > size) throw bad('a stretch ends behind the end of the file');
    sum += length;
  }
  if (sum !== stored) throw bad(`its stretches hold ${sum} bytes, the archive ${stored}`);
}

const bad = (message: string): OcixError => new OcixError('tar/sparse', `a sparse file is malformed: ${message}`);

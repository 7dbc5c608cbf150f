/**
 * Bytes as text and back. Names in archives are bytes: where a string has to stand for them (a key of a map), it is a
 * binary string with one UTF-16 unit a byte, which keeps every byte and sorts as the bytes do.
 */

const PIECE = 8192;

/** One character a byte; nothing is lost, and comparing the strings compares the bytes. */
export function binaryString(bytes: Uint8Array): string {
  if (bytes.length <= PIECE) return charactersOf(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) text += charactersOf(bytes.subarray(at, at + PIECE));
  return text;
}

/** By `apply`, which takes any array-like and is six times as fast as spreading: every name of every entry goes through here. */
const charactersOf = (bytes: Uint8Array): string =>
  String.fromCharCode.apply(undefined, bytes as Uint8Array & number[]);

export function fromBinaryString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const lossy = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
const exact = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export const utf8Bytes = (text: string): Uint8Array => encoder.encode(text);

/** For showing only: what is not UTF-8 becomes U+FFFD. */
export const lossyUtf8 = (bytes: Uint8Array): string => lossy.decode(bytes);

/** The text, or undefined where the bytes are not UTF-8. A byte order mark stays in the text. */
export function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return exact.decode(bytes);
  } catch {
    return undefined;
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const part of parts) size += part.length;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

export const base64 = (bytes: Uint8Array): string => btoa(binaryString(bytes));

/**
 * Without these characters at its end. One pass: the expression for it, `-+$`, starts anew at each place of a run in the middle, and a
 * hostile text has runs of a million.
 */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** The same at both ends. */
export function withoutEnds(text: string, characters: string): string {
  let start = 0;
  while (start < text.length && characters.includes(text[start]!)) start++;
  return withoutEnd(text.slice(start), characters);
}

/** Text from an input, made safe to print: control characters and what could move a terminal's cursor are escaped. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => {
    const code = c.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

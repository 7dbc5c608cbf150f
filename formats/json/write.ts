/** JSON documents as bytes: compact, members in the order that they were given, so equal values give equal digests. */
import { utf8Bytes } from '../bytes/text.ts';
import type { Json } from './parse.ts';

export const jsonBytes = (value: Json): Uint8Array => utf8Bytes(JSON.stringify(value));

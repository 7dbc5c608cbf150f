/** The refusals that every codec throws, worded once. */
import { OcixError } from '../base/errors.ts';

/** codec/truncated: the input ends in the middle of `what`. */
export function truncated(what: string, cause?: unknown): OcixError {
  return new OcixError('codec/truncated', `the ${what} ends too soon`, {
    hint: 'The file is incomplete. Fetch or copy it again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** codec/corrupt: `why` says what is wrong with the `what`. */
export function corrupt(what: string, why: string, cause?: unknown): OcixError {
  return new OcixError('codec/corrupt', `the ${what} is damaged: ${why}`, {
    hint: 'The file was damaged or changed. Fetch or copy it again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** codec/corrupt: bytes that belong to no member, frame or stream come after the end. */
export function trailing(what: string): OcixError {
  return corrupt(what, 'something else follows its end');
}

/** codec/unsupported: the format is right, but no engine at hand reads this kind of it. */
export function unsupported(what: string, why: string, hint: string): OcixError {
  return new OcixError('codec/unsupported', `this ${what} cannot be read: ${why}`, { hint });
}

/** The message of whatever an engine threw. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

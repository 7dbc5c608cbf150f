/** An error as three lines at most: what is wrong, where, what to do about it. */
import type { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import type { Paint } from './terminal.ts';

export function errorText(error: OcixError, paint: Paint): string {
  const { code, message, at, expected, found, hint } = error;
  // A sentence that names its only place already does not need it a second time.
  const where =
    at.length > 1 || (at[0] !== undefined && !message.includes(at[0]))
      ? `  at  ${at.map(place).join(' > ')}`
      : undefined;
  const details = [expected && `expected ${printable(expected)}`, found && `found ${printable(found)}`]
    .filter(Boolean)
    .join(', ');
  const last = [details, hint && printable(hint)].filter(Boolean).join('. ');
  return [`${paint('bold', 'ocix:')} ${paint('red', code)}: ${printable(message)}`, where, last && `  ${last}`]
    .filter(Boolean)
    .join('\n');
}

/** Names come from the input, and may be as long as it likes. */
function place(name: string): string {
  const text = printable(name);
  return text.length <= 120 ? text : `${text.slice(0, 80)}…${text.slice(-36)}`;
}

/** A fault in ocix itself, in one line: a stack trace helps only who reports it, and is asked for. */
export function faultText(error: unknown): string {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `ocix: fault: ${printable(message)}\n  This is a fault in ocix itself. Please report it, with the command and, if you may, the input.\n  OCIX_TRACE=1 prints where it happened.`;
}

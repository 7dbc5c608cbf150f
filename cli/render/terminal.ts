/** Where output goes, and what it can show. Colour, and symbols that are no text, only on a terminal that wants them. */
import { styleText } from 'node:util';

export interface Stream {
  readonly write: (text: string) => unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'cyan' | 'yellow';

export function wantsColour(stream: Stream, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

export type Paint = (style: Style, text: string) => string;

/** Neither colours nor symbols. */
export const plain: Paint = (_, text) => text;

export const paintFor = (stream: Stream, env: NodeJS.ProcessEnv): Paint =>
  wantsColour(stream, env) ? (style, text) => styleText(style, text, { validateStream: false }) : plain;

export const widthOf = (stream: Stream): number =>
  stream.isTTY && stream.columns ? Math.max(40, stream.columns) : 100;

/** Cut to a width, with a sign that something is missing. */
export const clip = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;

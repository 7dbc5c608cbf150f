/** Progress on standard error: bars on a terminal, lines in a log, events for a program. */
import type { LayerProgress, ProgressEvent } from '../../formats/base/progress.ts';
import { printable } from '../../formats/bytes/text.ts';
import { clip, type Paint, type Stream, widthOf } from './terminal.ts';
import { countText, secondsText, shortDigest, sizeText } from './units.ts';

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'json' | 'none';
export const PROGRESS_MODES: readonly ProgressMode[] = ['auto', 'tty', 'plain', 'json', 'none'];

export interface ProgressView {
  event(event: ProgressEvent): void;
  /** Takes away what does not last. */
  end(): void;
}

export interface ViewOptions {
  readonly stream: Stream;
  readonly paint: Paint;
  /** Milliseconds. */
  readonly now: () => number;
}

export function progressView(mode: ProgressMode, options: ViewOptions): ProgressView {
  const kind = mode === 'auto' ? (options.stream.isTTY ? 'tty' : 'plain') : mode;
  if (kind === 'tty') return barView(options);
  if (kind === 'plain') return lineView(options);
  if (kind === 'json') return { event: (event) => void options.stream.write(`${JSON.stringify(event)}\n`), end() {} };
  return { event() {}, end() {} };
}

const TEN_SECONDS = 10_000;

function sourceLine(event: Extract<ProgressEvent, { type: 'source' }>): string {
  return [
    event.format,
    countText(event.images, 'image'),
    countText(event.layers, 'layer'),
    ...(event.size === undefined ? [] : [sizeText(event.size)]),
  ].join(', ');
}

const layerName = ({ number, count, digest }: LayerProgress): string =>
  `layer ${number}/${count}${digest ? `  ${shortDigest(digest)}` : ''}`;

/** A line when a layer starts and ends, and one every ten seconds while it lasts. */
function lineView({ stream, now }: ViewOptions): ProgressView {
  let started = 0;
  let last = 0;
  const say = (text: string): void => void stream.write(`${text}\n`);
  const progress = (name: string, done: number, total: number | undefined): void => {
    if (now() - last < TEN_SECONDS) return;
    last = now();
    say(
      `${name}  ${sizeText(done)}${total ? ` of ${sizeText(total)}, ${Math.floor((100 * done) / total)} %` : ''} after ${secondsText(now() - started)}`,
    );
  };
  return {
    event(event) {
      if (event.type === 'source') say(sourceLine(event));
      else if (event.type === 'reading') {
        if (!started) started = last = now();
        progress(`reading ${printable(event.name)}`, event.done, event.total);
      } else if (event.type === 'layer-start') {
        started = last = now();
        say(`${layerName(event.layer)}  ${event.layer.size === undefined ? 'starts' : sizeText(event.layer.size)}`);
      } else if (event.type === 'layer-progress') progress(layerName(event.layer), event.done, event.layer.size);
      else
        say(
          `${layerName(event.layer)}  ${sizeText(event.size)}, ${event.stored.compression} ${sizeText(event.stored.size)}, ${secondsText(now() - started)}`,
        );
    },
    end() {},
  };
}

const BAR = 22;
const FRAME = 80;

/** One line for what goes on, redrawn; lines of finished layers stay above it until the end takes all of them away. */
function barView({ stream, paint, now }: ViewOptions): ProgressView {
  let lines = 0;
  let live = false;
  let drawn = 0;
  let started = 0;
  const put = (text: string, keep: boolean): void => {
    stream.write(`${live ? '\r\x1b[2K' : ''}${clip(text, widthOf(stream) - 1)}${keep ? '\n' : ''}`);
    live = !keep;
    if (keep) lines++;
  };
  const draw = (name: string, done: number, total: number | undefined): void => {
    if (now() - drawn < FRAME) return;
    drawn = now();
    put(`  ${name}  ${gauge(done, total, now() - started)}`, false);
  };
  return {
    event(event) {
      if (event.type === 'source') put(sourceLine(event), true);
      else if (event.type === 'reading') {
        started ||= now();
        draw(`reading ${printable(event.name)}`, event.done, event.total);
      } else if (event.type === 'layer-start') started = now();
      else if (event.type === 'layer-progress') draw(layerName(event.layer), event.done, event.layer.size);
      else
        put(
          `  ${layerName(event.layer)}  ${sizeText(event.size).padStart(9)}  ${paint('green', '█'.repeat(BAR))}  ${event.stored.compression} ${sizeText(event.stored.size)}`,
          true,
        );
    },
    end() {
      if (live) stream.write('\r\x1b[2K');
      if (lines) stream.write(`\x1b[${lines}A\x1b[J`);
      lines = 0;
      live = false;
    },
  };
}

function gauge(done: number, total: number | undefined, elapsed: number): string {
  const rate = elapsed > 200 ? `  ${sizeText((1000 * done) / elapsed)}/s` : '';
  if (!total) return `${sizeText(done).padStart(9)}${rate}`;
  const part = Math.min(1, done / total);
  const full = Math.round(BAR * part);
  const left =
    part > 0 && elapsed > 1000 ? `  about ${Math.max(1, Math.round((elapsed * (1 - part)) / part / 1000))} s` : '';
  return `${sizeText(total).padStart(9)}  ${'█'.repeat(full)}${'░'.repeat(BAR - full)}  ${String(Math.floor(100 * part)).padStart(3)} %${rate}${left}`;
}

/** Help of a command: the synopsis, examples that can be pasted, the options in their groups, the exit statuses. */
import { type Command, Help } from 'commander';
import { LESSONS, type Lesson } from '../lessons.ts';

/** Everything but what a lesson adds is the parser's own. */
export function formatHelp(command: Command, helper: Help): string {
  const own = Help.prototype.formatHelp.call(helper, command, helper);
  const lesson = LESSONS[command.name()];
  if (!lesson) return own;
  const width = helper.helpWidth ?? 80;
  const notes = (lesson.notes ?? []).map((note) => `${helper.boxWrap(note, width)}\n\n`).join('');
  const places = ['\nArguments:', '\nOptions:'].map((title) => own.indexOf(title)).filter((at) => at >= 0);
  const at = Math.min(...places) + 1;
  return `${own.substring(0, at)}${notes}${examplesText(lesson)}\n${own.substring(at)}\n${exitText(lesson)}`;
}

function examplesText({ examples }: Lesson): string {
  // A line too long for the column has its meaning behind it all the same.
  const column = Math.min(60, Math.max(...examples.map(([line]) => line.length)));
  return `Examples:\n${examples.map(([line, meaning]) => `  ${line.padEnd(column)}  # ${meaning}\n`).join('')}`;
}

const exitText = ({ exit }: Lesson): string =>
  `Exit status:\n${exit.map(([status, meaning]) => `  ${String(status).padEnd(3)}  ${meaning}\n`).join('')}`;

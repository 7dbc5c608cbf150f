/** Writes the man pages into the folder that is given; run by the build, and by `npm run man`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { commandFacts } from '../facts.ts';
import { OVERVIEW_EXAMPLES, wholeProgram } from '../program.ts';
import { manPages } from './pages.ts';

const folder = process.argv[2] ?? 'dist/man';
const { stdout, stderr, env } = process;
const program = await wholeProgram({ signal: new AbortController().signal, env, stdout, stderr, finish: () => {} });
const commands = await commandFacts(program);
const facts = {
  version: packageJson.version,
  description: program.description(),
  examples: OVERVIEW_EXAMPLES,
  commands,
};

mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) rmSync(join(folder, name));
for (const { name, text } of manPages(facts)) writeFileSync(join(folder, name), text);

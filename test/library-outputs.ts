/**
 * What the library writes in any test, held against `validate` at the level `should` and `oci-image-tool`, as `cases/outputs.ts` does for the command: it stands
 * between the tests and the library (vitest.config.ts), so that no test has to ask for it.
 */
import { join } from 'node:path';
import { afterEach, vi } from 'vitest';
import type * as Library from '../converters/index.ts';
import type { RuleId } from '../converters/index.ts';
import { objectionOfTool, partsOf, stateOf } from './soundness.ts';

let inherited: ReadonlySet<RuleId> = new Set();

/** Rules that the inputs of a test break, so that what is written breaks them too. Until the test ends. */
export function inherits(...rules: readonly RuleId[]): void {
  inherited = new Set([...inherited, ...rules]);
}

afterEach(() => {
  inherited = new Set();
});

/** Written for other programs; there is nothing in them that a specification of images speaks of. */
const NOT_VALIDATED = ['kube', 'rootfs'];

vi.mock('../converters/index.ts', async (original) => {
  const library = await original<typeof Library>();
  const convert: typeof Library.convert = async (source, out, options) => {
    const report = await library.convert(source, out, options);
    const { format, out: path } = report.target;
    if (path !== '-' && !NOT_VALIDATED.includes(format)) await check(library, path, format === 'tar' ? 'tar:' : '');
    return report;
  };
  const migrate: typeof Library.migrate = async (estate, out, options) => {
    const report = await library.migrate(estate, out, options);
    if (stateOf(join(out, 'index.json')) !== '') await check(library, out, '');
    return report;
  };
  return { ...library, convert, migrate };
});

async function check({ validate }: typeof Library, out: string, transport: string): Promise<void> {
  const objection = objectionOfTool(out);
  if (objection !== undefined) throw new Error(`${out}: what the library wrote is not sound:\n${objection}`);
  for (const { path, whole } of partsOf(out)) {
    const { findings } = await validate(`${transport}${path}`, { fast: !whole });
    const wrong = findings.filter(({ level, rule }) => level !== 'note' && !inherited.has(rule));
    if (!wrong.length) continue;
    const lines = wrong.map(({ rule, at, message }) => `  ${rule}: ${at.join(' > ')}: ${message}`);
    throw new Error(`${path}: what the library wrote is not sound:\n${lines.join('\n')}`);
  }
}

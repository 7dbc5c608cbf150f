/** Docker reads members of its documents without regard to case, as Go does; the shapes know one spelling. */
import type { Json } from '../../formats/json/parse.ts';
import { CONFIG_MEMBERS } from '../../formats/model/config-document.ts';
import { isObject, type JsonMap } from './shape.ts';

const ENTRY = ['Config', 'RepoTags', 'Layers', 'LayerSources', 'Parent'];
const EXECUTION = [
  'User',
  'ExposedPorts',
  'Env',
  'Entrypoint',
  'Cmd',
  'Volumes',
  'WorkingDir',
  'Labels',
  'StopSignal',
  'ArgsEscaped',
];

export interface Spelled {
  readonly value: Json;
  /** Members that are written in another way. */
  readonly changed: readonly string[];
}

export function spelledEntry(value: Json): Spelled {
  const changed: string[] = [];
  return { value: spelled(value, ENTRY, changed), changed };
}

export function spelledConfig(value: Json): Spelled {
  const changed: string[] = [];
  const top = spelled(value, CONFIG_MEMBERS, changed);
  if (!isObject(top) || !isObject(top['config'])) return { value: top, changed };
  return { value: { ...top, config: spelled(top['config'], EXECUTION, changed) }, changed };
}

/** The last spelling counts, also behind an exact one, as Go's encoding/json has it. */
function spelled(value: Json, names: readonly string[], changed: string[]): Json {
  if (!isObject(value)) return value;
  const known = new Map(names.map((name) => [name.toLowerCase(), name]));
  const members: [string, Json][] = Object.entries(value as JsonMap).map(([name, found]) => {
    const exact = known.get(name.toLowerCase()) ?? name;
    if (exact !== name) changed.push(name);
    return [exact, found];
  });
  return Object.fromEntries(members);
}

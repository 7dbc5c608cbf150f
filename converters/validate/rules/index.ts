/** All rules by id. The table in `docs/validate.md` is made of it. */
import { APPC_RULES } from './appc.ts';
import { CONFIG_RULES } from './config.ts';
import { DEBIAN_RULES } from './debian.ts';
import { DOCKER_RULES } from './docker.ts';
import { IMAGE_RULES } from './image.ts';
import { ARCHIVE_RULES, JSON_RULES } from './input.ts';
import { LAYER_RULES } from './layer.ts';
import type { Rule } from './rule.ts';
import { HOST_RULES, RUNTIME_RULES } from './runtime.ts';

export const RULES = {
  ...JSON_RULES,
  ...ARCHIVE_RULES,
  ...IMAGE_RULES,
  ...CONFIG_RULES,
  ...LAYER_RULES,
  ...DOCKER_RULES,
  ...APPC_RULES,
  ...DEBIAN_RULES,
  ...RUNTIME_RULES,
  ...HOST_RULES,
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof RULES;

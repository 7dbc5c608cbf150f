/** The table of targets. Help and the pipeline walk it; adding a target is a line here. */
import { ociLayout } from './oci-layout.ts';
import type { Target } from './target.ts';

export const TARGETS: readonly Target[] = [ociLayout];

export const targetNamed = (name: string): Target | undefined => TARGETS.find((target) => target.name === name);

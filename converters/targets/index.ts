/** The table of targets. Help and the pipeline walk it; adding a target is a line here. */
import { aci } from './aci.ts';
import { bundle } from './bundle.ts';
import { dockerArchive } from './docker-archive.ts';
import { kube } from './kube.ts';
import { ociArchive } from './oci-archive.ts';
import { ociLayout } from './oci-layout.ts';
import { rootfsTar } from './rootfs-tar.ts';
import type { Target } from './target.ts';

export const TARGETS: readonly Target[] = [ociLayout, ociArchive, dockerArchive, rootfsTar, aci, bundle, kube];

export const targetNamed = (name: string): Target | undefined => TARGETS.find((target) => target.name === name);

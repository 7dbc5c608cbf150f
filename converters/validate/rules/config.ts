/** Rules of the image specification for configurations, and for what ties them to layers. */
import { rulesOf } from './rule.ts';

const REBUILD = 'Correct the image, or have it corrected by the one who built it.';
const DAMAGED = 'The image is damaged or was changed. Fetch it again.';

export const CONFIG_RULES = rulesOf('https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md', {
  'oci/config-form': [
    'must',
    '#properties',
    'a configuration has the members, and of the types, that are specified',
    REBUILD,
  ],
  'oci/config-platform': ['must', '#properties', 'a configuration has architecture and os', REBUILD],
  'oci/config-platform-values': [
    'should',
    '#properties',
    'architecture and os of a configuration are values of GOARCH and GOOS',
    REBUILD,
  ],
  'oci/config-created': ['must', '#properties', 'created is a time as RFC 3339 has it', REBUILD],
  'oci/config-rootfs': ['must', '#properties', 'rootfs is there, with type "layers" and a list diff_ids', REBUILD],
  'oci/config-diff-ids': ['must', '#layer-diffid', 'every entry of diff_ids is a digest', REBUILD],
  'oci/config-history-form': [
    'must',
    '#properties',
    'every entry of history has members of the types that are specified',
    REBUILD,
  ],
  'oci/config-env': ['must', '#properties', 'every entry of Env is NAME=VALUE', REBUILD],
  'oci/config-ports': [
    'must',
    '#properties',
    'names in ExposedPorts are PORT, PORT/tcp or PORT/udp, without ranges',
    REBUILD,
  ],
  'oci/config-volumes': [
    'must',
    '#properties',
    'names in Volumes are absolute paths that stay inside of the container',
    REBUILD,
  ],
  'oci/config-user': [
    'must',
    '#properties',
    'User is a name or an id, perhaps with a group: user, uid, user:group, uid:gid, uid:group or user:gid',
    REBUILD,
  ],
  'oci/config-working-dir': [
    'should',
    '#properties',
    'WorkingDir is an absolute path, and not one that leads to open files of the host (CVE-2024-21626)',
    REBUILD,
  ],
  'oci/config-stop-signal': [
    'should',
    '#properties',
    'StopSignal is the name of a signal, such as SIGKILL or SIGRTMIN+3, or its number',
    REBUILD,
  ],
  'oci/config-labels': ['must', '#properties', 'Labels are an object whose values are strings', REBUILD],
  'oci/config-layers': ['must', '#layer-diffid', 'rootfs.diff_ids has one entry for each layer', REBUILD],
  'oci/config-diff-id': [
    'must',
    '#layer-diffid',
    'every entry of diff_ids is the digest of its layer, uncompressed',
    DAMAGED,
  ],
  'oci/config-history': [
    'should',
    '#properties',
    'history has one entry for each layer, besides those that are marked as empty',
    REBUILD,
  ],
});

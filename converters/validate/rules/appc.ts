/** Rules of the App Container specification for images. */
import { rulesOf } from './rule.ts';

const REBUILD = 'Build the image anew.';
const CORRECT = 'Correct the manifest and build the image anew.';
const DISTRUST = 'Do not trust this image; no builder writes such an entry.';

export const APPC_RULES = rulesOf('https://github.com/appc/spec/blob/v0.8.11/spec/', {
  'appc/archive-tar': ['must', 'aci.md#image-archives', 'an image is one whole tar', 'Fetch the image again.'],
  'appc/archive-compression': [
    'must',
    'aci.md#image-archives',
    'an image is compressed once at most, with gzip, bzip2 or xz',
    'Compress it anew.',
  ],
  'appc/archive-ustar': [
    'note',
    'aci.md#image-archives',
    'the tar has headers that the reference implementation recognises',
    'Write the tar in the form ustar or pax; rkt refuses it as it is.',
  ],
  'appc/archive-top': [
    'must',
    'aci.md#image-layout',
    'there are manifest and rootfs at the top, and nothing else',
    REBUILD,
  ],
  'appc/archive-manifest': ['must', 'aci.md#image-layout', 'there is one manifest, a regular file', REBUILD],
  'appc/archive-rootfs': ['must', 'aci.md#image-layout', 'rootfs is a folder that has an entry of its own', REBUILD],
  'appc/archive-duplicate': ['must', 'aci.md#image-archives', 'no two entries are for one path', REBUILD],
  'appc/archive-path': ['must', 'aci.md#image-archives', 'paths are relative, and have no ".." in them', DISTRUST],
  'appc/archive-link': ['must', 'aci.md#image-archives', 'the target of every hard link is in the image', REBUILD],
  'appc/archive-portable': [
    'should',
    'aci.md#image-archives',
    'an image has nothing that readers of tar understand in different ways',
    REBUILD,
  ],
  'appc/names-unchecked': [
    'note',
    'aci.md#image-archives',
    'all entries are remembered, so that duplicates and the targets of hard links are found',
    'Nothing: the image has more entries than are compared with each other.',
  ],
  'appc/manifest-form': [
    'must',
    'aci.md#image-manifest-schema',
    'the manifest has the members, and of the types, that are specified',
    CORRECT,
  ],
  'appc/manifest-case': [
    'note',
    'aci.md#image-manifest-schema',
    'members are spelled as in the specification',
    'Nothing: rkt reads names without regard to case; other tools may not.',
  ],
  'appc/manifest-twice': [
    'note',
    'aci.md#image-manifest-schema',
    'no object of the manifest has two members of one name',
    'Remove one of the two; the last one counts.',
  ],
  'appc/kind': ['must', 'types.md#ac-kind-type', 'acKind is "ImageManifest"', CORRECT],
  'appc/version': [
    'must',
    'types.md#ac-version-type',
    'acVersion is a version as SemVer has it, and not 0.0.0',
    CORRECT,
  ],
  'appc/name': [
    'must',
    'types.md#ac-identifier-type',
    'names are of lower-case letters, digits and -._~/ between them',
    CORRECT,
  ],
  'appc/name-pattern': [
    'should',
    'types.md#ac-identifier-type',
    'no two separators in a name stand side by side',
    'Choose another name; the reference implementation takes this one, others may not.',
  ],
  'appc/labels': [
    'must',
    'aci.md#image-manifest-schema',
    'every label is given once, and none is called name',
    CORRECT,
  ],
  'appc/platform': [
    'must',
    'aci.md#image-manifest-schema',
    'the labels os and arch are a pair that is specified',
    CORRECT,
  ],
  'appc/annotations': [
    'must',
    'aci.md#image-manifest-schema',
    'every annotation is given once, and defined ones are of the form that is defined',
    CORRECT,
  ],
  'appc/dependencies': [
    'must',
    'aci.md#dependency-matching',
    'dependencies have an imageName, and an imageID of sha512 if they have one',
    CORRECT,
  ],
  'appc/path-whitelist': ['should', 'aci.md#image-manifest-schema', 'paths of the whitelist are absolute', CORRECT],
  'appc/app-user': ['must', 'aci.md#image-manifest-schema', 'an app has a user and a group', CORRECT],
  'appc/app-folder': ['must', 'aci.md#image-manifest-schema', 'workingDirectory is an absolute path', CORRECT],
  'appc/app-environment': [
    'must',
    'aci.md#image-manifest-schema',
    'variables have names that a shell takes, each of them once',
    CORRECT,
  ],
  'appc/app-handlers': [
    'must',
    'aci.md#image-manifest-schema',
    'handlers are for pre-start and post-stop, each of them once',
    CORRECT,
  ],
  'appc/app-ports': [
    'must',
    'aci.md#image-manifest-schema',
    'ports are from 1 to 65535, and have a name and a protocol',
    CORRECT,
  ],
  'appc/app-mount-points': ['must', 'aci.md#image-manifest-schema', 'mount points have a name and a path', CORRECT],
  'appc/app-mount-paths': [
    'should',
    'aci.md#image-manifest-schema',
    'paths of mount points are absolute, each of them once',
    CORRECT,
  ],
  'appc/isolators': [
    'must',
    'ace.md#isolators',
    'isolators that are specified have a value of the form that is specified',
    CORRECT,
  ],
  'appc/isolators-exclusive': [
    'must',
    'ace.md#isolators',
    'of a retain-set and a remove-set there is one only',
    'Keep one of the two.',
  ],
  'appc/isolators-ignored': [
    'note',
    'ace.md#isolators',
    'everything in isolators is known',
    'Nothing, unless you relied on it: what nobody knows is ignored.',
  ],
});

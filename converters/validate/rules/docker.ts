/** Rules for archives of `docker save` and its imitators: what `docker load` checks, and what it overlooks. */
import { rulesOf } from './rule.ts';

const AGAIN = 'Save the image again.';
const DISTRUST = 'Do not trust this archive.';

export const DOCKER_RULES = rulesOf('https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md', {
  'docker/manifest': [
    'must',
    '#combined-image-json--filesystem-changeset-format',
    'manifest.json is a list of images',
    AGAIN,
  ],
  'docker/manifest-form': [
    'must',
    '#combined-image-json--filesystem-changeset-format',
    'every image of manifest.json has Config, RepoTags and Layers of the types that are specified',
    AGAIN,
  ],
  'docker/name-case': [
    'note',
    '#combined-image-json--filesystem-changeset-format',
    'members are spelled as in the specification',
    'Nothing: Docker reads names without regard to case; other tools may not.',
  ],
  'docker/repo-tags': [
    'must',
    '#combined-image-json--filesystem-changeset-format',
    'every entry of RepoTags is NAME:TAG',
    'Give the image another name and save it again.',
  ],
  'docker/member': [
    'must',
    '#combined-image-json--filesystem-changeset-format',
    'the members that manifest.json names are files in the archive',
    AGAIN,
  ],
  'docker/layers': [
    'must',
    '#combined-image-json--filesystem-changeset-format',
    'Layers has one entry for each one of rootfs.diff_ids',
    AGAIN,
  ],
  'docker/diff-id': [
    'must',
    '#combined-image-json--filesystem-changeset-format',
    'every layer has the digest, uncompressed, that rootfs.diff_ids says',
    'The archive is damaged or was changed. Save the image again.',
  ],
  'docker/member-twice': [
    'must',
    '#combined-image-json--filesystem-changeset-format',
    'one member is not used as two different layers',
    DISTRUST,
  ],
  'docker/layer-sources': [
    'should',
    'https://github.com/moby/moby/blob/v27.0.0/image/tarexport/save.go',
    'LayerSources has descriptors by the diffIDs of layers',
    AGAIN,
  ],
  'docker/foreign-absent': [
    'note',
    'https://github.com/moby/moby/blob/v27.0.0/image/tarexport/save.go',
    'foreign layers are in the archive',
    'Fetch the layer from its vendor before you run the image.',
  ],
  'docker/repositories': [
    'should',
    'https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md',
    'repositories has the same names as manifest.json',
    AGAIN,
  ],
  'docker/hybrid-index': [
    'should',
    'https://github.com/moby/moby/blob/v27.0.0/image/tarexport/save.go',
    'index.json and manifest.json of one archive have the same images',
    'Save the image again with a newer Docker; which of the two a tool reads is its own choice.',
  ],
  'docker/hybrid-layout': [
    'note',
    'https://github.com/moby/moby/blob/v27.0.0/image/tarexport/save.go',
    'the archive is no OCI layout besides',
    'To have that half validated too, write oci-archive:PATH.',
  ],
  'docker/version-1': [
    'note',
    'https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md',
    'the archive is of a generation that tools of today read',
    'Convert it: ocix docker2oci FILE.',
  ],
  'docker/version-1-id': [
    'must',
    'https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md',
    'ids of layers are 64 lower-case hexadecimal digits (CVE-2014-9358)',
    DISTRUST,
  ],
  'docker/version-1-json': [
    'must',
    'https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md',
    'json of a layer is an object that has the id of its folder',
    DISTRUST,
  ],
  'docker/version-1-parent': [
    'must',
    'https://github.com/moby/docker-image-spec/blob/v1.0.0/v1.md',
    'parents are in the archive, and no layer is its own ancestor (CVE-2016-8579)',
    DISTRUST,
  ],
  'docker/schema-1': [
    'must',
    'https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/manifest-v2-1.md',
    'a manifest of schema 1 has fsLayers and history of one length, and a chain of ids',
    'Pull the image again by its tag; registries convert such manifests.',
  ],
  'docker/schema-1-deprecated': [
    'note',
    'https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/deprecated-schema-v1.md',
    'the manifest is of a schema that registries of today take',
    'Convert the image.',
  ],
});

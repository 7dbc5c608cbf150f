/** Rules of Debian's packages: what dpkg demands (MUST), and what Debian's policy does besides (SHOULD). */
import { rulesOf } from './rule.ts';

const AGAIN = 'Fetch the package again, or build it anew with dpkg-deb.';
const CORRECT = 'Correct the control file and build the package anew.';
const BUILD = 'Build the package anew, with dpkg-deb.';
const DISTRUST = 'Do not trust this package; no tool builds such a one.';
const POLICY = 'https://www.debian.org/doc/debian-policy/';
const RELATIONS = `${POLICY}ch-relationships.html#syntax-of-relationship-fields`;

export const DEBIAN_RULES = rulesOf('https://manpages.debian.org/bookworm/dpkg-dev/', {
  'deb/ar': [
    'must',
    'deb.5.en.html#FORMAT',
    'a package is an ar archive, whole from its first member to its last',
    AGAIN,
  ],
  'deb/format': ['must', 'deb.5.en.html#FORMAT', 'the first member is debian-binary, and says version 2', AGAIN],
  'deb/format-old': [
    'note',
    'deb-old.5.en.html',
    'the package is of the format that there is since 1995',
    'Nothing: dpkg reads the old one too; other tools may not.',
  ],
  'deb/members': [
    'must',
    'deb.5.en.html#FORMAT',
    'control.tar and data.tar follow in this order, with nothing between them but members whose names start with _',
    BUILD,
  ],
  'deb/compression': [
    'must',
    'deb.5.en.html#FORMAT',
    'an archive is compressed, soundly, in the way that its name says',
    AGAIN,
  ],
  'deb/tar': ['must', 'deb.5.en.html#FORMAT', 'control.tar and data.tar are whole tars', AGAIN],
  'deb/tar-dialect': [
    'must',
    'deb.5.en.html#FORMAT',
    'the tars are of the forms that dpkg reads: of version 7, ustar, and of GNU without sparse files',
    'Write them with tar --format=gnu.',
  ],
  'deb/tar-portable': [
    'should',
    'deb.5.en.html#FORMAT',
    'the tars have nothing that readers understand in different ways',
    BUILD,
  ],
  'deb/control-missing': ['must', 'deb.5.en.html#FORMAT', 'there is a file control in control.tar', BUILD],
  'deb/control-entries': [
    'must',
    'deb.5.en.html#FORMAT',
    'control.tar has regular files in it, each of them once and none below a folder',
    BUILD,
  ],
  'deb/control-form': [
    'must',
    'deb822.5.en.html#DESCRIPTION',
    'control is one list of fields, each of them there once',
    CORRECT,
  ],
  'deb/control-text': ['should', 'deb822.5.en.html#DESCRIPTION', 'control is UTF-8', CORRECT],
  'deb/control-fields': [
    'must',
    'deb-control.5.en.html#FIELDS',
    'there are Package, Version and Architecture, and they are of the form that is specified',
    CORRECT,
  ],
  'deb/control-about': [
    'should',
    `${POLICY}ch-controlfields.html#binary-package-control-files-debian-control`,
    'there are Maintainer and Description',
    CORRECT,
  ],
  'deb/name': [
    'should',
    `${POLICY}ch-controlfields.html#package`,
    'a name has two characters or more: lower-case letters, digits, and +-. behind the first',
    'Choose another name; dpkg takes this one, archives do not.',
  ],
  'deb/version': ['must', 'deb-version.7.en.html#DESCRIPTION', 'Version is a version', CORRECT],
  'deb/version-digit': [
    'should',
    'deb-version.7.en.html#DESCRIPTION',
    'a version starts with a digit',
    'Put 0 in front; dpkg warns.',
  ],
  'deb/relations': [
    'must',
    RELATIONS,
    'what is said of other packages is of the form that is specified; alternatives stand only where one of several is needed',
    CORRECT,
  ],
  'deb/relations-obsolete': ['should', RELATIONS, 'versions are compared with <<, <=, =, >= and >>', CORRECT],
  'deb/scripts': [
    'should',
    `${POLICY}ch-maintainerscripts.html#introduction-to-package-maintainer-scripts`,
    'scripts can be run: they say by what, and have the mode for it',
    BUILD,
  ],
  'deb/conffiles': [
    'must',
    'deb-conffiles.5.en.html#DESCRIPTION',
    'conffiles are absolute paths, each of them once, of regular files in the package',
    'Correct conffiles and build the package anew.',
  ],
  'deb/md5sums': [
    'should',
    'deb-md5sums.5.en.html#DESCRIPTION',
    'md5sums has the digests of files that are in the package, by their paths without a slash in front',
    'Write md5sums anew (dh_md5sums), or find out who changed the file.',
  ],
  'deb/data-path': ['must', 'deb.5.en.html#FORMAT', 'paths are relative, and have no ".." in them', DISTRUST],
  'deb/data-duplicate': ['should', 'deb.5.en.html#FORMAT', 'no two entries are for one path', BUILD],
  'deb/data-link': ['must', 'deb.5.en.html#FORMAT', 'the target of every hard link comes before it', BUILD],
  'deb/data-through-link': [
    'should',
    'deb.5.en.html#FORMAT',
    'no entry lies behind a symbolic link of the same package',
    'Write the path that is meant; where the link leads is decided when it is unpacked.',
  ],
  'deb/data-device': [
    'should',
    `${POLICY}ch-files.html#device-files`,
    'there are no devices in a package, and no pipes',
    'Let a script make it.',
  ],
  'deb/names-unchecked': [
    'note',
    'deb.5.en.html#FORMAT',
    'all entries are remembered, so that duplicates and what is absent are found',
    'Nothing: the package has more entries than are compared with each other.',
  ],
});

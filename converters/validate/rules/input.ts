/** Rules of every JSON document, and of every archive. */
import { rulesOf } from './rule.ts';

const AGAIN = 'Write the document anew, with a JSON library.';

export const JSON_RULES = rulesOf('https://www.rfc-editor.org/rfc/', {
  'json/syntax': ['must', 'rfc8259', 'the document is JSON', AGAIN],
  'json/encoding': [
    'must',
    'rfc7493#section-2.1',
    'the document is UTF-8, without a byte order mark, surrogates and noncharacters',
    AGAIN,
  ],
  'json/duplicate-name': [
    'must',
    'rfc7493#section-2.3',
    'no object has two members of one name',
    'Remove one of the two: readers disagree about which counts.',
  ],
  'json/number': [
    'should',
    'rfc7493#section-2.2',
    'numbers are within the precision of a double',
    'Keep numbers below 2^53; readers round larger ones.',
  ],
  'input/limits': [
    'must',
    'https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests',
    'what is read stays within the limits of readers',
    'If you trust this input, raise the limit that is named with --limit NAME=VALUE.',
  ],
});

export const ARCHIVE_RULES = rulesOf('https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html', {
  'archive/duplicate': [
    'should',
    '#tag_20_92_13',
    'no two members of an archive have one name',
    'Write the archive anew: some readers take the first of the two, others the last.',
  ],
  'archive/name': ['should', '#tag_20_92_13', 'names of members are relative', 'Write the archive anew.'],
  'archive/portable': [
    'should',
    '#tag_20_92_13',
    'an archive has nothing that readers of tar understand in different ways',
    'Write the archive anew.',
  ],
});

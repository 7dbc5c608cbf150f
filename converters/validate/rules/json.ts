/** Rules of every JSON document. */
import { rulesOf } from './rule.ts';

const AGAIN = 'Write the document anew, with a JSON library.';

export const JSON_RULES = rulesOf('https://www.rfc-editor.org/rfc/', {
  'json/syntax': ['must', 'rfc8259', 'the document is JSON', AGAIN],
  'json/encoding': ['must', 'rfc7493#section-2.1', 'the document is UTF-8, without a byte order mark', AGAIN],
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

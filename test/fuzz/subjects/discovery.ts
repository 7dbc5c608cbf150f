/** Pages of servers that are asked where images are. */
import { isDeepStrictEqual } from 'node:util';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { readHead } from '../../../formats/discovery/head.ts';
import { endpointsFor, isWeb, keysFor } from '../../../formats/discovery/template.ts';
import { parseWanted } from '../../../formats/discovery/wanted.ts';
import { sliced } from '../../formats/support.ts';
import { mutatedBytes } from '../mutate.ts';
import type { Random } from '../random.ts';
import { Find, type Subject } from '../subject.ts';

const PREFIXES = [
  'example.com',
  'example.com/',
  'example.com/a',
  'example.co',
  '',
  'EXAMPLE.com',
  `example.com${'/'.repeat(100_000)}x`,
];
const TARGETS = [
  ...[
    'https://h.example/{name}-{version}-{os}-{arch}.{ext}',
    'http://h.example/{ext}',
    'https://h.example/{x}',
    '{name}',
  ],
  ...[
    'file:///etc/{name}',
    'https://u:p@h.example/{ext}',
    'https://{version}.example/',
    '//h/{ext}',
    'https://[::1/{ext}',
  ],
  ...['javascript:{name}', 'https://h.example/&#123;name}', '{'.repeat(50_000), 'https://h.example/{{name}}.{ext}'],
];
const NAMES = [
  'ac-discovery',
  'AC-Discovery',
  'ac-discovery-pubkeys',
  'go-import',
  ' ac-discovery ',
  'ac&#45;discovery',
];
const PIECES = [
  ...[
    '<html>',
    '<head>',
    '</head>',
    '<body>',
    '</html>',
    '<!DOCTYPE html>',
    '<!-- ',
    ' -->',
    '<![CDATA[',
    ']]>',
    '<?php ?>',
  ],
  ...['<title>', '</title>', '<script>', '</script>', '<style>', '</style>', '<template>', '</template>', '<noscript>'],
  ...[
    'text',
    '&#65;',
    '&amp',
    '&',
    '<',
    '>',
    '"',
    '\0',
    '\ufeff',
    ' ',
    '\n',
    '<link rel=x>',
    '<base href="/x">',
    '<svg>',
    '<p/>',
  ],
  ...[
    '<meta',
    '<meta name',
    '<meta name=ac-discovery content=',
    '<title/>',
    '</',
    '<!',
    '<a b="',
    '<template>'.repeat(20),
  ],
];

function tagFrom(random: Random): string {
  const quote = random.pick(['"', '"', "'", '']);
  const content = [random.pick(PREFIXES), random.pick(TARGETS), ...(random.chance(0.1) ? ['more'] : [])].join(
    random.pick([' ', '\n', '\t  ']),
  );
  return `<${random.pick(['meta', 'META'])} name=${quote}${random.pick(NAMES)}${quote} content=${quote}${content}${quote}${random.pick(['>', ' />', ''])}`;
}

function pageFrom(random: Random): Buffer {
  const piece = () => (random.chance(0.5) ? tagFrom(random) : random.pick(PIECES));
  const page = Buffer.from(`${random.chance(0.8) ? '<html><head>' : ''}${random.many(0, 8, piece).join('')}`);
  return random.chance(0.3) ? mutatedBytes(page, random) : page;
}

const wanted = parseWanted('example.com/a:1.0', { os: 'linux', architecture: 'amd64' });

export const DISCOVERY_SUBJECTS: readonly Subject[] = [
  {
    name: 'discovery',
    make: (random) => ({ bytes: pageFrom(random) }),
    async check({ bytes }, random) {
      const head = await readHead(chunksOf(bytes));
      const again = await readHead(
        sliced(bytes, random.pick([1, 7, 100].map((size) => size * Math.ceil(bytes.length / 10_000 || 1)))),
      );
      if (!isDeepStrictEqual(again.tags, head.tags)) throw new Find('the tags depend on where the chunks end');
      for (const { image, signature } of endpointsFor(head.tags, wanted))
        if (!isWeb(image) || (signature && !isWeb(signature))) throw new Find(`an image at ${image.href}`);
      if (!keysFor(head.tags, wanted).every(isWeb)) throw new Find('keys from somewhere else than the web');
    },
  },
];

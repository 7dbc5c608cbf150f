/** Only the head of a page is believed. */
import { describe, expect, test } from 'vitest';
import { chunksOf } from '../../../formats/bytes/chunks.ts';
import { MOST_PAGE_BYTES, readHead } from '../../../formats/discovery/head.ts';
import { sliced } from '../support.ts';
import { imageTag, page } from './servers.ts';

const TAG = imageTag('example.com', 'https://h.example/{name}.{ext}');
const prefixes = async (html: string): Promise<readonly string[]> =>
  (await readHead(chunksOf(Buffer.from(html)))).tags.map(({ prefix }) => prefix);
const count = async (html: string): Promise<number> => (await prefixes(html)).length;

describe('readHead()', () => {
  test('reads both kinds of tags, in their order', async () => {
    const html = page(
      TAG,
      imageTag('example.com', 'https://two.example/{name}.{ext}'),
      '<meta name="ac-discovery-pubkeys" content="example.com https://example.com/pubkeys.gpg">',
    );
    expect(await readHead(chunksOf(Buffer.from(html)))).toEqual({
      complete: true,
      tags: [
        { kind: 'image', prefix: 'example.com', target: 'https://h.example/{name}.{ext}' },
        { kind: 'image', prefix: 'example.com', target: 'https://two.example/{name}.{ext}' },
        { kind: 'keys', prefix: 'example.com', target: 'https://example.com/pubkeys.gpg' },
      ],
    });
  });

  test('finds them wherever the chunks end', async () => {
    for (const size of [1, 2, 7]) expect((await readHead(sliced(Buffer.from(page(TAG)), size))).tags).toHaveLength(1);
  });

  test('decodes entities in the attribute, and takes tags in capitals, with any quotes and white space', async () => {
    const html = `<HTML><HEAD><META CONTENT='\n example.com\thttps://h.example/?a=1&amp;n={name}&#46;{ext} ' NAME=AC-Discovery></HEAD>`;
    expect((await readHead(chunksOf(Buffer.from(html)))).tags).toEqual([
      { kind: 'image', prefix: 'example.com', target: 'https://h.example/?a=1&n={name}.{ext}' },
    ]);
  });

  test.each([
    ['in the body', `<html><head></head><body>${TAG}</body></html>`],
    ['in a body that is not opened', `<html><head></head>${TAG}</html>`],
    ['in a body that no head comes before', `<html><body>${TAG}`],
    ['behind what only a body has', `<html><head><h1>Files</h1>${TAG}</head></html>`],
    ['behind text', `<html><head>Files${TAG}</head></html>`],
    ['behind an entity that is text', `<html><head>&#65;${TAG}</head></html>`],
    ['in a comment', `<html><head><!-- ${TAG} --></head></html>`],
    ['in a script', `<html><head><script>"${TAG}"</script></head></html>`],
    ['in a style', `<html><head><style>${TAG}</style></head></html>`],
    ['in a title', `<html><head><title>${TAG}</title></head></html>`],
    ['in a template', `<html><head><template>${TAG}</template></head></html>`],
    ['in a noscript', `<html><head><noscript>${TAG}</noscript></head></html>`],
    ['in an attribute', `<html><head><link title='${TAG}'></head></html>`],
    ['behind a second head', `<html><head></head><head>${TAG}</head></html>`],
    ['behind a text area', `<html><head><textarea>${TAG}</textarea></head></html>`],
    ['nested deeper than anything', `<head>${'<template>'.repeat(40)}${'</template>'.repeat(40)}${TAG}</head>`],
    ['in something else than HTML', `{"a": '${TAG}'}`],
  ])('does not believe a tag %s', async (_where, html) => {
    expect(await count(html)).toBe(0);
  });

  test.each([
    ['without a head', `<!DOCTYPE html><title>x</title>${TAG}`],
    ['without anything', TAG],
    ['behind a byte order mark', `\ufeff<html><head>${TAG}</head></html>`],
    ['behind a script and a comment', `<html><head><script>a<b</script><!-- x -->\n<link rel=x>${TAG}</head></html>`],
    ['behind a template', `<html><head><template><b>x</b></template>${TAG}</head></html>`],
    ['closed in itself', `<html><head>${TAG.replace('>', '/>')}</head></html>`],
    ['in a page that breaks off', `<html><head>${TAG}`],
  ])('takes a tag of a page %s', async (_where, html) => {
    expect(await count(html)).toBe(1);
  });

  test.each([
    '<meta name="ac-discovery" content="example.com">',
    '<meta name="ac-discovery">',
    '<meta name="ac-discovery" content="example.com https://h.example/{name} more">',
    '<meta property="ac-discovery" content="example.com https://h.example/{name}">',
    '<meta name="__proto__" content="example.com https://h.example/{name}">',
    '<meta name="constructor" content="example.com https://h.example/{name}">',
    '<meta name="go-import" content="example.com git https://h.example/">',
  ])('passes over %s', async (tag) => {
    expect(await prefixes(page(tag, TAG))).toEqual(['example.com']);
  });

  test('of an attribute that is there twice, the first counts, as in a browser', async () => {
    expect(
      await prefixes(page('<meta name="ac-discovery" content="a.example https://a/" content="b.example https://b/">')),
    ).toEqual(['a.example']);
  });

  test('reads no further than the head', async () => {
    let closed = false;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.from(page(TAG));
        for (;;) yield Buffer.from('<p>more</p>'.repeat(1000));
      } finally {
        closed = true;
      }
    }
    expect(await readHead(endless())).toMatchObject({ complete: true, tags: [{}] });
    expect(closed).toBe(true);
  });

  test.each(['<link>', '<!-- x -->', '<meta name="', '     ', '<title>'])(
    'ends a head of %j without end',
    async (piece) => {
      let sent = 0;
      async function* endless(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(`<head>${TAG}`);
        for (;;) {
          const chunk = Buffer.from(piece.repeat(2000));
          sent += chunk.length;
          yield chunk;
        }
      }
      expect((await readHead(endless())).complete).toBe(false);
      expect(sent).toBeLessThan(MOST_PAGE_BYTES + 100_000);
    },
  );
});

/**
 * The tags of a page's head. Only the head is believed: whoever can write into a page's body (a comment, a file name in a listing)
 * must not be able to say where images are.
 */
import type { Chunks } from '../bytes/chunks.ts';
import type { Tag } from './template.ts';

/** A head that is longer than this is none. */
export const MOST_PAGE_BYTES = 2 ** 20;

/** What may be in a head, and nowhere else by itself. https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inhead */
const IN_HEAD = new Set(['html', 'head', 'title', 'base', 'link', 'meta', 'style', 'script', 'noscript', 'template']);
/** Their content is no part of the page. */
const INERT = new Set(['noscript', 'template']);
/** Their text is no content of the body. */
const WITH_TEXT = new Set(['title', 'style', 'script', ...INERT]);

/** No head nests as deep as this. */
const MOST_NESTED = 16;

const KINDS: ReadonlyMap<string, Tag['kind']> = new Map([
  ['ac-discovery', 'image'],
  ['ac-discovery-pubkeys', 'keys'],
]);

export interface Head {
  /** In the order of the page. */
  readonly tags: readonly Tag[];
  /** The head ended before the bytes did, or the page did. */
  readonly complete: boolean;
}

/** Reads no further than the head. The page is taken as UTF-8; tags are ASCII in any encoding that a server has. */
export async function readHead(page: Chunks): Promise<Head> {
  const { Parser } = await import('htmlparser2'); // nothing else needs it
  const tags: Tag[] = [];
  const open: string[] = [];
  let ended = false;
  const parser = new Parser(
    {
      onopentagname(name) {
        if (open.length > MOST_NESTED || (!IN_HEAD.has(name) && !open.includes('template'))) end();
      },
      onopentag(name, attributes) {
        open.push(name);
        const tag = name === 'meta' && !ended && !open.some((one) => INERT.has(one)) && tagOf(attributes);
        if (tag) tags.push(tag);
      },
      onclosetag(name) {
        if (open.includes(name)) open.splice(open.lastIndexOf(name));
        if (name === 'head' || name === 'html') end();
      },
      ontext(text) {
        if (/[^\s\ufeff]/.test(text) && !open.some((one) => WITH_TEXT.has(one))) end();
      },
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  );
  const text = new TextDecoder();
  let size = 0;
  for await (const chunk of page) {
    size += chunk.length;
    if (size > MOST_PAGE_BYTES) return { tags, complete: false };
    parser.write(text.decode(chunk, { stream: true }));
    if (ended) return { tags, complete: true };
  }
  parser.end();
  return { tags, complete: true };

  function end(): void {
    ended = true;
    parser.pause(); // what follows in the same chunk is not looked at
  }
}

/** `PREFIX TARGET`, in one attribute. */
function tagOf(attributes: Readonly<Record<string, string>>): Tag | undefined {
  const kind = KINDS.get((attributes['name'] ?? '').trim().toLowerCase());
  const [prefix, target, ...more] = (attributes['content'] ?? '').trim().split(/\s+/);
  return kind && prefix && target && !more.length ? { kind, prefix, target } : undefined;
}

/** Which content each hard link of an archive has, and which name that content gets where not every name stays. */

export interface EntryName {
  readonly path: string;
  readonly kept: boolean;
  /** Of its entry in the archive. */
  readonly offset: number;
}

interface LinkedContent {
  readonly own: EntryName;
  /** Other names that are kept. */
  readonly links: EntryName[];
}

export interface ResolvedNames {
  /** The names under which content comes out whose own name is not kept, though a hard link to it is. By the place of its entry. */
  readonly renamed: ReadonlyMap<number, string>;
  /** The names that hard links are to, where that is not what they say: one that is kept. By the places of their entries. */
  readonly targets: ReadonlyMap<number, string>;
}

/** To be told the entries in their order: a name may be taken again, and a link be linked to. */
export function linkedNames() {
  const byPath = new Map<string, LinkedContent>();
  const linked = new Set<LinkedContent>();
  const waiting: { readonly link: EntryName; readonly target: string }[] = [];

  function join(content: LinkedContent, link: EntryName): void {
    byPath.set(link.path, content);
    linked.add(content);
    if (link.kept) content.links.push(link);
  }

  return {
    content: (own: EntryName): void => void byPath.set(own.path, { own, links: [] }),
    /** @param target undefined where it lies outside, which is refused when the image is rendered */
    link(link: EntryName, target: string | undefined): void {
      if (target === undefined) return;
      const content = byPath.get(target);
      if (content) join(content, link);
      else waiting.push({ link, target });
    },
    resolved(): ResolvedNames {
      for (const { link, target } of waiting) {
        const content = byPath.get(target);
        if (content) join(content, link);
      }
      const renamed = new Map<number, string>();
      const targets = new Map<number, string>();
      for (const { own, links } of linked) {
        const name = own.kept ? own : links[0];
        if (!name) continue;
        if (name !== own) renamed.set(own.offset, name.path);
        for (const link of links) targets.set(link.offset, name.path);
      }
      return { renamed, targets };
    },
  };
}

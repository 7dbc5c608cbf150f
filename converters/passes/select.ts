/** Choosing among images: by name, by place, by platform. */
import { OcixError } from '../../formats/base/errors.ts';
import { printable } from '../../formats/bytes/text.ts';
import { type Platform, platformMatches, platformText } from '../../formats/model/config.ts';
import { annotationsOf } from '../../formats/model/descriptor.ts';
import { type Image, type Item, imagesOf, type Storable } from '../../formats/model/image.ts';
import { imagesOfPod, type Pod, withImages } from '../../formats/model/pod.ts';
import type { Selector } from '../../formats/model/reader.ts';
import { sameForm } from '../../formats/model/reference.ts';

/** @throws OcixError image/select where nothing is meant */
export function selectItems(items: readonly Item[], selector: Selector | undefined): readonly Item[] {
  if (!selector) return items;
  if (selector.kind === 'index') {
    const item = items[selector.index];
    if (item) return [item];
    throw new OcixError('image/select', `there is no image @${selector.index}`, {
      hint: items.length ? `The source has ${items.length}: @0 to @${items.length - 1}.` : 'The source has no image.',
    });
  }
  if (selector.kind === 'id')
    throw new OcixError('image/select', `images of this format are not chosen by an id`, { hint: namesHint(items) });
  const { name } = selector;
  const exact = items.filter((item) => namesOf(item).includes(name));
  const found = exact.length
    ? exact
    : items.filter((item) => namesOf(item).some((own) => sameForm(own) === sameForm(name)));
  if (!found.length)
    throw new OcixError('image/select', `there is no image called ${printable(name)}`, { hint: namesHint(items) });
  // Only the name that was asked for goes on; the others name the same image, and nobody asked for them.
  return found.map((item) => ({
    ...item,
    names: item.names.filter((own) => own === name || sameForm(own) === sameForm(name)),
  }));
}

const namesOf = (item: Item): readonly string[] => {
  if (item.kind === 'pod') return item.names;
  const descriptor = item.kind === 'image' ? item.original.descriptor : item.descriptor;
  const full = annotationsOf(descriptor)['io.containerd.image.name'];
  return full === undefined ? item.names : [...item.names, full];
};

function namesHint(items: readonly Item[]): string {
  const names = items.flatMap(({ names }) => names);
  if (!names.length) return 'Its images have no names; choose one by its place: @0.';
  return `It has ${names.slice(0, 10).map(printable).join(', ')}${names.length > 10 ? ` and ${names.length - 10} more` : ''}.`;
}

/**
 * Images for one platform, in the place of what they were chosen from. An image that does not say what it is for takes the
 * platform that is asked for.
 *
 * @throws OcixError image/select where there is none
 */
export function selectPlatform(items: readonly Item[], want: Platform | undefined): readonly Item[] {
  if (!want) return items;
  const found = items.flatMap((item) => platformOf(item, want, item.names));
  if (found.length) return found;
  const have = new Set(imagesOf(items).map(({ config }) => platformText(config.platform)));
  throw new OcixError('image/select', `there is no image for ${platformText(want)}`, {
    hint: have.size ? `The source has ${[...have].join(', ')}.` : 'The source has no image.',
  });
}

function platformOf(item: Item, want: Platform, names: readonly string[]): readonly (Image | Pod)[] {
  if (item.kind === 'pod') return podFor(item, want);
  return item.kind === 'artifact' ? [] : imageFor(item, want, names);
}

/** A pod runs on one machine: all of its images fit, or it does not. */
function podFor(pod: Pod, want: Platform): readonly Pod[] {
  const images = imagesOfPod(pod);
  const fitting = images.flatMap((image) => imageFor(image, want, image.names));
  return fitting.length === images.length ? [withImages(pod, fitting)] : [];
}

function imageFor(item: Storable, want: Platform, names: readonly string[]): readonly Image[] {
  if (item.kind === 'artifact') return [];
  if (item.kind === 'index') {
    // The first that matches counts, as the specification has it for several.
    return item.children.flatMap((child) => imageFor(child, want, names)).slice(0, 1);
  }
  const { platform } = item.config;
  const full = { ...want, ...definedOnly(platform) };
  if (!platformMatches(want, full)) return [];
  if (platform.os && platform.architecture) return [{ ...item, names }];
  // The document that came says less than what is written now, so it cannot pass as it is.
  const { config: _, ...original } = item.original;
  return [{ ...item, names, config: { ...item.config, platform: full }, original }];
}

const definedOnly = (platform: Platform): Platform =>
  Object.fromEntries(Object.entries(platform).filter(([, value]) => value !== undefined));

/** The one image that a command works on. @throws OcixError image/select where there are none or several */
export function theImage(items: readonly Item[], host: Platform): Image {
  const [only, ...more] = items;
  if (only?.kind === 'index' && !more.length) {
    const images = imagesOf([only]);
    const [fits] = images.filter(({ config }) => platformMatches(host, config.platform));
    if (fits) return { ...fits, names: only.names };
    if (images.length === 1) return { ...images[0]!, names: only.names };
  }
  const images = distinct(imagesOf(items));
  if (images.length === 1) return images[0]!;
  if (!images.length)
    throw new OcixError('image/select', items.length ? 'what the source has is no image' : 'the source has no image');
  throw new OcixError('image/select', `the source has ${images.length} images, and one is wanted`, {
    hint: `Choose one by its name or place (docker-archive:PATH:NAME, oci:DIR:@0), or with --platform. ${namesHint(items)}`,
  });
}

/** Two names of one image are one image. */
function distinct(images: readonly Image[]): readonly Image[] {
  const seen = new Set<string>();
  return images.filter(({ original }) => {
    const digest = original.manifest?.digest;
    if (digest === undefined) return true;
    if (seen.has(digest)) return false;
    seen.add(digest);
    return true;
  });
}

/** @throws OcixError usage/option */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...more] = text.split('/');
  const part = /^[a-z0-9_.-]+$/i;
  if (os && architecture && !more.length && [os, architecture, variant ?? 'x'].every((one) => part.test(one))) {
    return { os, architecture, ...(variant ? { variant } : {}) };
  }
  throw new OcixError('usage/option', `--platform ${printable(text)} is not a platform`, {
    hint: 'Write OS/ARCH or OS/ARCH/VARIANT, for example linux/amd64 or linux/arm/v7.',
  });
}

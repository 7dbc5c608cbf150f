/** Layouts read by the reader alone, and the one image that most of them are of. */
import { greeting } from '../../../fixtures/images.ts';
import { type Layout, layoutTar } from '../../../fixtures/oci-layout.ts';
import type { Limits } from '../../../formats/base/limits.ts';
import type { Item } from '../../../formats/model/image.ts';
import { oci } from '../../../formats/oci/index.ts';
import { codeOf, contextWith, openTar } from '../support.ts';

export const image = greeting('amd64');

export const read = async (layout: Layout, limits: Partial<Limits> = {}): Promise<readonly Item[]> =>
  oci.read(await openTar(layoutTar(layout)), contextWith(limits));

export const codeOfLayout = (layout: Layout, limits: Partial<Limits> = {}) => codeOf(() => read(layout, limits));

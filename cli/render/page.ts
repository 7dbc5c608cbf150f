/**
 * Reports as pages to read: one file that needs nothing else, works without scripts, follows the reader's light or dark, and prints. Whatever
 * comes from an image is text, never markup.
 */
import type { MigratedImage, MigrationReport, Note, Report } from '../../converters/index.ts';
import { printable } from '../../formats/bytes/text.ts';
import { countText, sizeText } from './units.ts';

/** Markup, as opposed to text that came from somewhere. */
interface Html {
  readonly html: string;
}

type Part = Html | string | number | readonly Part[];

/** Everything but markup is escaped, so a name cannot become an element, and control characters become visible. */
function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, i) => text + (i < parts.length ? render(parts[i]!) : '')).join('') };
}

function render(part: Part): string {
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'html' in part ? part.html : part.map(render).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => printable(text).replace(/[&<>"']/g, (c) => ENTITIES[c]!);

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--line:#d9dee4;--back:#fff;--card:#f6f8fa;--bar:#3b6fb6;--stored:#8fb4e3;--warn:#9a5b00;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa5b1;--line:#343b44;--back:#14171b;--card:#1c2127;--bar:#6ea3e8;--stored:#38587f;--warn:#e0a54a;--bad:#ff8a80}}
*{box-sizing:border-box}body{margin:0 auto;max-width:64rem;padding:2rem 1.25rem 4rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.25rem 0 .5rem;overflow-wrap:anywhere}h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.25rem 0}.soft{color:var(--soft)}code{font:.875em/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:.5rem 0}dt{color:var(--soft)}dd{margin:0;min-width:0}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:.875rem}.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.track{width:12rem;max-width:100%;height:.75rem;margin-top:.4rem;position:relative}.track i{position:absolute;inset:0 auto 0 0;border-radius:2px;background:var(--stored);min-width:2px}.track i+i{background:var(--bar)}
ul{padding-left:1.2rem;margin:.5rem 0}li{margin:.2rem 0}.kind{font-weight:600;color:var(--warn)}.failed{color:var(--bad);font-weight:600}
details{margin:.5rem 0}summary{cursor:pointer}section{break-inside:avoid-page}
@media print{body{max-width:none;padding:0;font-size:11pt}details:not([open])>*{display:block}h2{break-after:avoid}}
@media(max-width:40rem){.wide{display:none}}
`;

const document = (title: string, body: Part): string =>
  render(
    html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
${body}
</body>
</html>
`,
  );

/** The page of one conversion. */
export function reportPage(report: Report): string {
  const { source, target, notes } = report;
  const title = `${source.name} to ${target.out}`;
  return document(title, [
    html`<h1>${title}</h1>
<p class="soft">${source.title}, written as ${target.format} · ${totals([report])}</p>
`,
    imageSections(report),
    noteSection(notes),
  ]);
}

/** The page of a migration: a line an image, and what is to be known of each below it. */
export function migrationPage({ estate, out, images, others }: MigrationReport): string {
  const count = (state: MigratedImage['state']): number => images.filter((image) => image.state === state).length;
  const reports = images.flatMap(({ report }) => report ?? []);
  const failed = images.filter(({ error }) => error);
  return document(`${estate} to ${out}`, [
    html`<h1>${estate} to ${out}</h1>
<p class="soft">${countText(images.length, 'image')}: ${count('converted')} converted, ${count('there already')} were there, <span class="${failed.length ? 'failed' : 'soft'}">${failed.length} failed</span>${others.length ? ` · ${countText(others.length, 'file')} no image` : ''}${reports.length ? ` · ${totals(reports)}` : ''}</p>
`,
    failed.length
      ? html`<h2>Failed</h2>
<ul>${failed.map(({ source, error }) => html`<li><code>${source}</code><br><span class="failed">${error!.code}</span> ${error!.message}${error!.at.length ? html`<br><span class="soft">at ${error!.at.join(' > ')}</span>` : ''}${error!.hint === undefined ? '' : html`<br>${error!.hint}`}</li>`)}</ul>
`
      : '',
    html`<h2>Images</h2>
<table><thead><tr><th>Image</th><th>State</th><th class="number">Layers</th><th class="number">Stored</th><th class="number">Notes</th></tr></thead><tbody>
${images.map(migratedRow)}</tbody></table>
`,
    reports.map(
      (report) =>
        html`<details><summary><strong>${report.images[0]?.names[0] ?? report.source.name}</strong> <span class="soft">from ${report.source.name}</span></summary>
${imageSections(report)}${noteSection(report.notes)}</details>
`,
    ),
  ]);
}

function migratedRow({ source, state, report, error }: MigratedImage): Html {
  const image = report?.images[0];
  const stored = image?.layers.reduce((sum, { size }) => sum + size, 0);
  return html`<tr><td><code>${image?.names[0] ?? source}</code></td><td class="${error ? 'failed' : ''}">${state}</td><td class="number">${image?.layers.length ?? ''}</td><td class="number">${stored === undefined ? '' : sizeText(stored)}</td><td class="number">${report?.notes.length || ''}</td></tr>
`;
}

/** A layer that images share counts once. */
function totals(reports: readonly Report[]): string {
  const images = reports.flatMap((report) => report.images);
  const layers = [...new Map(images.flatMap((image) => image.layers).map((layer) => [layer.digest, layer])).values()];
  const sum = (of: (layer: (typeof layers)[number]) => number): string =>
    sizeText(layers.reduce((total, layer) => total + of(layer), 0));
  return `${countText(layers.length, 'layer')}, ${sum((layer) => layer.plainSize)} in, ${sum((layer) => layer.size)} out`;
}

const imageSections = ({ images }: Report): readonly Html[] => {
  const largest = Math.max(1, ...images.flatMap(({ layers }) => layers.map(({ plainSize }) => plainSize)));
  return images.map(
    ({ names, platform, digest, config, layers }) => html`<section>
<h2>${names[0] ?? '(no name)'}</h2>
<dl>
${names.length > 1 ? html`<dt>also named</dt><dd>${names.slice(1).join(', ')}</dd>` : ''}
<dt>platform</dt><dd>${platform}</dd>
<dt>digest</dt><dd><code>${digest}</code></dd>
${config ? html`<dt>configuration</dt><dd><code>${config}</code></dd>` : ''}
</dl>
${layers.length ? layerTable(layers, largest) : ''}
</section>
`,
  );
};

const layerTable = (layers: Report['images'][number]['layers'], largest: number): Html => html`<table>
<thead><tr><th class="number">Layer</th><th class="wide">Size: content and stored, to scale</th><th class="number">Content</th><th class="number">Stored</th><th>As</th></tr></thead>
<tbody>
${layers.map(
  (
    layer,
    i,
  ) => html`<tr><td class="number">${i + 1}</td><td class="wide"><div class="track"><i style="width:${percent(layer.plainSize / largest)}"></i><i style="width:${percent(Math.min(layer.size, layer.plainSize) / largest)}"></i></div></td><td class="number">${sizeText(layer.plainSize)}</td><td class="number">${sizeText(layer.size)}</td><td>${layer.compression}<br><code>${layer.digest}</code>${layer.diffId === layer.digest ? '' : html`<br><span class="soft">content</span> <code>${layer.diffId}</code>`}</td></tr>
`,
)}</tbody></table>`;

const percent = (part: number): string => `${(part * 100).toFixed(2)}%`;

const MEANING: Readonly<Record<Note['kind'], string>> = {
  dropped: 'could not be kept',
  defaulted: 'was set to a stated default',
  guessed: 'was assumed',
  repaired: 'was mended',
};

const noteSection = (notes: readonly Note[]): Html =>
  notes.length
    ? html`<h2>Notes</h2>
<p class="soft">${notes.length === 1 ? 'One thing is not as it was' : `${notes.length} things are not as they were`} in the source.</p>
<ul>
${notes.map(
  ({
    kind,
    message,
    at,
  }) => html`<li><span class="kind" title="${MEANING[kind]}">${kind}</span> ${message}${at.length ? html` <span class="soft">(${at.join(' > ')})</span>` : ''}</li>
`,
)}</ul>`
    : html`<h2>Notes</h2>
<p>Nothing was lost, guessed or repaired.</p>`;

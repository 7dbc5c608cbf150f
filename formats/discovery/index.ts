/**
 * Images by their names, as rkt fetched them: `appc:NAME[:VERSION][,LABEL=VALUE…]`. They are looked for where the user says that images are, and then
 * by appc meta discovery. https://github.com/appc/spec/blob/v0.8.11/spec/discovery.md
 */
export { type Downloads, downloads } from './download.ts';
export { type FetchedImage, type Fetching, fetchImage } from './fetch.ts';
export { type Net, PATIENCE, type Patience } from './http.ts';
export { findLocally } from './local.ts';
export { TRANSPORT } from './transport.ts';
export { parseWanted, type Wanted, type WantedPlatform, wantedBy, wantedText } from './wanted.ts';
export type { Zone } from './zones.ts';

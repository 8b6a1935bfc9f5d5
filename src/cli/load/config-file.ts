import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { MillraceError } from '../../core/errors.js';
import { builtInConnectors, connectorsOf, unique } from '../../profiles/built-in.js';
import { type ConfigSources, resolveConfig } from '../../profiles/config.js';
import type { Config } from '../../profiles/settings.js';
import type { Topology } from '../../topology/index.js';
import { loadModule } from './load-module.js';

const NAMES = ['millrace.config.ts', 'millrace.config.js', 'millrace.config.mjs'];

/**
 * The settings that hold in a folder: its `millrace.config.ts` where there is one, the environment, and the options. With a topology
 * those of its connectors are looked at too, and a file that sets anything else is refused.
 */
export async function readConfig(
  flags: ConfigSources['flags'] = {},
  { topology, folder = process.cwd() }: { readonly topology?: Topology; readonly folder?: string } = {},
): Promise<Config> {
  const connectors = topology && unique([...connectorsOf(topology), ...(await builtInConnectors())]);
  const path = NAMES.map((name) => resolve(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return resolveConfig({ flags, env: process.env, connectors });
  // A promise has no settings of its own, and would pass for none.
  const values = await (await loadModule(path)).default;
  if (typeof values !== 'object' || values === null) {
    throw new MillraceError('config', 'has no default export with settings', {
      where: path,
      hint: "export default defineConfig({ profile: 'cluster' })",
    });
  }
  return resolveConfig({
    flags,
    env: process.env,
    file: { path, values: values as Record<string, unknown> },
    connectors,
  });
}

import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../core/errors.js';
import { writeModeOn } from '../core/kind.js';
import { openProfile } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import { sinksOf } from '../runtime/index.js';
import { internalTopic, subtopologiesOf, type Topology } from '../topology/index.js';
import { isolatedTopology, isolationOf } from './isolated.js';
import { outputOf } from './outputs.js';
import { runs, type Verification } from './verification.js';

/** Where a verification happens: on the embedded profile a copy, elsewhere the cluster itself under names of its own. */
export interface Sandbox {
  readonly config: Config;
  /** The folder of the copy. */
  readonly folder: string | undefined;
}

/**
 * Prepares the sandbox. One process at a time can open the embedded store, and topics cannot be deleted from it. So its log is
 * copied into a folder, which is removed at the end.
 *
 * @throws MillraceError `config` if another process has the store open.
 */
export async function prepareSandbox(config: Config, withLog: boolean): Promise<Sandbox> {
  if (config.profile !== 'embedded') return { config, folder: undefined };
  const folder = await mkdtemp(join(tmpdir(), 'millrace-verify-'));
  const log = join(config.data, 'log');
  if (withLog && existsSync(log)) {
    const { openEmbedded } = await import('../profiles/embedded/index.js');
    const { localRegistry } = await import('../schema/index.js');
    // No other process can open the store now, so the copy is consistent.
    const store = await openEmbedded({ path: log, registry: localRegistry() });
    await store.close();
    await cp(log, join(folder, 'log'), { recursive: true });
  }
  return { config: { ...config, data: folder }, folder };
}

/**
 * Removes what a verification left. Continues if something cannot be removed, and resolves with a list of it.
 */
export async function removeArtifacts(
  { folder, config }: Sandbox,
  topology: Topology,
  verification: Verification,
): Promise<readonly string[]> {
  const left = isOutside(topology, folder) ? await removeFrom(config, topology, verification) : [];
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  return left;
}

/** What is in the transaction of the embedded profile goes with its folder. */
const isOutside = (topology: Topology, folder: string | undefined): boolean =>
  folder === undefined ||
  topology.sinks.some(({ sink: { definition } }) => {
    const keepsSomething = definition?.verify !== undefined && 'isolate' in definition.verify;
    return keepsSomething && writeModeOn(definition, 'embedded') !== 'transactional';
  });

async function removeFrom(config: Config, topology: Topology, verification: Verification): Promise<readonly string[]> {
  const left: string[] = [];
  const profile = await openProfile(config);
  const { removal } = profile;
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      left.push(`${what} (${messageOf(error)})`);
    }
  };
  try {
    for (const run of runs) {
      const isolated = isolatedTopology(topology, verification, run);
      for (const { name } of subtopologiesOf(isolated)) {
        await attempt(`topology ${name}`, () => removal.topology(name));
      }
      for (const { id, sink } of sinksOf(isolated)) {
        const isolation = isolationOf(verification, run, id);
        await attempt(`what ${id} wrote in ${isolated.name}`, async () =>
          (await outputOf(profile, sink)).remove(sink, isolation),
        );
      }
      for (const { id } of isolated.repartitions) {
        const topic = internalTopic(isolated.name, id);
        await attempt(`topic ${topic}`, () => removal.topic(topic));
      }
    }
    for (const topic of Object.values(verification.inputs)) await attempt(`topic ${topic}`, () => removal.topic(topic));
  } finally {
    await profile.close();
  }
  return left;
}

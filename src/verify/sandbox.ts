import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WriteFiles } from '../../connectors/file/sink.js';
import { openProfile, type VerificationProfile } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import { internalTopic, subtopologiesOf, type Topology } from '../topology/index.js';
import { removeRows } from './compare-rows.js';
import { isolatedTopology, isSent } from './isolated.js';
import { foldersOf, namesOf, objectsOf, type Verification } from './verification.js';

/** Where a verification takes place: on the embedded profile a copy, elsewhere the cluster itself under names of its own. */
export interface Sandbox {
  readonly config: Config;
  /** The folder of the copy. */
  readonly folder: string | undefined;
}

/**
 * Prepares the sandbox. The embedded store takes one process at a time and has no way to delete a topic, so its log is
 * copied into a folder that is removed as a whole.
 *
 * @throws MillraceError `config` where a process has the store open.
 */
export async function prepareSandbox(config: Config, withLog: boolean): Promise<Sandbox> {
  if (config.profile !== 'embedded') return { config, folder: undefined };
  const folder = await mkdtemp(join(tmpdir(), 'millrace-verify-'));
  const log = join(config.data, 'log');
  if (withLog && existsSync(log)) {
    const { openEmbedded } = await import('../profiles/embedded/index.js');
    const { localRegistry } = await import('../schema/index.js');
    // Nobody else has it open while this process has: what is copied is whole.
    const store = await openEmbedded({ path: log, registry: localRegistry() });
    await store.close();
    await cp(log, join(folder, 'log'), { recursive: true });
  }
  return { config: { ...config, data: folder }, folder };
}

/** Names of everything that a verification may have left on a cluster. */
export interface Artifacts {
  readonly topologies: readonly string[];
  readonly topics: readonly string[];
  readonly tables: readonly string[];
  /** Prefixes of keys in Redis. */
  readonly keys: readonly string[];
  /** Topologies that wrote to Redis. */
  readonly fences: readonly string[];
  /** Whether some of them are on a Redis server even on the embedded profile. */
  readonly onServer: boolean;
  /** What of Postgres begins so. */
  readonly rows: string | undefined;
  readonly folders: readonly string[];
  /** Bucket and prefix. */
  readonly objects: readonly string[];
}

export function artifactsOf(topology: Topology, verification: Verification): Artifacts {
  const topics = new Set(Object.values(verification.inputs));
  const tables = new Set<string>();
  const topologies: string[] = [];
  const keys: string[] = [];
  const fences: string[] = [];
  const kinds = new Set(topology.sinks.map(({ sink }) => sink.kind));
  const inRedis = [...kinds].filter((kind) => kind.startsWith('redis.') && !isSent(kind));
  const buckets = topology.sinks.flatMap(({ sink }) =>
    sink.kind === 's3.sink' ? [objectsOf(verification.id, (sink.options as WriteFiles).folder)] : [],
  );
  for (const run of ['reference', 'faulted'] as const) {
    const names = namesOf(verification.id, run);
    const isolated = isolatedTopology(topology, verification, run);
    for (const { sink } of [...isolated.sinks, { sink: isolated.deadLetters }]) {
      const { topic, table } = sink.options as { readonly topic?: string; readonly table?: string };
      if (topic !== undefined) topics.add(topic);
      if (table !== undefined && sink.connector === 'clickhouse') tables.add(table);
    }
    for (const { id } of isolated.repartitions) topics.add(internalTopic(isolated.name, id));
    for (const { name } of subtopologiesOf(isolated)) topologies.push(name);
    if (inRedis.length > 0) {
      keys.push(names.keys);
      fences.push(names.topology);
    }
  }
  return {
    topologies,
    topics: [...topics],
    tables: [...tables],
    keys,
    fences,
    onServer: inRedis.some((kind) => kind !== 'redis.hashSink' && kind !== 'redis.upsertSink'),
    rows: kinds.has('postgres.tableSink') ? verification.id : undefined,
    folders: kinds.has('file.sink') ? [foldersOf(verification.id)] : [],
    objects: [...new Set(buckets)],
  };
}

/**
 * Takes away what a verification left. Goes on where something cannot be taken away, and resolves with what that was.
 */
export async function removeArtifacts(sandbox: Sandbox, artifacts: Artifacts): Promise<readonly string[]> {
  for (const folder of artifacts.folders) await rm(folder, { recursive: true, force: true });
  const { folder, config } = sandbox;
  const outside = artifacts.onServer || artifacts.rows !== undefined || artifacts.objects.length > 0;
  const left = folder === undefined || outside ? await removeFrom(config, inReach(sandbox, artifacts)) : [];
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  return left;
}

/** What goes with the folder of the embedded profile need not be taken out of it. */
const inReach = ({ folder }: Sandbox, artifacts: Artifacts): Artifacts =>
  folder === undefined
    ? artifacts
    : { ...artifacts, topologies: [], topics: [], tables: [], ...(artifacts.onServer ? {} : { keys: [], fences: [] }) };

async function removeFrom(config: Config, artifacts: Artifacts): Promise<readonly string[]> {
  const left: string[] = [];
  const profile: VerificationProfile = await openProfile(config);
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      left.push(`${what} (${error instanceof Error ? error.message : String(error)})`);
    }
  };
  try {
    const { removal } = profile;
    for (const name of artifacts.topologies) await attempt(`topology ${name}`, () => removal.topology(name));
    for (const name of artifacts.topics) await attempt(`topic ${name}`, () => removal.topic(name));
    for (const prefix of artifacts.keys) await attempt(`keys ${prefix}*`, () => removal.keys(prefix));
    for (const name of artifacts.fences) await attempt(`fences of ${name}`, () => removal.fences(name));
    const { rows, objects } = artifacts;
    if (rows !== undefined) await attempt(`tables of ${rows}`, () => removeRows(profile.postgres, rows));
    for (const path of objects) await attempt(`objects of ${path}`, () => profile.objects.remove(path));
    for (const name of artifacts.tables) {
      await attempt(`table ${name}`, async () => {
        await profile.command(`DROP VIEW IF EXISTS \`${name}\``);
        await profile.command(`DROP TABLE IF EXISTS \`${name}_rows\``);
      });
    }
  } finally {
    await profile.close();
  }
  return left;
}

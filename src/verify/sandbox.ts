import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WriteFiles } from '../../connectors/file/sink.js';
import { openProfile, type TrialProfile } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import { internalTopic, stagesOf, type Topology } from '../topology/index.js';
import { removeRows } from './compare-rows.js';
import { isSent, shadowOf } from './isolated.js';
import { foldersOf, namesOf, objectsOf, type Trial } from './verification.js';

/** Where a trial takes place: on the embedded profile a copy, elsewhere the cluster itself under names of its own. */
export interface Ground {
  readonly config: Config;
  /** The folder of the copy. */
  readonly folder: string | undefined;
}

/**
 * Prepares the ground. The embedded store takes one process at a time and has no way to delete a topic, so its log is
 * copied into a folder that is removed as a whole.
 *
 * @throws MillraceError `config` where a process has the store open.
 */
export async function prepareGround(config: Config, withLog: boolean): Promise<Ground> {
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

/** Names of everything that a trial may have left on a cluster. */
export interface Traces {
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

export function tracesOf(topology: Topology, trial: Trial): Traces {
  const topics = new Set(Object.values(trial.inputs));
  const tables = new Set<string>();
  const topologies: string[] = [];
  const keys: string[] = [];
  const fences: string[] = [];
  const kinds = new Set(topology.sinks.map(({ sink }) => sink.kind));
  const inRedis = [...kinds].filter((kind) => kind.startsWith('redis.') && !isSent(kind));
  const buckets = topology.sinks.flatMap(({ sink }) =>
    sink.kind === 's3.sink' ? [objectsOf(trial.id, (sink.options as WriteFiles).folder)] : [],
  );
  for (const run of ['calm', 'disturbed'] as const) {
    const names = namesOf(trial.id, run);
    const shadow = shadowOf(topology, trial, run);
    for (const { sink } of [...shadow.sinks, { sink: shadow.deadLetters }]) {
      const { topic, table } = sink.options as { readonly topic?: string; readonly table?: string };
      if (topic !== undefined) topics.add(topic);
      if (table !== undefined && sink.connector === 'clickhouse') tables.add(table);
    }
    for (const { id } of shadow.repartitions) topics.add(internalTopic(shadow.name, id));
    for (const { name } of stagesOf(shadow)) topologies.push(name);
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
    onServer: inRedis.some((kind) => kind !== 'redis.hash' && kind !== 'redis.upserts'),
    rows: kinds.has('postgres.table') ? trial.id : undefined,
    folders: kinds.has('file.sink') ? [foldersOf(trial.id)] : [],
    objects: [...new Set(buckets)],
  };
}

/**
 * Takes away what a trial left. Goes on where something cannot be taken away, and resolves with what that was.
 */
export async function removeTraces(ground: Ground, traces: Traces): Promise<readonly string[]> {
  for (const folder of traces.folders) await rm(folder, { recursive: true, force: true });
  const { folder, config } = ground;
  const outside = traces.onServer || traces.rows !== undefined || traces.objects.length > 0;
  const left = folder === undefined || outside ? await removeFrom(config, inReach(ground, traces)) : [];
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  return left;
}

/** What goes with the folder of the embedded profile need not be taken out of it. */
const inReach = ({ folder }: Ground, traces: Traces): Traces =>
  folder === undefined
    ? traces
    : { ...traces, topologies: [], topics: [], tables: [], ...(traces.onServer ? {} : { keys: [], fences: [] }) };

async function removeFrom(config: Config, traces: Traces): Promise<readonly string[]> {
  const left: string[] = [];
  const profile: TrialProfile = await openProfile(config);
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      left.push(`${what} (${error instanceof Error ? error.message : String(error)})`);
    }
  };
  try {
    const { removal } = profile;
    for (const name of traces.topologies) await attempt(`topology ${name}`, () => removal.topology(name));
    for (const name of traces.topics) await attempt(`topic ${name}`, () => removal.topic(name));
    for (const prefix of traces.keys) await attempt(`keys ${prefix}*`, () => removal.keys(prefix));
    for (const name of traces.fences) await attempt(`fences of ${name}`, () => removal.fences(name));
    const { rows, objects } = traces;
    if (rows !== undefined) await attempt(`tables of ${rows}`, () => removeRows(profile.postgres, rows));
    for (const path of objects) await attempt(`objects of ${path}`, () => profile.objects.remove(path));
    for (const name of traces.tables) {
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

import type { Profile, SinkDriver, Source } from '../core/index.js';
import { INTERNAL, MillraceError, messageOf, placedMessageOf, sinkDriver, sourceDriver } from '../core/index.js';
import { hasState, type SourceNode, type Topology } from '../topology/index.js';
import { counted } from '../util/counted.js';
import { backOffMs, outageBackOff } from '../util/retry.js';
import type { Clock } from './clock.js';
import type { Outage } from './outages.js';
import { PendingOperations, type Reason } from './pending-operations.js';
import { sinksOf } from './sinks.js';
import { Stall, Watchdog } from './watchdog.js';

/**
 * Ensures that all topics and tables exist, and finds the number of tasks of each sub-topology: the partitions of its inputs. A
 * repartition topic is created with as many partitions as the other inputs of the sub-topology that reads it.
 *
 * @param subtopologies in the order in which records pass through them
 * @returns the number of tasks by the sub-topology's name
 * @throws MillraceError `config` if inputs of a sub-topology are not co-partitioned.
 */
export async function layOut(
  subtopologies: readonly Topology[],
  profile: Profile,
  waiting: Waiting,
): Promise<ReadonlyMap<string, number>> {
  const tasks = new Map<string, number>();
  for (const subtopology of subtopologies) {
    const own = await countsOf(
      subtopology,
      profile,
      waiting,
      ({ hasWatermarkMarkers, global }) => !hasWatermarkMarkers && !global,
    );
    const before = subtopology.sources.flatMap(({ id, source }) =>
      source.hasWatermarkMarkers ? sinksBefore(subtopologies, id) : [],
    );
    const wished = own[0]?.partitions ?? Math.max(...before.map(({ subtopology: name }) => tasks.get(name) ?? 1));
    for (const { subtopology: name, id, sink } of before) {
      const driver = await sinkDriver(profile, sink, id);
      const setUp = async () => driver.setUp?.(sink, { topology: name, step: id, partitions: wished });
      await named({ kind: 'sink', id }, setUp, waiting);
    }
    const hasMarkers = ({ hasWatermarkMarkers }: Source<unknown>) => hasWatermarkMarkers === true;
    const between = await countsOf(subtopology, profile, waiting, hasMarkers);
    await countsOf(subtopology, profile, waiting, ({ global }) => global === true); // ensures that they exist; their number of partitions does not matter
    const partitions = samePartitions(subtopology, [...own, ...between]);
    tasks.set(subtopology.name, partitions);
    await setUpSinks(subtopology, profile, partitions, waiting);
  }
  return tasks;
}

interface Count {
  readonly id: string;
  readonly topic: string;
  readonly partitions: number;
}

/** The sink before a repartition and the source after it have the same id. */
function sinksBefore(subtopologies: readonly Topology[], repartition: string) {
  return subtopologies.flatMap(({ name, sinks }) =>
    sinks.filter(({ id }) => id === repartition).map(({ id, sink }) => ({ subtopology: name, id, sink })),
  );
}

function countsOf(
  subtopology: Topology,
  profile: Profile,
  waiting: Waiting,
  which: (source: Source<unknown>) => boolean,
): Promise<Count[]> {
  const sources = subtopology.sources.filter(({ source }) => which(source));
  return Promise.all(
    sources.map(async ({ id, source }) => {
      const driver = await sourceDriver(profile, source, id);
      const count = async () => {
        await driver.setUp?.(source);
        return await driver.partitions(source);
      };
      const partitions = await named({ kind: 'source', id }, count, waiting);
      return { id, topic: source.topic, partitions };
    }),
  );
}

export function samePartitions(subtopology: Topology, counts: readonly Count[]): number {
  const first = counts[0];
  if (!first) throw new MillraceError('config', 'a topology needs a source', { where: subtopology.name });
  const other = counts.find(({ partitions }) => partitions !== first.partitions);
  if (!other) return first.partitions;
  throw new MillraceError(
    'config',
    `inputs are not co-partitioned: ${first.topic} has ${counted(first.partitions, 'partition')}, ${other.topic} has ${other.partitions}`,
    {
      where: other.id,
      hint: `inputs of a step must be co-partitioned: send the stream of ${other.topic} through .repartition('by-key', { key, schema }) before it, or give both topics the same number of partitions and the same key`,
    },
  );
}

/** How a start waits for what is down, or does not answer. */
export interface Waiting {
  readonly clock: Clock;
  readonly random: () => number;
  /** After how long it says what does not answer. */
  readonly stallMaxMs: number;
  onWarning(message: string): void;
  /** Told of each failure, and with `undefined` when the sink answers. */
  onOutage(outage: Outage | undefined): void;
  /** Ends the start. */
  readonly stopped: AbortSignal;
}

async function setUpSinks(
  subtopology: Topology,
  profile: Profile,
  partitions: number,
  waiting: Waiting,
): Promise<void> {
  for (const { id, sink } of sinksOf(subtopology).filter(({ sink: { connector } }) => connector !== INTERNAL)) {
    const driver = await sinkDriver(profile, sink, id);
    const read = subtopology.sources.filter(({ source: { connector } }) => connector === sink.connector);
    const inputs = read.map(({ source: { topic } }) => topic);
    const setUp = async () => driver.setUp?.(sink, { topology: subtopology.name, step: id, partitions, inputs });
    await onceUp(id, driver, () => named({ kind: 'sink', id }, setUp, waiting), waiting);
  }
}

/** Waits for what may take long, and says what it is where it takes longer than the stall limit. Once the start is ended, it throws that. */
async function named<T>(
  reason: Reason,
  work: () => Promise<T>,
  { clock, stallMaxMs, onWarning, stopped }: Waiting,
): Promise<T> {
  const waits = new PendingOperations();
  const watchdog = new Watchdog({ clock, waits, stallMaxMs, onQuiet() {} });
  const answer = waits.track(reason, work());
  try {
    return await watchdog.over(answer);
  } catch (error) {
    if (!(error instanceof Stall) || stopped.aborted) throw error;
    onWarning(`the start waits: ${error.message}`);
    const ended = new Promise<never>((_, reject) => stopped.addEventListener('abort', () => reject(error)));
    return await Promise.race([answer, ended]);
  } finally {
    watchdog.stop();
  }
}

/** Waits for a sink that does not answer, as a run does. A sink that answers, and fails all the same, ends the start. */
async function onceUp(
  id: string,
  driver: SinkDriver,
  setUp: () => Promise<void>,
  { clock, random, onWarning, onOutage, stopped }: Waiting,
): Promise<void> {
  const isDown = async (error: unknown): Promise<boolean> => {
    if (!(error instanceof MillraceError) || error.code !== 'sink' || error.permanent || !driver.ping) return false;
    try {
      await driver.ping();
      return false;
    } catch {
      return true;
    }
  };
  const sinceMs = clock.now();
  for (let failures = 1; ; failures++) {
    try {
      await setUp();
      if (failures > 1) onWarning(`sink '${id}' answers after ${Math.round((clock.now() - sinceMs) / 1_000)} s`);
      onOutage(undefined);
      return;
    } catch (error) {
      if (stopped.aborted || !(await isDown(error))) throw error;
      if (failures === 1) onWarning(`sink '${id}' is down, the start waits for it: ${placedMessageOf(error, id)}`);
      onOutage({ sink: id, sinceMs, cause: messageOf(error) });
      await clock.sleep(backOffMs(failures, outageBackOff, random), stopped);
      if (stopped.aborted) throw error;
    }
  }
}

export interface PartitionWatchOptions {
  readonly topology: Topology;
  /** As many as the inputs had partitions when the run started. */
  readonly tasks: number;
  readonly profile: Profile;
  readonly clock: Clock;
  onWarning(message: string): void;
  /** A global input has more partitions: tasks that are opened anew read them. */
  onGlobal(): void;
  /** Keys have moved to other partitions, and their state has not. */
  onRefused(cause: MillraceError): void;
}

const LOOK_EVERY_MS = 30_000;

/**
 * Notices within a minute that partitions were added to an input, and returns what ends the watch. A run cannot read those of a
 * co-partitioned input: it ends where tasks have state, as its next start would, and warns where they have none. Those of a global
 * input are read by tasks that are opened anew. Inputs whose partitions are fixed are not looked at.
 */
export function watchPartitions(options: PartitionWatchOptions): () => void {
  const { topology, tasks, profile, clock, onWarning, onGlobal, onRefused } = options;
  const tell = ({ id, source }: SourceNode, found: number) => {
    const now = `input '${id}' has ${counted(found, 'partition')} now`;
    if (source.global) {
      onWarning(`${now}: the tasks are opened anew and read all of them`);
      onGlobal();
    } else if (hasState(topology)) {
      onRefused(
        new MillraceError('state', `${now}, and the state is that of ${counted(tasks, 'task')}`, {
          where: topology.name,
          hint: 'keys have moved to other partitions: run millrace savepoint create, then savepoint restore --rescale',
          permanent: true,
        }),
      );
    } else onWarning(`${now}, and ${tasks} of them are read: restart all processes of the topology to read the others`);
  };
  const known = new Map<string, number>();
  const look = async () => {
    for (const node of topology.sources) {
      const { id, source } = node;
      if (source.hasWatermarkMarkers) continue;
      const driver = await sourceDriver(profile, source, id);
      if (!driver.partitionsGrow) continue;
      const found = await driver.partitions(source);
      const before = known.get(id) ?? (source.global ? found : tasks);
      known.set(id, found);
      if (found !== before) tell(node, found);
    }
  };
  const lookOnce = () => void look().catch(() => undefined); // the reader of the input says what is wrong with it
  lookOnce();
  return clock.every(LOOK_EVERY_MS, lookOnce);
}

import type { TableOptions as RowsOptions } from '../../connectors/postgres/index.js';
import type { Profile, Sink, SinkContext, SinkDriver } from '../core/index.js';
import type { SchemaRegistry } from '../core/schema.js';
import type { HashSinkOptions } from '../core/sink-options.js';
import { createInference } from '../inference/index.js';
import { openProfile } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import { type EpochPoint, runTopology } from '../runtime/index.js';
import { localRegistry } from '../schema/index.js';
import type { Topology } from '../topology/index.js';
import { isolatedTopology } from './isolated.js';
import { sliced } from './sliced.js';
import { namesOf, type Run, type Verification } from './verification.js';

/** What one process of a verification is to do. */
export interface VerificationWork {
  readonly verification: Verification;
  readonly run: Run;
  /** Of this process; as fast as it goes without it. */
  readonly recordsPerSecondMax?: number | undefined;
}

/** What it tells the process that started it. */
export type VerificationNews =
  | { readonly kind: 'joined'; readonly memberId: string }
  | { readonly kind: 'passed'; readonly point: EpochPoint };

/** Runs the isolated of a topology over the verification's slices to their end, as one process of several or alone. */
export async function runVerificationWork(topology: Topology, config: Config, work: VerificationWork): Promise<void> {
  const { verification, run, recordsPerSecondMax } = work;
  const tell = (news: VerificationNews) => {
    if (process.connected) process.send?.(news);
  };
  const profile = await openProfile(config, { registry: registersNothing });
  try {
    const inference = createInference();
    try {
      const { kafka, ...others } = profile.sources;
      const running = await runTopology(isolatedTopology(topology, verification, run), {
        profile: {
          ...profile,
          sources: { ...others, ...(kafka ? { kafka: sliced(kafka, verification.slices) } : {}) },
          sinks: byTask(profile.sinks, namesOf(verification.id, run).keys),
        },
        inference,
        bounded: true,
        recordsPerSecondMax,
        onJoined: (memberId) => tell({ kind: 'joined', memberId }),
        onPoint: (point) => tell({ kind: 'passed', point }),
      });
      const stop = () => void running.stop().catch(() => undefined); // `finished` says the same
      process.once('SIGTERM', stop);
      process.once('disconnect', stop);
      await running.finished;
      process.off('SIGTERM', stop);
      process.off('disconnect', stop);
    } finally {
      await inference.close();
    }
  } finally {
    await profile.close();
    if (process.connected) process.disconnect(); // an open channel keeps the process alive
  }
}

/** A registry in which a verification leaves nothing: a schema that it does not know gets an id that means something here only. */
export function registersNothing(registry: SchemaRegistry): SchemaRegistry {
  const own = localRegistry();
  return {
    ...registry,
    idOf: async (subject, schema) => (await registry.knownIdOf(subject, schema)) ?? (await own.idOf(subject, schema)),
    schemaOf: async (id) => (await registry.schemaOf(id)) ?? (await own.schemaOf(id)),
  };
}

/** Keys and rows of each task in a place of its own: which of two tasks wrote a key last is nothing that a run repeats. */
function byTask(sinks: Profile['sinks'], prefix: string): Profile['sinks'] {
  const own = (sink: Sink<unknown>, { step, task }: SinkContext): Sink<unknown> => {
    if (sink.connector === 'redis') {
      const options = sink.options as HashSinkOptions;
      const key = (value: unknown) => `${prefix}${step}:${task.partition}:${options.key(value)}`;
      return { ...sink, options: { ...options, key } satisfies HashSinkOptions };
    }
    const options = sink.options as RowsOptions;
    return { ...sink, options: { ...options, table: `${options.table}_${task.partition}` } satisfies RowsOptions };
  };
  const led = (driver: SinkDriver): SinkDriver => ({
    ...driver,
    async setUp(sink, context) {
      if (sink.connector !== 'postgres') await driver.setUp?.(sink, context); // each task's table is set up with it
    },
    async open(sink, context) {
      if (sink.connector !== 'redis' && sink.connector !== 'postgres') return driver.open(sink, context);
      const isolated = own(sink, context);
      if (sink.connector === 'postgres') {
        const { step, task } = context;
        await driver.setUp?.(isolated, { topology: task.topology, step, partitions: 1 });
      }
      return driver.open(isolated, context);
    },
  });
  return Object.fromEntries(Object.entries(sinks).map(([name, driver]) => [name, led(driver)]));
}

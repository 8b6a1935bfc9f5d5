import { type IsolatedSink, type Sink, type SinkDriver, withSinks, withSources } from '../core/index.js';
import type { SchemaRegistry } from '../core/schema.js';
import { createInference } from '../inference/index.js';
import { openProfile } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import { type EpochPoint, runTopology } from '../runtime/index.js';
import { localRegistry } from '../schema/index.js';
import type { Topology } from '../topology/index.js';
import { isolatedTopology, isolationOf } from './isolated.js';
import { sliced } from './sliced.js';
import type { Run, Verification } from './verification.js';

/** What one process of a verification is to do. */
export interface VerificationWork {
  readonly verification: Verification;
  readonly run: Run;
  /** Emit the last watermark at the end, so that all open windows close. */
  readonly drain: boolean;
  /** Of this process; as fast as it goes without it. */
  readonly recordsPerSecondMax?: number | undefined;
}

/** What it tells the process that started it. */
export type VerificationNews =
  | { readonly kind: 'joined'; readonly memberId: string }
  | { readonly kind: 'passed'; readonly point: EpochPoint };

/** Runs the isolated of a topology over the verification's slices to their end, as one process of several or alone. */
export async function runVerificationWork(topology: Topology, config: Config, work: VerificationWork): Promise<void> {
  const { verification, run, drain, recordsPerSecondMax } = work;
  const tell = (news: VerificationNews) => {
    if (process.connected) process.send?.(news);
  };
  const profile = await openProfile(config, { registry: registersNothing });
  try {
    const inference = createInference();
    try {
      const running = await runTopology(isolatedTopology(topology, verification, run), {
        profile: withSinks(
          withSources(profile, (driver) => sliced(driver, verification.slices)),
          (driver) => byTask(driver, verification, run),
        ),
        inference,
        bounded: true,
        final: drain,
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

/** Gives each task a target of its own where tasks would overwrite each other: the order of their writes differs between runs. */
export const byTask = (driver: SinkDriver, verification: Verification, run: Run): SinkDriver => ({
  ...driver,
  async setUp(sink, context) {
    if (isolatesTasks(sink) === undefined) await driver.setUp?.(sink, context); // each task's own is set up with it
  },
  async open(sink, context) {
    const isolateTask = isolatesTasks(sink);
    if (isolateTask === undefined) return driver.open(sink, context);
    const { step, task } = context;
    const options = isolateTask(sink.options as never, isolationOf(verification, run, step), task.partition);
    const own = { ...sink, options: Object.freeze(options) };
    await driver.setUp?.(own, { topology: task.topology, step, partitions: 1 });
    return driver.open(own, context);
  },
});

function isolatesTasks({ definition }: Sink<unknown>): IsolatedSink['isolateTask'] {
  const how = definition?.verify;
  return how && 'isolate' in how ? how.isolateTask : undefined;
}

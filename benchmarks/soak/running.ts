import { createInference } from '../../src/inference/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { type Running, runTopology } from '../../src/runtime/index.js';
import type { Topology } from '../../src/topology/index.js';
import { type ResidentMemory, residentMemory } from './resident-memory.js';

/** The memory of the process, in MiB; of the heap what is left after a full collection. */
export interface Memory {
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly resident: number;
}

export interface Status extends ResidentMemory {
  /** Records of all inputs, by the counters of the checkpoints. */
  readonly read: number;
  readonly epochs: number;
  /** Seconds of the process's CPU so far. */
  readonly cpu: number;
  /** What was mended since the start. */
  readonly warnings: readonly string[];
  readonly failure: string | undefined;
}

/** A topic that the process creates before it runs. */
export interface TopicOrder {
  readonly name: string;
  readonly partitions: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface StartOrder {
  readonly env: Readonly<Record<string, string>>;
  readonly bounded: boolean;
  readonly topics?: readonly TopicOrder[];
}

const MIB = 2 ** 20;

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What the process that soaks does when it is asked: it runs the topology, and measures itself. */
export function runningServices(topology: Topology) {
  let profile: OpenProfile | undefined;
  let running: Running | undefined;
  let failure: string | undefined;
  const inference = createInference();
  const warnings: string[] = [];

  const close = async (): Promise<void> => {
    await profile?.close();
    profile = undefined;
  };

  return {
    async start({ env, bounded, topics = [] }: StartOrder): Promise<void> {
      profile = await openProfile(resolveConfig({ env }));
      const producer = profile.producer();
      for (const { name, partitions, configs } of topics) await producer.createTopic(name, partitions, configs);
      await producer.close();
      running = await runTopology(topology, {
        profile,
        inference,
        bounded,
        onWarning: (message) => warnings.push(`${new Date().toISOString().slice(11, 19)} ${message}`),
      });
      running.finished.catch((error: unknown) => {
        failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
      });
    },
    async finish(): Promise<void> {
      await running?.finished;
      await close();
    },
    async stop(): Promise<void> {
      await running?.stop();
      await close();
    },
    status(): Status {
      const { counters = [], tasks = [] } = running?.snapshot() ?? {};
      return {
        read: counters.reduce((sum, { name, value }) => sum + (name === 'read' ? value : 0), 0),
        cpu: cpuSeconds(),
        epochs: tasks.reduce((sum, { epoch }) => sum + epoch, 0),
        warnings,
        failure,
        ...residentMemory(),
      };
    },
    async measure(): Promise<Memory> {
      // What the first collection finalizes, the second frees.
      for (let i = 0; i < 2; i++) {
        globalThis.gc?.();
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
      return {
        heap: heapUsed / MIB,
        external: external / MIB,
        arrayBuffers: arrayBuffers / MIB,
        resident: rss / MIB,
      };
    },
  };
}
export type WorkerServices = ReturnType<typeof runningServices>;

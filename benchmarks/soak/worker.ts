import { createInference } from '../../src/inference/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { type Running, runTopology } from '../../src/runtime/index.js';
import { serve } from './remote.js';
import { soak } from './topology.js';

// The process that soaks: runs the topology, and measures itself when asked.

/** The memory of the process, in MiB; of the heap what is left after a full collection. */
export interface Memory {
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
  readonly resident: number;
}

export interface Status {
  /** Records of all inputs, by the counters of the checkpoints. */
  readonly read: number;
  readonly epochs: number;
  readonly resident: number;
  /** What was mended since the start. */
  readonly warnings: readonly string[];
  readonly failure: string | undefined;
}

const MIB = 2 ** 20;

let profile: OpenProfile | undefined;
let running: Running | undefined;
let failure: string | undefined;
const inference = createInference();
const warnings: string[] = [];

async function close(): Promise<void> {
  await profile?.close();
  profile = undefined;
}

const services = {
  async start({
    env,
    bounded,
  }: {
    readonly env: Readonly<Record<string, string>>;
    readonly bounded: boolean;
  }): Promise<void> {
    profile = await openProfile(resolveConfig({ env }));
    running = await runTopology(soak, {
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
      epochs: tasks.reduce((sum, { epoch }) => sum + epoch, 0),
      resident: process.memoryUsage.rss() / MIB,
      warnings,
      failure,
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
export type WorkerServices = typeof services;

serve(services);

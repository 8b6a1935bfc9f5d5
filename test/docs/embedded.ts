import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/cli/load/config-file.js';
import { createInference } from '../../src/inference/index.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { runTopology } from '../../src/runtime/index.js';
import type { Topology } from '../../src/topology/index.js';

/** Does something on an embedded profile of its own. */
export async function onEmbedded<T>(
  work: (profile: OpenProfile) => Promise<T>,
  services: { readonly postgres?: string } = {},
): Promise<T> {
  const data = mkdtempSync(join(tmpdir(), 'millrace-example-'));
  const profile = await openProfile(await readConfig({ profile: 'embedded', data, ...services }));
  try {
    return await work(profile);
  } finally {
    await profile.close();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Appends a value to a topic of one partition. */
export async function sendJson(profile: OpenProfile, topic: string, key: string, value: unknown): Promise<void> {
  const producer = profile.producer();
  await producer.createTopic(topic, 1);
  await producer.send(topic, [{ key: Buffer.from(key), value: Buffer.from(JSON.stringify(value)), timestampMs: 500 }]);
  await producer.close();
}

/** Runs a topology to the end of its inputs, and counts what was written by sink. */
export async function written(topology: Topology, profile: OpenProfile): Promise<Record<string, number>> {
  const inference = createInference();
  try {
    const running = await runTopology(topology, { profile, inference, bounded: true });
    await running.finished;
    const { counters } = running.snapshot();
    return Object.fromEntries(
      counters.filter(({ name }) => name === 'written').map(({ step, value }) => [step, value]),
    );
  } finally {
    await inference.close();
  }
}

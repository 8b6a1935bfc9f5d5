/**
 * Are memory and disk flat by the length of a stream, and is every event counted once?
 *
 * 100 million payments go through topics with retention to steps whose state must expire: ids within ten minutes of event time, a
 * bucket and windows for each of users who never come back. A feeder in a process of its own stays a bounded number ahead, and
 * sums up what comes out. Resident memory is told apart into anonymous memory and mapped files, which only Linux does.
 * `--on embedded` or `--on kafka` takes one profile.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { startStack, stopStack } from '../stack/stack.js';
import type { Benchmark, Goal } from './benchmark.js';
import { type Spread, spreadOf } from './pairs.js';
import { Remote } from './soak/remote.js';
import type { WorkerServices } from './soak/running.js';
import { PARTITIONS } from './soak-length/events.js';
import type { FeederServices } from './soak-length/feeder.js';
import { followTenths, type Tenth } from './soak-length/tenths.js';
import { payments } from './soak-length/topology.js';

export const options = { events: 100_000_000, ahead: 500_000, on: 'embedded kafka' };

type Chosen = typeof options;

export const benchmark: Benchmark<Chosen> = async (progress, chosen) => {
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, Spread> = {};
  const goals: Record<string, Goal> = {};
  const details: Record<string, unknown> = {};
  const profiles = (['embedded', 'kafka'] as const).filter((profile) => chosen.on.split(' ').includes(profile));
  if (profiles.length === 0) throw new Error(`--on takes embedded or kafka, not '${chosen.on}'`);
  for (const profile of profiles) {
    const { tenths, fed, found, warnings } = await stream(profile, chosen, (line) => progress(`${profile}: ${line}`));
    const isRight = isDeepStrictEqual(fed, found);
    progress(`${profile}: ${isRight ? 'every event counted once' : 'WRONG'}: ${JSON.stringify({ fed, found })}`);
    if (!isRight) process.exitCode = 1;

    const highest = (of: (tenth: Tenth) => Spread) => spreadOf(tenths.map((tenth) => of(tenth).high));
    const later = (of: (tenth: Tenth) => number) => one(of(tenths[9] as Tenth) / of(tenths[2] as Tenth));
    const anonymous = later((tenth) => tenth.anonymous.high);
    const disk = later((tenth) => tenth.disk.high);
    figures[`${profile}: records/s, by the tenth`] = spreadOf(tenths.map(({ rate }) => rate));
    figures[`${profile}: us of CPU a record, by the tenth`] = spreadOf(tenths.map(({ cpu }) => cpu));
    figures[`${profile}: anonymous memory, MiB, highest of a tenth`] = highest((tenth) => tenth.anonymous);
    figures[`${profile}: mapped files, MiB, highest of a tenth`] = highest((tenth) => tenth.mapped);
    figures[`${profile}: heap after a collection, MiB`] = spreadOf(tenths.map(({ heap }) => heap));
    figures[`${profile}: disk, MiB, highest of a tenth`] = highest((tenth) => tenth.disk);
    ratios[`${profile}: records/s, last tenth through third`] = later(({ rate }) => rate);
    ratios[`${profile}: heap, last tenth through third`] = later(({ heap }) => heap);
    goals[`${profile}: anonymous memory, last tenth through third`] = { is: anonymous, atMost: 1.1 };
    goals[`${profile}: anonymous memory at its highest, MiB`] = {
      is: one(Math.max(...tenths.map((tenth) => tenth.anonymous.high))),
      atMost: 1_024,
    };
    goals[`${profile}: disk, last tenth through third`] = { is: disk, atMost: 1.1 };
    details[profile] = { isRight, fed, found, warnings, tenths };
  }
  return { unit: 'as named', figures, ratios, goals, details };
};

const one = (value: number): Spread => spreadOf([value]);

async function stream(on: 'embedded' | 'kafka', { events, ahead }: Chosen, progress: (line: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-soak-length-'));
  const worker = new Remote<WorkerServices>(new URL('./soak-length/worker.ts', import.meta.url));
  const feeder = new Remote<FeederServices>(new URL('./soak-length/feeder.ts', import.meta.url));
  try {
    const env: Record<string, string> =
      on === 'embedded'
        ? { MILLRACE_PROFILE: 'embedded', MILLRACE_DATA: folder }
        : {
            MILLRACE_PROFILE: 'cluster',
            ...(await startStack({ services: ['kafka', 'registry'], ports: 0, dataDir: folder })).env,
          };
    const fed = Math.ceil(events / PARTITIONS) * PARTITIONS;
    await worker.ask.start({ env, bounded: false, topics: [payments] });
    await feeder.ask.start({ env, events: fed, aheadMax: ahead });
    const { status, measure } = worker.ask;
    const hands = { status, measure, advance: feeder.ask.advance, progress };
    // Beside the events, the last record of each partition.
    const tenths = await followTenths(fed + PARTITIONS, folder, hands);
    const sums = await feeder.ask.finish();
    const { warnings } = await worker.ask.status();
    await worker.ask.stop();
    return { tenths, ...sums, warnings };
  } finally {
    feeder.end();
    worker.end();
    await stopStack(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

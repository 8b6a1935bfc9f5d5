/**
 * What do five viewers of the live page cost a run, in CPU a record?
 *
 * The same records through a dedupe and two sinks in memory, with the page's server and nobody who looks, and with five streams of
 * pictures that another process reads. Counted is the CPU of the process that runs. `kB/s a viewer` is what a stream brings.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { kafka } from '../connectors/kafka/index.js';
import { dedupe, hours, json, map, topology } from '../src/index.js';
import { runTopology } from '../src/runtime/index.js';
import { serveMonitoring } from '../src/server/http.js';
import { MemoryProfile } from '../src/testing/memory-profile.js';
import { noInference } from '../test/memory.js';
import type { Benchmark } from './benchmark.js';
import { cpuOf, measurePairs, type Run, ratioOf, spreadOf } from './pairs.js';

export const options = { records: 2_000_000, pairs: 10 };

const TASKS = 4;
const VIEWERS = 5;

interface Event {
  readonly n: number;
  readonly timeMs: number;
}

const events = topology('events', { deadLetters: kafka.deadLetterSink({ topic: 'events.dead' }) }, (t) => {
  const unique = t
    .source(
      'events',
      kafka.source<Event>({ topic: 'events', schema: json<Event>(), eventTime: ({ timeMs }) => timeMs }),
    )
    .via('dedupe', dedupe({ key: ({ n }) => String(n), retention: hours(1), keysMax: 50_000 }))
    .via(
      'double',
      map(({ n, timeMs }) => ({ n: 2 * n, timeMs })),
    );
  unique.to('out', kafka.sink({ topic: 'out', schema: json<Event>() }));
  unique.to('copy', kafka.sink({ topic: 'copy', schema: json<Event>() }));
});

/** Reads this many streams and says how many bytes came, when its input ends. */
const viewers = `
const { get } = require('node:http');
let bytes = 0;
for (let i = 0; i < ${VIEWERS}; i++)
  get(process.argv[1] + '/live', { headers: { 'accept-encoding': 'gzip' } }, (answer) => answer.on('data', (piece) => { bytes += piece.length; })).on('error', () => {});
process.stdin.on('end', () => { console.log(bytes); process.exit(); }).resume();
`;

async function bytesOf(watching: ChildProcess): Promise<number> {
  let text = '';
  watching.stdout?.on('data', (piece) => {
    text += piece;
  });
  watching.stdin?.end();
  await once(watching, 'close');
  return Number(text);
}

export const benchmark: Benchmark<typeof options> = async (progress, { records, pairs }) => {
  const encoder = new TextEncoder();
  const log = Array.from({ length: records / TASKS }, (_, n) => ({
    ...{ key: null, timestampMs: n },
    value: encoder.encode(JSON.stringify({ n: n % 40_000, timeMs: n })),
  }));
  const rates: number[] = [];

  const runOnce = async (isWatched: boolean): Promise<Run> => {
    const profile = new MemoryProfile(TASKS);
    for (let task = 0; task < TASKS; task++) profile.append('events', task, log);
    const running = await runTopology(events, { profile, inference: noInference });
    const startedMs = performance.now();
    const before = process.cpuUsage();
    const monitoring = await serveMonitoring({
      ...{ host: '127.0.0.1', port: 0, token: undefined, topology: events, profile: 'embedded', running },
      isReady: () => true,
    });
    const watching = isWatched ? spawn(process.execPath, ['-e', viewers, monitoring.url]) : undefined;
    await running.finished;
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - startedMs) / 1_000;
    if (watching) rates.push((await bytesOf(watching)) / VIEWERS / seconds / 1_000);
    await monitoring.close();
    return { records: log.length * TASKS, seconds, cpuSeconds: (user + system) / 1e6 };
  };
  const [alone, watched] = ['nobody looks', 'five viewers'] as const;
  const measured = await measurePairs(
    [
      { name: alone, work: () => runOnce(false) },
      { name: watched, work: () => runOnce(true) },
    ],
    { pairs },
    progress,
  );
  return {
    unit: 'us of CPU a record, kB/s',
    figures: { ...measured.cpuMicros, 'kB/s a viewer': spreadOf(rates) },
    ratios: { 'five viewers through nobody, CPU a record': ratioOf(measured.runs, watched, alone, cpuOf) },
  };
};

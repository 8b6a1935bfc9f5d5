/**
 * How long does a growing Parquet file hold the event loop, made in a thread and made in the loop?
 *
 * Packed rows of 13 columns in pieces of 256 KiB, by the same code in all ways; a row group for each 100,000, and once for each 10,000.
 * The loop does nothing else, and is free between pieces: measured is how long a timer of 1 ms waits, and how long the loop is busy.
 */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { rowPacker } from '../connectors/file/parquet/packed-rows.js';
import { toParquet } from '../connectors/file/parquet/to-parquet.js';
import { Conversion } from '../connectors/file/parquet/to-parquet-thread.js';
import type { Benchmark } from './benchmark.js';
import { type Contestant, measureInTurn, rateOf, ratioOf, type Spread, spreadOf } from './pairs.js';
import { columns } from './sinks/files.js';
import { load } from './sinks/load.js';

export const options = { rows: 300_000, pairs: 5 };

const PIECE_BYTES = 256 * 1024;

/** What the loop has felt of a run. */
interface Felt {
  readonly longestMs: number;
  readonly busyMs: number;
  readonly bytes: number;
}

function piecesOf(rows: number): Buffer[] {
  const pack = rowPacker(columns);
  const packed = Buffer.concat(load(rows).values.map(pack));
  const pieces: Buffer[] = [];
  for (let at = 0; at < packed.length; at += PIECE_BYTES) pieces.push(packed.subarray(at, at + PIECE_BYTES));
  return pieces;
}

async function inThread(pieces: readonly Uint8Array[]): Promise<number> {
  const conversion = new Conversion(columns);
  let bytes = 0;
  for (const piece of pieces) bytes += (await conversion.push(piece)).length;
  return bytes + (await conversion.end()).length;
}

async function inLoop(pieces: readonly Uint8Array[], groupRows?: number): Promise<number> {
  const parquet = await toParquet(columns, groupRows);
  let bytes = 0;
  for (const piece of pieces) {
    bytes += parquet.push(piece).length;
    await turn();
  }
  return bytes + parquet.end().length;
}

export const benchmark: Benchmark<typeof options> = async (progress, { rows, pairs }) => {
  const pieces = piecesOf(rows);
  const felt: Record<string, Felt[]> = {};
  const contestant = (name: string, write: (pieces: readonly Uint8Array[]) => Promise<number>): Contestant => ({
    name,
    async work() {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const before = performance.eventLoopUtilization();
      const bytes = await write(pieces);
      const { active } = performance.eventLoopUtilization(before);
      await turn(); // the timer that was late has come
      delay.disable();
      felt[name] = [...(felt[name] ?? []), { longestMs: delay.max / 1e6, busyMs: active, bytes }];
      return bytes > 0 ? rows : 0;
    },
  });
  const thread = contestant('in a thread', inThread);
  const loop = contestant('in the loop', (all) => inLoop(all));
  const small = contestant('in the loop, small groups', (all) => inLoop(all, 10_000));
  const ways = [loop, small, thread];
  const { rates, cpuMicros, runs } = await measureInTurn(ways, { rounds: pairs }, progress);
  const figures: Record<string, Spread> = {};
  for (const { name } of ways) {
    const counted = (felt[name] ?? []).slice(-pairs);
    figures[`${name}: longest wait of a timer, ms`] = spreadOf(counted.map(({ longestMs }) => longestMs));
    figures[`${name}: the loop is busy, ms a million rows`] = spreadOf(
      counted.map(({ busyMs }) => (busyMs / rows) * 1e6),
    );
    figures[`${name}: rows/s`] = rates[name] as Spread;
    figures[`${name}: us of CPU a row`] = cpuMicros[name] as Spread;
    figures[`${name}: bytes of the file a row`] = spreadOf(counted.map(({ bytes }) => bytes / rows));
  }
  const ratios = {
    'rows/s, in a thread through in the loop': ratioOf(runs, thread.name, loop.name, rateOf),
    'rows/s, small groups through large ones': ratioOf(runs, small.name, loop.name, rateOf),
  };
  return { unit: 'as named', figures, ratios };
};

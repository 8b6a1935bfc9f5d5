import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Spread, spreadOf } from '../pairs.js';
import type { Memory, Status } from '../soak/running.js';

/** A tenth of a stream: what it took, and the memory and the disk meanwhile, in MiB. */
export interface Tenth {
  readonly seconds: number;
  readonly rate: number;
  /** Microseconds of the process's CPU a record. */
  readonly cpu: number;
  readonly anonymous: Spread;
  readonly mapped: Spread;
  readonly disk: Spread;
  /** At its end, after a full collection. */
  readonly heap: number;
}

export interface Hands {
  status(): Promise<Status>;
  measure(): Promise<Memory>;
  /** Tells the feeder how far its reader has come. */
  advance(read: number): Promise<void>;
  progress(line: string): void;
}

const SAMPLE_MS = 250;

/** Watches a run until it has read `total` records, and writes down each tenth of it. */
export async function followTenths(total: number, folder: string, hands: Hands): Promise<Tenth[]> {
  const tenths: Tenth[] = [];
  let samples: { readonly anonymous: number; readonly mapped: number; readonly disk: number }[] = [];
  let before = { read: 0, cpu: 0, timeMs: performance.now() };
  while (tenths.length < 10) {
    const { read, cpu, failure, anonymous, mapped } = await hands.status();
    if (failure !== undefined) throw new Error(`the run failed: ${failure}`);
    await hands.advance(read);
    samples.push({ anonymous, mapped, disk: diskOf(folder) });
    // A tenth is over when it was read; what was read beyond it is of the next.
    if (read >= Math.floor((total * (tenths.length + 1)) / 10)) {
      const seconds = (performance.now() - before.timeMs) / 1_000;
      const records = read - before.read;
      const of = (name: keyof (typeof samples)[number]) => spreadOf(samples.map((sample) => sample[name]));
      const { heap } = await hands.measure();
      const tenth = {
        ...{ seconds, rate: records / seconds, cpu: ((cpu - before.cpu) / records) * 1e6, heap },
        ...{ anonymous: of('anonymous'), mapped: of('mapped'), disk: of('disk') },
      };
      tenths.push(tenth);
      hands.progress(lineOf(tenths.length, tenth));
      before = { read, cpu, timeMs: performance.now() };
      samples = [];
    }
    await sleep(SAMPLE_MS);
  }
  return tenths;
}

function lineOf(number: number, { seconds, rate, cpu, anonymous, mapped, disk, heap }: Tenth): string {
  const mib = ({ median, high }: Spread) => `${median.toFixed(0)} (at most ${high.toFixed(0)})`;
  return [
    `tenth ${number}: ${seconds.toFixed(0)} s, ${Math.round(rate).toLocaleString('en-US')} records/s, ${cpu.toFixed(2)} us of CPU each`,
    `anonymous ${mib(anonymous)}, mapped ${mib(mapped)}, heap ${heap.toFixed(0)}, disk ${mib(disk)} MiB`,
  ].join('; ');
}

/** What a folder takes on the disk, in MiB: blocks, since files may have holes. */
function diskOf(folder: string): number {
  let blocks = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) blocks += lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.blocks ?? 0;
  return (blocks * 512) / 2 ** 20;
}

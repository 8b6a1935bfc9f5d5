import { setTimeout as sleep } from 'node:timers/promises';
import { growthOf } from './growth.js';
import type { Memory, Status } from './running.js';

/** What is done to the run, and when, in minutes since its start. */
export interface Plan {
  readonly minutes: number;
  readonly outageFrom: number;
  readonly outageMinutes: number;
}

/** Two minutes without ClickHouse in the middle of the last 15, so that they tilt no line through those. */
export function planOf(minutes: number): Plan {
  const judged = Math.min(15, minutes);
  const outageMinutes = Math.min(2, minutes / 5);
  return { minutes, outageMinutes, outageFrom: minutes - judged / 2 - outageMinutes / 2 };
}

export interface Minute extends Memory {
  readonly minute: number;
  /** Records read a second, since the last minute. */
  readonly rate: number;
  /** The highest resident memory since the last minute, in MiB. */
  readonly residentMax: number;
  readonly outage: boolean;
}

/** What the course of a soak asks for. */
export interface Hands {
  status(): Promise<Status>;
  measure(): Promise<Memory>;
  /** Tells the feeder how far its reader has come. */
  advance(read: number): Promise<void>;
  endClickHouse(): Promise<void>;
  startClickHouse(): Promise<void>;
  progress(line: string): void;
}

/** Lets the run go on by plan and writes down, once a minute, what it needs. */
export async function follow(plan: Plan, hands: Hands): Promise<Minute[]> {
  const { outageFrom, outageMinutes } = plan;
  const minutes: Minute[] = [];
  const startedMs = performance.now();
  const now = () => (performance.now() - startedMs) / 60_000;
  let readBefore = (await hands.status()).read;
  let residentMax = 0;
  let down = false;
  for (let minute = 1; minute <= plan.minutes; ) {
    const status = await hands.status();
    if (status.failure !== undefined) throw new Error(`the run failed: ${status.failure}`);
    await hands.advance(status.read);
    residentMax = Math.max(residentMax, status.resident);
    if (!down && now() >= outageFrom && now() < outageFrom + outageMinutes) {
      await hands.endClickHouse();
      down = true;
      hands.progress('ClickHouse is dead');
    } else if (down && now() >= outageFrom + outageMinutes) {
      await hands.startClickHouse();
      down = false;
      hands.progress('ClickHouse is back');
    }
    if (now() >= minute) {
      const memory = await hands.measure();
      const rate = (status.read - readBefore) / 60;
      const outage = minute > outageFrom && minute < outageFrom + outageMinutes + 1;
      minutes.push({ minute, rate, residentMax, outage, ...memory });
      hands.progress(
        `minute ${minute}: ${Math.round(rate).toLocaleString('en-US')} records/s, heap ${memory.heap.toFixed(1)} MiB, ` +
          `resident ${memory.resident.toFixed(0)} MiB`,
      );
      readBefore = status.read;
      residentMax = 0;
      minute += 1;
    }
    await sleep(200);
  }
  return minutes;
}

/** MiB a minute over the last 15. */
export const heapGrowthOf = (minutes: readonly Minute[]): number =>
  growthOf(minutes.slice(-15).map(({ minute, heap }) => ({ minute, value: heap })));

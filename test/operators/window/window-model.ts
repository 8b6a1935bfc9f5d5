import fc from 'fast-check';
import { collect, count, first, last, sum } from '../../../src/aggregates/index.js';
import { AFTER_ALL_MS, BEFORE_ALL_MS, type Change } from '../../../src/core/index.js';
import type { WindowSpec } from '../../../src/operators/window/spec.js';

// Windows as plain loops over everything that ever came: what the operator must agree with, record for record.

export interface Reading {
  readonly key: string | number;
  readonly x: number;
}
export interface Sample {
  readonly value: Reading;
  readonly eventTimeMs: number;
}
export interface Setting {
  readonly disorderMs: number;
  readonly latenessMs: number;
}
export type Row = Record<string, unknown>;

export const aggregates = {
  n: count<Reading>(),
  total: sum((value: Reading) => value.x),
  opening: first((value: Reading) => value.x),
  closing: last((value: Reading) => value.x),
  all: collect((value: Reading) => value.x, { valuesMax: 4 }),
};

/** Aggregates that can take values back. */
export const reversible = { n: aggregates.n, total: aggregates.total };

/** What the aggregates say of samples, given in the order of their arrival. */
export function rowOf(key: string | number, startMs: number, endMs: number, samples: readonly Sample[]): Row {
  const sorted = [...samples].sort((a, b) => a.eventTimeMs - b.eventTimeMs); // a stable sort
  const xs = sorted.map(({ value }) => value.x);
  return {
    key,
    startMs,
    endMs,
    n: xs.length,
    total: xs.reduce((so, x) => so + x, 0),
    opening: xs[0],
    closing: xs.at(-1),
    all: { values: xs.slice(0, 4), more: Math.max(0, xs.length - 4) },
  };
}

/** Where the watermark stands before each sample, and after all of them. */
export function watermarks(samples: readonly { readonly eventTimeMs: number }[], disorderMs: number): number[] {
  const marks = [BEFORE_ALL_MS];
  for (const { eventTimeMs } of samples) marks.push(Math.max(marks.at(-1) as number, eventTimeMs - disorderMs));
  marks.push(AFTER_ALL_MS);
  return marks;
}

/** The windows that a time is in. */
export function windowsOf(timeMs: number, size: number, every: number, offset: number): number[] {
  const starts: number[] = [];
  for (let start = Math.floor((timeMs - offset) / every) * every + offset; start > timeMs - size; start -= every)
    starts.push(start);
  return starts;
}

export function naiveSliced(
  samples: readonly Sample[],
  spec: Extract<WindowSpec, { size: number; every: number }>,
  { disorderMs, latenessMs }: Setting,
): { readonly rows: Row[]; readonly late: number; readonly partlyLate: number } {
  const marks = watermarks(samples, disorderMs);
  const windows = new Map<string, { key: string | number; start: number; samples: Sample[] }>();
  let late = 0;
  let partlyLate = 0;
  samples.forEach((sample, i) => {
    const all = windowsOf(sample.eventTimeMs, spec.size, spec.every, spec.offset);
    const open = all.filter((start) => start + spec.size + latenessMs > (marks[i] as number));
    if (open.length === 0) late++;
    else if (open.length < all.length) partlyLate++;
    for (const start of open) {
      const id = `${typeof sample.value.key}/${sample.value.key}/${start}`;
      const held = windows.get(id) ?? { key: sample.value.key, start, samples: [] };
      held.samples.push(sample);
      windows.set(id, held);
    }
  });
  const rows = [...windows.values()].map((held) => rowOf(held.key, held.start, held.start + spec.size, held.samples));
  return { rows, late, partlyLate };
}

export function naiveSessions(
  samples: readonly Sample[],
  gap: number,
  { disorderMs, latenessMs }: Setting,
): { readonly rows: Row[]; readonly late: number } {
  const marks = watermarks(samples, disorderMs);
  const rows: Row[] = [];
  let open: Sample[] = [];
  let late = 0;
  /** The time of a key before which all sessions are closed. */
  const closedMs = new Map<string | number, number>();
  /** Samples of a key that belong together, in the order of arrival. */
  const groups = (): Sample[][] => {
    const found: Sample[][] = [];
    for (const key of new Set(open.map(({ value }) => value.key))) {
      let group: Sample[] = [];
      const sorted = open.filter(({ value }) => value.key === key).sort((a, b) => a.eventTimeMs - b.eventTimeMs);
      for (const sample of sorted) {
        const before = group.at(-1);
        if (before && sample.eventTimeMs - before.eventTimeMs >= gap) {
          found.push(group);
          group = [];
        }
        group.push(sample);
      }
      found.push(group);
    }
    return found;
  };
  const close = (watermarkMs: number) => {
    for (const group of groups()) {
      const [from, to] = [group[0] as Sample, group.at(-1) as Sample];
      if (to.eventTimeMs + gap + latenessMs > watermarkMs) continue;
      const arrived = open.filter((sample) => group.includes(sample));
      rows.push(rowOf(from.value.key, from.eventTimeMs, to.eventTimeMs + gap, arrived));
      closedMs.set(from.value.key, Math.max(to.eventTimeMs + gap, closedMs.get(from.value.key) ?? BEFORE_ALL_MS));
      open = open.filter((sample) => !group.includes(sample));
    }
  };
  samples.forEach((sample, i) => {
    open.push(sample);
    const alone = groups().some((group) => group.length === 1 && group[0] === sample);
    const { key } = sample.value;
    const closed = closedMs.get(key) ?? BEFORE_ALL_MS;
    const watermarkMs = marks[i] as number;
    if (sample.eventTimeMs < closed || (alone && sample.eventTimeMs + gap + latenessMs <= watermarkMs)) {
      open.pop();
      late++;
    } else if (open.filter(({ value }) => value.key === key).length === 1)
      closedMs.set(key, Math.max(closed, watermarkMs - gap - latenessMs));
    close(marks[i + 1] as number);
  });
  close(AFTER_ALL_MS);
  return { rows, late };
}

export function naiveSliding(
  samples: readonly Sample[],
  size: number,
  { disorderMs, latenessMs }: Setting,
): { readonly rows: Row[]; readonly late: number } {
  const marks = watermarks(samples, disorderMs);
  const rows: Row[] = [];
  const taken: Sample[] = [];
  let open: Sample[] = [];
  let late = 0;
  const close = (watermarkMs: number) => {
    for (const { value, eventTimeMs: t } of open.filter(
      ({ eventTimeMs }) => eventTimeMs + 1 + latenessMs <= watermarkMs,
    )) {
      const within = taken.filter((s) => s.value.key === value.key && s.eventTimeMs <= t && s.eventTimeMs > t - size);
      rows.push(rowOf(value.key, t + 1 - size, t + 1, within));
    }
    open = open.filter(({ eventTimeMs }) => eventTimeMs + 1 + latenessMs > watermarkMs);
  };
  samples.forEach((sample, i) => {
    const { value, eventTimeMs } = sample;
    const watermarkMs = marks[i] as number;
    if (eventTimeMs + size + latenessMs <= watermarkMs) late++;
    else {
      taken.push(sample);
      const known = open.some((s) => s.value.key === value.key && s.eventTimeMs === eventTimeMs);
      if (!known && eventTimeMs + 1 + latenessMs > watermarkMs) open.push(sample);
    }
    close(marks[i + 1] as number);
  });
  close(AFTER_ALL_MS);
  return { rows, late };
}

export function naiveCounting(samples: readonly Sample[], records: number): Row[] {
  const rows: Row[] = [];
  const held = new Map<string | number, Sample[]>();
  for (const sample of samples) {
    const { key } = sample.value;
    const group = [...(held.get(key) ?? []), sample];
    held.set(key, group);
    if (group.length < records) continue;
    held.delete(key);
    const times = group.map(({ eventTimeMs }) => eventTimeMs);
    rows.push(rowOf(key, Math.min(...times), Math.max(...times) + 1, group));
  }
  return rows;
}

/** Rows in an order of their own, to compare what was emitted at the same event time. */
export const sorted = (rows: readonly unknown[]): unknown[] =>
  [...rows].sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
const orderOf = (row: unknown): string => {
  const { key, startMs, endMs } = row as { key: unknown; startMs: number; endMs: number };
  return `${String(1e9 + endMs).padStart(12)}/${typeof key}/${key}/${1e9 + startMs}`;
};

/** Follows changes: each must begin where the last one of its key ended. Returns what holds in the end. */
export function follow(changes: readonly Change<{ readonly key: unknown }>[]): {
  readonly rows: unknown[];
  readonly broken: string[];
} {
  const held = new Map<string, unknown>();
  const broken: string[] = [];
  for (const { key: name, before, after } of changes) {
    const key = `${typeof (before ?? after)?.key}/${name}`; // names of changes do not tell 1 from '1'
    const now = held.get(key) ?? null;
    if (JSON.stringify(now) !== JSON.stringify(before)) broken.push(`${key}: ${JSON.stringify({ now, before })}`);
    if (before === null && after === null) broken.push(`${key}: nothing changed`);
    if (after === null) held.delete(key);
    else held.set(key, after);
  }
  return { rows: [...held.values()], broken };
}

/** Streams that are mostly in order: some records far behind, some times twice. */
export const streams = (maxLength: number): fc.Arbitrary<Sample[]> =>
  fc
    .array(
      fc.record({
        step: fc.oneof(
          { weight: 5, arbitrary: fc.nat(6) },
          { weight: 1, arbitrary: fc.integer({ min: -60, max: 40 }) },
        ),
        key: fc.constantFrom<string | number>('a', 'b', 1, '1'),
        x: fc.integer({ min: -5, max: 9 }),
      }),
      { maxLength },
    )
    .map((steps) => {
      let now = 0;
      return steps.map(({ step, key, x }) => {
        if (step >= 0) now += step;
        return { value: { key, x }, eventTimeMs: step >= 0 ? now : Math.max(-50, now + step) };
      });
    });

export const settings: fc.Arbitrary<Setting> = fc.record({
  disorderMs: fc.constantFrom(0, 3, 20),
  latenessMs: fc.constantFrom(0, 5, 25),
});

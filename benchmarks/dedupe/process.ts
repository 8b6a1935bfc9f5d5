import { readFileSync } from 'node:fs';
import { type Duration, millis } from '../../src/core/duration.js';
import type { StatefulShape, StepContext } from '../../src/core/operator.js';
import type { Origin } from '../../src/core/record.js';
import type { StateChange } from '../../src/core/state.js';
import { dedupe } from '../../src/operators/index.js';
import { TaskState } from '../../src/runtime/task-state.js';
import { mapCell } from '../../src/state/index.js';
import { originAt } from '../../src/testing/contract.js';

// A process of `dedupe.bench.ts`: passes ids to one `dedupe`, a millisecond of event time apart, and says what that took.

/** What a process is asked to do, as the only argument of its command line. */
export interface Task {
  readonly ids: 'numbers' | 'UUIDs';
  readonly records: number;
  /** How many ids lie within the retention. */
  readonly kept: number;
  /** The cell of `dedupe`, or a map of `true` in its place. */
  readonly cell: 'set' | 'map';
  /** Keeps what is stored, and restores it at the end. */
  readonly restores: boolean;
}

export interface Took {
  readonly bytesPerKey: number;
  readonly peakMiB: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly longestMs: number;
  readonly storedPerKey: number;
  readonly restoreMs: number;
  readonly longestRestoreMs: number;
}

const EPOCH = 50_000;
/** Records whose time is taken together. */
const TURN = 500;
const STEP = 'dedupe';

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0').slice(-digits);
const scattered = (n: number, by: number): number => Math.imul(n ^ (n >>> 15), by) >>> 0;

/** As random as those of a library, and never the same twice. */
function uuidOf(n: number): string {
  const [a, b] = [scattered(n + 1, 0x9e3779b1), scattered(n + 1, 0x85ebca6b)];
  const texts = [hex(a, 8), hex(b >>> 16, 4), `4${hex(b, 3)}`, `a${hex(a >>> 7, 3)}`, `${hex(b, 4)}${hex(n, 8)}`];
  return texts.join('-');
}

/** Bytes of this process that no file is behind. */
const anonymousBytes = (): number =>
  1_024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);

/** Bytes on the heap and in buffers, after a collection. */
function heldBytes(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;

function run({ ids, records, kept, cell, restores }: Task): Took {
  const retention = millis(kept);
  const keysMax = 2 * kept;
  const { shape } = dedupe<string | number>({ key: (id) => id, retention, keysMax });
  const { cells: own, open } = shape as StatefulShape;
  const specs = cell === 'set' ? own : { ...own, seen: mapCell({ ttl: retention as Duration, entriesMax: keysMax }) };
  const context = { counter: () => ({ add: () => undefined }) } as unknown as StepContext;
  let emitted = 0;
  const emit = (): void => {
    emitted++;
  };
  const origin = originAt(0) as { -readonly [K in keyof Origin]: Origin[K] };
  const stored = new Map<string, StateChange>();

  const before = heldBytes();
  const state = new TaskState([]);
  const logic = open(state.open(STEP, specs), context);
  let [peak, storedBytes, cpuSeconds, busyMs, longestMs] = [0, 0, 0, 0, 0];
  for (let from = 0; from < records; from += EPOCH) {
    const batch = Array.from({ length: Math.min(EPOCH, records - from) }, (_, i) =>
      ids === 'numbers' ? from + i : uuidOf(from + i),
    );
    const cpu = process.cpuUsage();
    let startedMs = performance.now();
    for (let i = 0; i < batch.length; i++) {
      origin.eventTimeMs = from + i;
      logic.onRecord(0, batch[i], emit, origin);
      if ((i + 1) % TURN > 0) continue;
      const now = performance.now();
      longestMs = Math.max(longestMs, now - startedMs);
      busyMs += now - startedMs;
      startedMs = now;
    }
    const changes = state.takeChanges();
    cpuSeconds += seconds(process.cpuUsage(cpu));
    for (const change of changes) {
      storedBytes += change.bytes?.length ?? 0;
      if (restores) stored.set(`${change.cell}/${change.bucket}`, change);
    }
    peak = Math.max(peak, anonymousBytes());
  }
  const bytesPerKey = (heldBytes() - before) / Math.min(kept, records);
  logic.onRecord(0, ids === 'numbers' ? records - 1 : uuidOf(records - 1), emit, origin); // known, and the state still there
  if (emitted !== records) throw new Error(`${emitted} of ${records} ids were new`);

  const again = new TaskState([...stored.values()]);
  const restoreFrom = performance.now();
  again.open(STEP, specs);
  let [restoreMs, longestRestoreMs] = [performance.now() - restoreFrom, 0];
  longestRestoreMs = restoreMs;
  let turnFrom = performance.now();
  for (const _ of again.catchUp(STEP)) {
    longestRestoreMs = Math.max(longestRestoreMs, performance.now() - turnFrom);
    turnFrom = performance.now();
  }
  restoreMs = performance.now() - restoreFrom;
  return {
    bytesPerKey,
    peakMiB: peak / 2 ** 20,
    cpuSeconds,
    seconds: busyMs / 1_000,
    longestMs,
    storedPerKey: storedBytes / records,
    restoreMs,
    longestRestoreMs,
  };
}

process.stdout.write(JSON.stringify(run(JSON.parse(process.argv[2] ?? '{}') as Task)));

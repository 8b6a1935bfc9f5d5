import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, type EpochEnd, MillraceError, type StateChange } from '../../src/core/index.js';
import { type ArenaCell, arenaCell, type Float64Cell, float64Cell, updateLogCell } from '../../src/state/index.js';
import { FakeLedger } from '../../src/testing/fake-ledger.js';

interface Logging {
  readonly size?: number;
  readonly head?: string;
  readonly replayMaxMs?: number;
  readonly name?: string;
}

/** Numbers whose additions are logged, restored from what a ledger keeps. */
class LoggedNumbers {
  readonly specs;
  readonly cells: Readonly<Record<string, Cell>>;
  readonly log;
  readonly numbers: Float64Cell;
  private applied = 0;

  constructor(
    private readonly ledger: FakeLedger,
    { size = 4_096, head = 'a', replayMaxMs = 2_000, name = 'one' }: Logging = {},
  ) {
    const refusal = (stored: string) => new MillraceError('state', `written with ${stored}`);
    this.specs = { log: updateLogCell({ head, replayMaxMs, refusal }), numbers: float64Cell({ size }) };
    this.log = this.specs.log.open();
    this.numbers = this.specs.numbers.open();
    this.cells = { log: this.log, numbers: this.numbers };
    for (const { cell, bucket, bytes, version } of ledger.state())
      if (bytes) this.cells[cell]?.restore(bucket, bytes, version);
    this.log.cover({
      cells: [this.numbers],
      name,
      apply: (chunk) => {
        while (chunk.at < chunk.end) {
          const length = chunk.view.getUint32(chunk.at, true);
          this.change(chunk.view.getUint32(chunk.at + 4, true), chunk.view.getFloat64(chunk.at + 8, true));
          chunk.at += length;
          this.applied += 1;
        }
      },
    });
  }

  /** Adds and logs, in so many bytes. Returns whether there was room. */
  add(at: number, by: number, bytes = 16): boolean {
    this.change(at, by);
    const chunk = this.log.room(bytes);
    if (!chunk) return false;
    chunk.view.setUint32(chunk.at, bytes, true);
    chunk.view.setUint32(chunk.at + 4, at, true);
    chunk.view.setFloat64(chunk.at + 8, by, true);
    chunk.at += bytes;
    return true;
  }

  /** Ends an epoch; returns what it wrote. */
  store(end?: EpochEnd): StateChange[] {
    const changes = Object.entries(this.cells).flatMap(([cell, open]) =>
      open.takeChanges(end).map((change) => ({ ...change, step: 'step', cell, version: 1 })),
    );
    const kept = changes.map((change) => ({ ...change }));
    this.ledger.store(changes);
    return kept;
  }

  get appliedAgain(): number {
    this.log.settle();
    return this.applied;
  }

  private change(at: number, by: number): void {
    this.numbers.values[at] = (this.numbers.values[at] as number) * 0.9 + by; // the order matters
    this.numbers.touch(at);
  }
}

const bytesOf = (changes: readonly StateChange[], cell: string): number =>
  changes.reduce((sum, change) => sum + (change.cell === cell ? (change.bytes?.length ?? 0) : 0), 0);
const isSnapshot = (changes: readonly StateChange[]): boolean => changes.some(({ cell }) => cell === 'numbers');
const isLast: EpochEnd = { busyMs: 0, isLast: true };

describe('a log of updates', () => {
  it('restores the same bits wherever epochs end and whatever they write', () => {
    const op = fc.record({
      at: fc.nat(1_023),
      by: fc.double({ noNaN: true, min: -10, max: 10 }),
      bytes: fc.constantFrom(16, 24, 900, 30_000),
      end: fc.constantFrom('goes on', 'goes on', 'epoch', 'restart', 'last'),
      busyMs: fc.constantFrom(0, 0, 40),
    });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 120 }), fc.constantFrom(60, 2_000), (ops, replayMaxMs) => {
        const ledger = new FakeLedger();
        const plain = new Float64Array(1_024);
        let logged = new LoggedNumbers(ledger, { size: 1_024, replayMaxMs });
        let busyMs = 0;
        for (const { at, by, bytes, end, busyMs: worked } of ops) {
          plain[at] = (plain[at] as number) * 0.9 + by;
          logged.add(at, by, bytes);
          if (end === 'goes on') continue;
          busyMs += worked;
          logged.store({ busyMs, isLast: end === 'last' });
          if (end === 'epoch') continue;
          logged = new LoggedNumbers(ledger, { size: 1_024, replayMaxMs });
          if (end === 'last') expect(logged.appliedAgain).toBe(0);
          logged.log.settle();
          busyMs = 0;
          expect(Array.from(logged.numbers.values)).toEqual(Array.from(plain));
        }
        expect(Array.from(logged.numbers.values)).toEqual(Array.from(plain));
      }),
      { numRuns: 60 },
    );
  });

  it('writes at most about twice the updates, where they are less than the blocks they change', () => {
    const ledger = new FakeLedger();
    const logged = new LoggedNumbers(ledger);
    let [written, updates, snapshots] = [0, 0, 0];
    for (let i = 0; i < 40_000; i++) {
      logged.add((i * 7_919) % 4_096, 1);
      updates += 16;
      if (i % 40 !== 39) continue;
      const changes = logged.store();
      written += bytesOf(changes, 'log') + bytesOf(changes, 'numbers');
      if (isSnapshot(changes)) snapshots += 1;
      expect(ledger.bytes).toBeLessThan(2 * 8 * 4_096 + 2 * 640);
    }
    expect(snapshots).toBeGreaterThan(5);
    expect(written / updates).toBeGreaterThan(1.5);
    expect(written / updates).toBeLessThan(2.2);
  });

  it('writes blocks where an epoch’s updates are more, and keeps no more of them than that', () => {
    const logged = new LoggedNumbers(new FakeLedger(), { size: 512 });
    let room = 0;
    for (let i = 0; i < 100_000; i++) if (logged.add(i % 512, 1)) room += 1;
    expect(room * 16).toBeLessThan(2 * 64 * 1024);
    const changes = logged.store();
    expect(changes.map(({ cell, bucket }) => `${cell}/${bucket}`)).toEqual(['numbers/0', 'numbers/1']);
    expect(logged.store()).toEqual([]);
    expect(logged.add(3, 1)).toBe(true);
  });

  it('deletes the updates with the snapshot, and writes one at the end of a run', () => {
    const ledger = new FakeLedger();
    const logged = new LoggedNumbers(ledger);
    for (let epoch = 0; epoch < 3; epoch++) {
      logged.add(5, 1);
      expect(isSnapshot(logged.store())).toBe(false);
      expect(logged.log.holdsBack).toBe(true);
    }
    expect(new LoggedNumbers(ledger).appliedAgain).toBe(3);
    const changes = logged.store(isLast);
    expect(changes.filter(({ cell, bytes }) => cell === 'log' && bytes === null).map(({ bucket }) => bucket)).toEqual([
      0, 1, 2, 3,
    ]);
    expect(isSnapshot(changes)).toBe(true);
    expect(logged.log.holdsBack).toBe(false);
    expect(logged.store(isLast)).toEqual([]);
  });

  it('writes a snapshot when the updates took longer than they may take again, over restarts too', () => {
    const ledger = new FakeLedger();
    const worked = (logged: LoggedNumbers, busyMs: number) => {
      logged.add(1, 1);
      return isSnapshot(logged.store({ busyMs, isLast: false }));
    };
    const first = new LoggedNumbers(ledger, { replayMaxMs: 2_000 });
    expect([450, 900].map((busyMs) => worked(first, busyMs))).toEqual([false, false]);
    const second = new LoggedNumbers(ledger, { replayMaxMs: 2_000 });
    expect(worked(second, 50)).toBe(false);
    expect(worked(second, 1_200)).toBe(true);
    expect([1_250, 3_100].map((busyMs) => worked(second, busyMs))).toEqual([false, false]);
    expect(worked(second, 3_300)).toBe(true);
  });

  it('counts what applying updates took, where it has a clock, but no more than the step worked', () => {
    const epochsOf = (updateMs: number, predictionMs: number) => {
      const logged = new LoggedNumbers(new FakeLedger(), { replayMaxMs: 2_000 });
      let [nowMs, busyMs] = [0, 0];
      logged.log.measureBy?.(() => nowMs);
      logged.add(1, 1);
      logged.store(isLast); // the first one comes earlier
      for (let i = 0; i < 4_096; i += 256) logged.numbers.touch(i); // blocks that outweigh all updates
      for (let epoch = 1; ; epoch++) {
        for (let i = 0; i < 20; i++) {
          logged.log.beginUpdate();
          nowMs += updateMs;
          logged.log.endUpdate();
          logged.add(1, 1);
          nowMs += predictionMs;
          busyMs += Math.min(updateMs, 10) + predictionMs;
        }
        if (isSnapshot(logged.store({ busyMs, isLast: false }))) return epoch;
      }
    };
    expect(epochsOf(10, 0)).toBe(11);
    expect(epochsOf(10, 30)).toBe(11);
    expect(epochsOf(40, 0)).toBe(11); // the clock went on while the step did not
  });

  it('has a bound for its buckets', () => {
    const ledger = new FakeLedger();
    const logged = new LoggedNumbers(ledger, { size: 1 << 20 });
    for (let i = 0; i < 1 << 20; i += 256) logged.add(i, 1); // much has changed: 8 MiB
    let most = 0;
    for (let epoch = 0; epoch < 2_100; epoch++) {
      logged.add(epoch, 1);
      const changes = logged.store();
      for (const { cell, bucket } of changes) if (cell === 'log') most = Math.max(most, bucket);
      if (epoch > 1_999) break;
    }
    expect(most).toBe(2_000);
  });

  it('spreads the snapshots of models that are alike', () => {
    const firstOf = (name: string) => {
      const logged = new LoggedNumbers(new FakeLedger(), { name });
      for (let epoch = 1; ; epoch++) {
        for (let i = 0; i < 40; i++) logged.add(((epoch * 40 + i) * 8) % 4_096, 1);
        if (isSnapshot(logged.store())) return epoch;
      }
    };
    expect(new Set(['one', 'two', 'three', 'four', 'five'].map(firstOf)).size).toBeGreaterThan(2);
  });

  it('refuses updates that were written with another head, or of which some are missing', () => {
    const ledger = new FakeLedger();
    const logged = new LoggedNumbers(ledger);
    for (let i = 0; i < 3; i++) {
      logged.add(1, 1);
      logged.store();
    }
    expect(() => new LoggedNumbers(ledger, { head: 'b' })).toThrow('written with a');
    ledger.store([{ step: 'step', cell: 'log', bucket: 2, version: 1, bytes: null }]);
    expect(() => new LoggedNumbers(ledger)).toThrow(expect.objectContaining({ code: 'state' }));
  });

  it('applies a bucket at a time', () => {
    const ledger = new FakeLedger();
    const logged = new LoggedNumbers(ledger);
    for (let i = 0; i < 3; i++) {
      logged.add(1, 1);
      logged.store();
    }
    const { log } = new LoggedNumbers(ledger);
    expect([log.lags, log.catchUp?.(), log.catchUp?.(), log.catchUp?.(), log.lags, log.catchUp?.()]).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it.each([
    ['float64', float64Cell({ size: 1_000 }).open()],
    ['arena', arenaCell({ width: 8, recordsMax: 500 }).open()],
  ])('knows how much of a %s cell has changed', (_kind, cell) => {
    const written = () => cell.takeChanges().reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
    for (let i = 0; 'allocate' in cell && i < 500; i++) (cell as ArenaCell).allocate(); // two whole blocks
    cell.values.fill(0.1);
    for (const i of [3, 4, 'allocate' in cell ? 2_001 : 260]) cell.touch(i);
    const { changedBytes } = cell;
    expect(changedBytes).toBeGreaterThan(0);
    expect(written()).toBe(changedBytes);
    expect(cell.changedBytes).toBe(0);
    cell.touch(0);
    expect(written()).toBe((changedBytes as number) / 2);
  });

  it('must be asked before its cells', () => {
    const logged = new LoggedNumbers(new FakeLedger());
    expect(() => logged.numbers.takeChanges()).toThrow('asked before');
    logged.log.takeChanges();
    expect(() => logged.log.takeChanges()).toThrow('were not asked');
  });
});

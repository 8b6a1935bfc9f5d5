import { describe, expect, it } from 'vitest';
import { type Cell, type CellSpec, type Operator, split, stateful, transform } from '../../src/core/index.js';
import { float64Cell, mapCell, valueCell } from '../../src/state/index.js';
import { checkOperator, driveOperator } from '../../src/testing/operator-contract.js';

interface Value {
  readonly n: number;
  readonly list?: number[];
}
const samples = [1, 2, 3, 2].map((n, i) => ({ value: { n, list: [n] }, eventTimeMs: i }));
const total = valueCell({ initial: { sum: 0 } });

describe('the contract passes', () => {
  it('a sum kept in a cell', () => {
    checkOperator(
      stateful({
        kind: 'sum',
        cells: { total },
        open: ({ total }, context) => ({
          onRecord(_, { n }: Value, emit, origin) {
            const state = total.get();
            state.sum += n;
            total.set(state);
            context.counter('seen').add();
            context.measure('sum', state.sum, origin.eventTimeMs);
            if (n === 3) context.deadLetter('three', 'no threes');
            else emit(state.sum as never);
          },
        }),
      }),
      samples,
      { stateBytesMax: 40 },
    );
  });

  it('an operator with a side input, and one that fails', () => {
    const latest = stateful<Value, { rates: number }, unknown, { rate: ReturnType<typeof valueCell<number>> }>({
      kind: 'convert',
      inputs: ['rates'],
      cells: { rate: valueCell({ initial: 1 }) },
      open: ({ rate }, context) => ({
        onRecord(input, value, emit) {
          if (input === 1) rate.set(value as number);
          else if ((value as Value).n === 9) context.fail('nine');
          else emit(((value as Value).n * rate.get()) as never);
        },
      }),
    });
    const inputs = [
      { value: { n: 2 } },
      { value: 5, input: 1 },
      { value: { n: 2 } },
      { value: { n: 9 } },
      { value: { n: 1 } },
    ];
    checkOperator(latest, inputs, { stops: true });
    expect(() => checkOperator(latest, inputs)).toThrow(/works on every sample.*nine/);
    const run = driveOperator(latest, inputs);
    expect([run.emitted.map(({ value }) => value), run.failure]).toEqual([[2, 10], 'nine']);
  });
});

describe('the contract names the clause that is broken', () => {
  const broken = (operator: Operator<Value, unknown>, stateBytesMax?: number) => () =>
    checkOperator(operator, samples, stateBytesMax === undefined ? {} : { stateBytesMax });

  it('deterministic', () => {
    let calls = 0;
    expect(broken(transform({ kind: 'x', open: () => (_, emit) => emit(calls++ as never) }))).toThrow(
      /\(deterministic\).*emitted 0/,
    );
  });

  it('input not mutated', () => {
    const sorts = transform<Value, unknown>({
      kind: 'x',
      open:
        () =>
        ({ list }, emit) =>
          emit(list?.push(1) as never),
    });
    expect(broken(sorts)).toThrow(/input not mutated/);
    const bytes = transform<{ b: Float32Array }, unknown>({
      kind: 'x',
      open: () => (value, emit) => {
        value.b[0] = 5;
        emit(1 as never);
      },
    });
    expect(() => checkOperator(bytes, [{ value: { b: new Float32Array(2) } }])).toThrow(/input not mutated/);
  });

  it('output not mutated', () => {
    const reuses = stateful({
      kind: 'x',
      cells: {},
      open: () => {
        const out = { n: 0 };
        return {
          onRecord(_, { n }: Value, emit) {
            out.n = n;
            emit(out as never);
          },
        };
      },
    });
    expect(broken(reuses)).toThrow(/output not mutated/);
  });

  it('state outside of cells', () => {
    const hides = stateful({
      kind: 'x',
      cells: {},
      open: () => {
        let sum = 0;
        return {
          onRecord(_, { n }: Value, emit) {
            sum += n;
            emit(sum as never);
          },
        };
      },
    });
    expect(broken(hides)).toThrow(/restored after/);
  });

  it('state in a transform', () => {
    const remembers = transform<Value, unknown>({
      kind: 'x',
      open: () => {
        let last = 0;
        return ({ n }, emit) => {
          emit(last as never);
          last = n;
        };
      },
    });
    expect(broken(remembers)).toThrow(/stateless/);
    const splits = split<Value, { a: number }>({
      kind: 'x',
      outputs: ['a'],
      open: () => {
        let last = 0;
        return ({ n }, emit) => {
          emit(0, last);
          last = n;
        };
      },
    });
    expect(() => checkOperator(splits, samples)).toThrow(/stateless/);
  });

  it('a change that was not told to its cell', () => {
    const forgets = stateful({
      kind: 'x',
      cells: { weights: float64Cell({ size: 4 }) },
      open: ({ weights }) => ({
        onRecord(_, { n }: Value, emit) {
          (weights.values as Float64Array)[0] = n + (weights.values[0] as number); // no touch
          emit(weights.values[0] as never);
        },
      }),
    });
    expect(broken(forgets)).toThrow(/restored after/);
  });

  it('a timer that is in no cell', () => {
    const forgets = stateful({
      kind: 'x',
      cells: {},
      open: () => {
        let due: number | undefined;
        return {
          onRecord(_, __: Value, _emit, { eventTimeMs }) {
            due ??= eventTimeMs + 2;
          },
          onWatermark(watermarkMs, emit) {
            if (due === undefined || watermarkMs < due) return;
            emit(due as never, due);
            due = undefined;
          },
        };
      },
    });
    expect(broken(forgets)).toThrow(/restored after every sample/);
  });

  it('bytes that look at living state', () => {
    class Aliasing implements Cell {
      readonly bytes = new Uint8Array(1);
      restore(_bucket: number, bytes: Uint8Array): void {
        this.bytes.set(bytes);
      }
      takeChanges() {
        const changes = this.changed ? [{ bucket: 0, bytes: this.bytes }] : [];
        this.changed = false;
        return changes;
      }
      changed = false;
    }
    const spec: CellSpec<Aliasing> = { kind: 'aliasing', version: 1, open: () => new Aliasing() };
    const aliases = stateful({
      kind: 'x',
      cells: { count: spec },
      open: ({ count }) => ({
        onRecord(_, __: Value, emit) {
          count.changed = true;
          count.bytes[0] = (count.bytes[0] as number) + 1;
          emit(count.bytes[0] as never);
        },
      }),
    });
    expect(broken(aliases)).toThrow(/unharmed by a snapshot/);
  });

  it('state without a bound', () => {
    const grows = stateful({
      kind: 'x',
      cells: { seen: mapCell<number, true>() },
      open: ({ seen }) => ({
        onRecord(_, __: Value, emit, origin) {
          seen.set(origin.offset, true);
          emit(1 as never);
        },
      }),
    });
    expect(broken(grows, 200)).toThrow(/memory bound/);
  });
});

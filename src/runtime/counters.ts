import type { BucketChange, Cell, Counter } from '../core/index.js';
import { MillraceError } from '../core/index.js';
import { getOrInsert } from '../util/maps.js';

class PlainCounter implements Counter {
  value = 0;
  restored = 0;
  add(by = 1): void {
    this.value += by;
  }
}

/** A counter of a task: its value, and the one that it had when the task was opened. */
export interface CounterEntry {
  readonly step: string;
  readonly name: string;
  readonly value: number;
  readonly restored: number;
}

/** The id under which a task's counters stand in its state; user ids cannot start with `$`. */
export const COUNTERS_STEP = '$counters';

/**
 * The cumulative counters of one task: plain numbers, exported elsewhere. They are a cell of the checkpoint, so that
 * what a crash makes the task do again is not counted again.
 */
export class Counters implements Cell {
  private readonly byStep = new Map<string, Map<string, PlainCounter>>();
  private saved = '';

  of(step: string, name: string): PlainCounter {
    const names = getOrInsert(this.byStep, step, () => new Map<string, PlainCounter>());
    return getOrInsert(names, name, () => new PlainCounter());
  }

  *entries(): Generator<CounterEntry> {
    for (const [step, names] of this.byStep)
      for (const [name, { value, restored }] of names) yield { step, name, value, restored };
  }

  restore(_bucket: number, bytes: Uint8Array): void {
    this.saved = new TextDecoder().decode(bytes);
    for (const [step, name, value] of parse(this.saved)) {
      const counter = this.of(step, name);
      counter.add(value);
      counter.restored = counter.value;
    }
  }

  takeChanges(): BucketChange[] {
    const text = JSON.stringify([...this.entries()].filter((e) => e.value !== 0).map((e) => [e.step, e.name, e.value]));
    if (text === this.saved) return [];
    this.saved = text;
    return [{ bucket: 0, bytes: new TextEncoder().encode(text) }];
  }
}

function parse(text: string): [step: string, name: string, value: number][] {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('state', 'the counters of the checkpoint cannot be read', {
      where: COUNTERS_STEP,
      permanent: true,
      cause,
    });
  }
}

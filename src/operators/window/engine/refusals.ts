import type { StepContext } from '../../../core/index.js';
import { emptyKeyText } from '../../keys.js';
import type { Outcome } from './engine.js';

/** What becomes of records that no window takes. */
export class Refusals {
  private readonly late;
  private readonly partlyLate;
  private readonly refused;
  private readonly unmatched;

  constructor(
    private readonly context: StepContext,
    private readonly policy: 'dead-letter' | 'count',
  ) {
    this.late = context.counter('late');
    this.partlyLate = context.counter('partly_late');
    this.refused = context.counter('refused');
    this.unmatched = context.counter('unmatched');
  }

  emptyKey(key: unknown): void {
    this.context.deadLetter('empty-key', emptyKeyText(key));
  }

  noTime(timeMs: number): void {
    this.context.deadLetter('no-time', `the event time is ${timeMs}`);
  }

  unlessTaken(outcome: Outcome): void {
    if (outcome === 'taken') return;
    if (outcome === 'partly-late') {
      this.partlyLate.add();
    } else if (outcome === 'unmatched') {
      this.unmatched.add();
    } else if (outcome === 'too-many-keys') {
      this.refused.add();
      this.context.deadLetter('too-many-keys', 'its window holds as many keys as `keysMax` allows');
    } else if (outcome === 'too-many-windows') {
      this.refused.add();
      this.context.deadLetter('too-many-windows', 'too many windows are open already: is its event time far ahead?');
    } else {
      this.late.add();
      if (this.policy === 'dead-letter')
        this.context.deadLetter('late', `its windows are closed: the watermark is at ${this.context.watermarkMs}`);
    }
  }
}

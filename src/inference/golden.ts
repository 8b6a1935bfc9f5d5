import type { Discrete } from '../core/index.js';
import { layoutOf } from './scheduling/layout.js';
import { sameValues } from './session/values.js';
import { warmUpInput } from './session/warm-up.js';
import type { LoadedModel, RunAnswer } from './workers/protocol.js';
import type { WorkerSlot } from './workers/worker-slot.js';

/** What a session answers for rows that are always the same, and how long it was at them. */
export interface GoldenAnswer {
  readonly isRight: boolean;
  readonly rows: number;
  readonly ms: number;
}

/** The golden inputs of a model, with the answers that it must give. */
export interface Golden {
  /** Asks a session. Rejects with `WorkerLost` if its worker dies. */
  ask(slot: WorkerSlot, loaded: LoadedModel, hungAfterMs: number): Promise<GoldenAnswer>;
}

/** So many rows tell a wrong session from a right one, and cost next to nothing. */
const ROWS_MAX = 8;
/** How far answers may be apart where bits depend on the batch: absolute, and by their size. */
const ABSOLUTE = 1e-5;
const RELATIVE = 1e-4;

/**
 * Golden inputs: rows that are the same in every process, of which the first session of a model gave the right answers. A session that
 * answers them otherwise computes wrongly, without an error: memory that flips bits, a device that is broken, a driver. On the CPU the
 * bits must be the same; on others, where they depend on more, the numbers must be near.
 *
 * Memory: the answers for 8 rows.
 */
export function goldenInputs(batchMax: number, isExact: boolean): Golden {
  const rows = Math.min(ROWS_MAX, batchMax);
  let right: RunAnswer | undefined;
  return {
    async ask(slot, { session, inputs, lengths }, hungAfterMs) {
      const layout = layoutOf(inputs, lengths[0] as number, rows);
      const asked = warmUpInput(layout);
      const run = { session, bucket: 0, rows, rowsMax: rows, ...asked };
      const { answer } = await slot.run(run, { hungAfterMs, isCheck: true, transfer: [asked.input] });
      right ??= answer;
      return { isRight: isSame(answer, right, isExact), rows, ms: answer.ms };
    },
  };
}

function isSame(answer: RunAnswer, right: RunAnswer, isExact: boolean): boolean {
  if (answer.failures.length !== right.failures.length || answer.scores.length !== right.scores.length) return false;
  if (isExact) return sameValues(answer, right);
  const others = right.discrete?.flat() ?? [];
  return (
    answer.scores.every((score, i) => isNear(score, right.scores[i] as number)) &&
    (answer.discrete?.flat() ?? []).every((value, i) => isLike(value, others[i] as Discrete))
  );
}

const isLike = (value: Discrete, right: Discrete): boolean =>
  typeof value === 'string' || typeof right === 'string' ? value === right : isNear(value, right);

const isNear = (score: number, right: number): boolean =>
  Object.is(score, right) || Math.abs(score - right) <= ABSOLUTE + RELATIVE * Math.abs(right);

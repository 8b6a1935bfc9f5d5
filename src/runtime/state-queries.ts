import { messageOf } from '../core/index.js';

/** The reply to a question about a task's state: what a committed epoch held, who has it, or nothing now. */
export type QueryResult =
  | {
      readonly kind: 'answer';
      /** As the step tells it; `undefined` where it holds nothing of the key. */
      readonly value: unknown;
      readonly partition: number;
      readonly epoch: number;
    }
  /** Another process has the task: to be asked there. */
  | { readonly kind: 'elsewhere'; readonly address: string; readonly partition: number }
  | { readonly kind: 'retry'; readonly why: string };

interface Question {
  readonly step: string;
  readonly key: string;
  readonly resolve: (reply: QueryResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Questions that a task keeps until its next checkpoint at most. */
export const QUESTIONS_MAX = 10_000;

/**
 * Questions about a task's state. Each waits for the next checkpoint that the ledger takes and is answered from the state
 * of that epoch: by then this process is proven to own the task, and nothing newer has been worked on.
 */
export class StateQueries {
  private waiting: Question[] = [];

  /** Rejects only with what the step throws. */
  ask(step: string, key: string): Promise<QueryResult> {
    if (this.waiting.length >= QUESTIONS_MAX)
      return Promise.resolve({ kind: 'retry', why: `${QUESTIONS_MAX} queries are waiting` });
    return new Promise((resolve, reject) => this.waiting.push({ step, key, resolve, reject }));
  }

  get some(): boolean {
    return this.waiting.length > 0;
  }

  /** The state is that of `epoch` now, and the ledger has it. */
  answer(partition: number, epoch: number, read: (step: string, key: string) => unknown): void {
    for (const { step, key, resolve, reject } of this.takeAll()) {
      try {
        resolve({ kind: 'answer', value: read(step, key), partition, epoch });
      } catch (error) {
        reject(error);
      }
    }
  }

  /** The task ends here: another process has its state, or this one will once it is restored. */
  refuse(cause: unknown): void {
    for (const { resolve } of this.takeAll()) resolve({ kind: 'retry', why: messageOf(cause) });
  }

  private takeAll(): Question[] {
    const all = this.waiting;
    this.waiting = [];
    return all;
  }
}

import { messageOf } from '../core/index.js';

/** The result of a query of a task's state: the value at a committed epoch, the address of the owner, or unavailable. */
export type QueryResult =
  | {
      readonly kind: 'answer';
      /** As the step returns it; `undefined` if it has no state of the key. */
      readonly value: unknown;
      readonly partition: number;
      readonly epoch: number;
    }
  /** Another process owns the task: query it there. */
  | { readonly kind: 'elsewhere'; readonly address: string; readonly partition: number }
  | { readonly kind: 'retry'; readonly why: string };

interface Question {
  readonly step: string;
  readonly key: string;
  readonly resolve: (reply: QueryResult) => void;
  readonly reject: (error: unknown) => void;
}

/** The most queries that a task keeps until its next checkpoint. */
const QUERIES_MAX = 10_000;

/**
 * Queries of a task's state. Each waits for the next checkpoint that the ledger stores and is answered from the state of that
 * epoch: then this process is proven to own the task, and the state is committed.
 */
export class StateQueries {
  private waiting: Question[] = [];

  /** Rejects only with what the step throws. */
  add(step: string, key: string): Promise<QueryResult> {
    if (this.waiting.length >= QUERIES_MAX)
      return Promise.resolve({ kind: 'retry', why: `${QUERIES_MAX} queries are waiting` });
    return new Promise((resolve, reject) => this.waiting.push({ step, key, resolve, reject }));
  }

  get some(): boolean {
    return this.waiting.length > 0;
  }

  /** The state is that of `epoch`, and the ledger has stored it. */
  answer(partition: number, epoch: number, read: (step: string, key: string) => unknown): void {
    for (const { step, key, resolve, reject } of this.takeAll()) {
      try {
        resolve({ kind: 'answer', value: read(step, key), partition, epoch });
      } catch (error) {
        reject(error);
      }
    }
  }

  /** The task ends here: another process has its state, or this one will after a restore. */
  refuse(cause: unknown): void {
    for (const { resolve } of this.takeAll()) resolve({ kind: 'retry', why: messageOf(cause) });
  }

  private takeAll(): Question[] {
    const all = this.waiting;
    this.waiting = [];
    return all;
  }
}

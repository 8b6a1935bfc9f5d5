import type { IsolatedPlace } from './kind.js';
import type { Sink } from './sink.js';

/** One thing that a sink wrote. */
export interface WrittenEntry {
  /** What it belongs to: entries of one sequence come in the same order in every run. */
  readonly sequence?: string | undefined;
  /**
   * Tells it from others: the input record that it comes from as `topic/partition/offset`, a key, or all of it. The same id may come
   * several times.
   */
  readonly id: string;
  /** Equal where contents are equal. */
  readonly digest: string;
  /** What is shown of it, or where it lies for `show`. */
  readonly at: string;
}

/** All that a sink wrote in one run. */
export interface Written {
  /** Whether entries of a sequence are to come in order, are told apart by a record or a key, or count as a bag. */
  readonly how: 'in order' | 'by record' | 'by key' | 'in any order' | 'keys only';
  /** Entries come in the order of their sort keys, bytewise, so two runs are compared without keeping any. Otherwise as they come. */
  readonly sorted: boolean;
  entries(): AsyncIterable<WrittenEntry & { readonly sort?: string | undefined }>;
  /** What lies at a place, for the report; the place itself by default. */
  show?(at: string): Promise<unknown>;
}

/** Looks at what sinks of a kind wrote for a verification, and removes it. */
export interface WrittenOutput {
  /** `ordered` false: clocks decided the order of inputs, so that only what does not depend on it may be compared. */
  read(sink: Sink<unknown>, place: IsolatedPlace, ordered: boolean): Promise<Written>;
  remove(sink: Sink<unknown>, place: IsolatedPlace): Promise<void>;
}

import type { Isolation } from './kind.js';
import type { Sink } from './sink.js';

/** One thing that a sink wrote. */
export interface WrittenEntry {
  /** Entries of one sequence have the same order in every run. */
  readonly sequence?: string | undefined;
  /**
   * Identifies the entry: the input record that it comes from as `topic/partition/offset`, a key, or its whole content. An id may
   * be repeated.
   */
  readonly id: string;
  /** Equal for equal contents. */
  readonly digest: string;
  /** What the report shows of it, or the argument for `show`. */
  readonly at: string;
}

/** All that a sink wrote in one run. */
export interface Written {
  /** How entries are compared: in order within a sequence, by record, by key, or as a bag. */
  readonly how: 'in order' | 'by record' | 'by key' | 'in any order' | 'keys only';
  /** Entries come in bytewise order of their sort keys, so two runs are compared without storing either. */
  readonly sorted: boolean;
  entries(): AsyncIterable<WrittenEntry & { readonly sort?: string | undefined }>;
  /** The content at a location, for the report; by default the location itself. */
  show?(at: string): Promise<unknown>;
}

/** Reads what sinks of a kind wrote in a verification, and removes it. */
export interface WrittenOutput {
  /** If `ordered` is false, clocks decided the order of inputs: compare only what does not depend on it. */
  read(sink: Sink<unknown>, isolation: Isolation, ordered: boolean): Promise<Written>;
  remove(sink: Sink<unknown>, isolation: Isolation): Promise<void>;
}

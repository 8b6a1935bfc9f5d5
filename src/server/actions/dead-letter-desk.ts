/** Which dead letters of a topology are meant; what is not given matches all. */
export interface LetterSelection {
  readonly reason?: string | undefined;
  readonly step?: string | undefined;
  /** Single ones, as PARTITION/OFFSET of the dead-letter topic. */
  readonly places?: readonly string[] | undefined;
  /** Also those of records that had been sent again, and failed again. */
  readonly again?: boolean | undefined;
}

/** A dead letter as the page shows it. */
export interface SeenLetter {
  readonly place: string;
  readonly timestamp: string;
  readonly reason: string;
  readonly step: string;
  /** Where its record was, as TOPIC/PARTITION/OFFSET. */
  readonly origin: string | undefined;
  readonly replayed: boolean;
  readonly bytes: number;
  /** What it says about its record: only where values may be shown. */
  readonly values?: { readonly detail: string; readonly key: string | null; readonly record: string } | undefined;
}

/** The newest dead letters of a topic. */
export interface SeenLetters {
  readonly topic: string;
  /** Entries of the topic, and how many of the newest were looked at. */
  readonly entries: number;
  readonly scanned: number;
  readonly groups: readonly {
    readonly reason: string;
    readonly step: string;
    readonly count: number;
    readonly replayed: number;
    readonly last: string;
  }[];
  readonly letters: readonly SeenLetter[];
}

/**
 * A replay in two steps: first it counts what would be sent, and then, if somebody says so, it sends exactly that, once. It goes on
 * while nobody looks, and ends with the process.
 */
export interface Replay {
  readonly id: string;
  readonly state: 'counting' | 'counted' | 'sending' | 'sent' | 'stopped' | 'failed';
  /** The selection in words. */
  readonly what: string;
  readonly by: string;
  readonly startedMs: number;
  /** Dead letters that were counted, and records that were sent. */
  readonly found: number;
  readonly sent: number;
  /** The share of the topic that the current step has read, from 0 to 1. */
  readonly read: number;
  /** Where the records go to. */
  readonly records: readonly { readonly topic: string; readonly partition: number; readonly records: number }[];
  readonly error: string | null;
}

/** The dead letters of a run, to be looked at and sent back to the topics that they came from. */
export interface DeadLetterDesk {
  look(selection: LetterSelection, by: string): Promise<SeenLetters>;
  /**
   * Begins to count.
   *
   * @throws MillraceError `config` while another replay counts or sends.
   */
  count(selection: LetterSelection, by: string): Replay;
  /**
   * Begins to send what was counted.
   *
   * @throws MillraceError `config` unless it is counted and not sent, or while another replay counts or sends.
   */
  send(id: string, by: string): Replay;
  /** Ends the replay that counts or sends. Records that it has read are still sent. */
  stop(id: string, by: string): Promise<Replay>;
  /** The newest last. */
  replays(): readonly Replay[];
}

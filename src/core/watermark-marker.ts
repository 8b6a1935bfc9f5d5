/** What a task says of itself in every partition that it writes to: how far it has come. */
export interface WatermarkMarker {
  readonly task: number;
  /** How many tasks its subtopology has: readers wait for a mark of each. */
  readonly tasks: number;
  /** No record of this task with an earlier event time follows, late ones excepted. */
  readonly watermarkMs: number;
  /** It has nothing to read at the moment: nobody should wait for it until it says otherwise. */
  readonly idle: boolean;
}

/** What is known of a subtopology's tasks by their marks, up to a place in the log. */
export interface WatermarkMarkers {
  /** How many tasks the subtopology has. */
  readonly tasks: number;
  /** The newest watermark of each task that was heard of; `null` for one that is idle. */
  readonly watermarksMs: Readonly<Record<number, number | null>>;
}

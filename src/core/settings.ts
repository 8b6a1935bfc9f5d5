/** Options and facts that `describe` prints: plain values only. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** What an operator, a source, a sink or a lookup finds wrong with its options, for `check`; where it is, is added there. */
export interface Problem {
  readonly message: string;
  readonly hint: string;
}

/** Options and facts that `describe` prints: plain values only. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

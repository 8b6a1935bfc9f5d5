/** What a peer is to do, sent to it as a line of JSON; `Order.java` reads the same. */
export interface Order {
  readonly broker: string;
  readonly work: Work;
  /** Fresh for each run: groups, transactions and changelogs are called after it. */
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly output: string;
  /** Of Kafka Streams; Millrace is given as many processes. */
  readonly threads: number;
  readonly commitMs: number;
  readonly model: string;
}

/** A topic that is read. */
export interface Input {
  readonly topic: string;
  /** Records of each partition; 0 where it is fed while it is read. */
  readonly sizes: readonly number[];
}

export const recordsOf = (inputs: readonly Input[]): number =>
  inputs.flatMap(({ sizes }) => sizes).reduce((sum, size) => sum + size, 0);

/** Work on flights. */
export const works = ['pass-through', 'count', 'flights'] as const;
/** Queries of Nexmark that both sides have. */
export const queries = ['q0', 'q1', 'q2', 'q3', 'q5', 'q8'] as const;
export type Query = (typeof queries)[number];
export type Work = (typeof works)[number] | Query;

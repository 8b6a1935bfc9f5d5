/** What a peer is to do, sent to it as a line of JSON; `Order.java` reads the same. */
export interface Order {
  readonly broker: string;
  readonly work: Work;
  /** Fresh for each run: groups, transactions and changelogs are called after it. */
  readonly name: string;
  readonly input: string;
  readonly output: string;
  /** Of Kafka Streams; Millrace is given as many processes. */
  readonly threads: number;
  readonly commitMs: number;
  /** Records of each partition of the input; 0 where it is fed while it runs. */
  readonly sizes: readonly number[];
  readonly model: string;
}

export const works = ['pass-through', 'count', 'flights'] as const;
export type Work = (typeof works)[number];

import { randomBytes } from 'node:crypto';

/** The two runs of a verification: one that nobody disturbs, and one whose processes are killed. */
export type Run = 'reference' | 'faulted';
export const runs: readonly Run[] = ['reference', 'faulted'];

/** What of a topic is read: by partition, the first offset and the one behind the last. */
export interface Slice {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** What both runs have in common, as plain data: their processes get it on the command line. */
export interface Verification {
  readonly id: string;
  /** Topics to read in the place of a source's own, by source. */
  readonly inputs: Readonly<Record<string, string>>;
  /** By topic that is read. */
  readonly slices: Readonly<Record<string, Slice>>;
  /** Partitions of the topics that sinks write to outside of the verification, where they exist. */
  readonly partitions: Readonly<Record<string, number>>;
}

export const newVerificationId = (): string => `verify-${randomBytes(4).toString('hex')}`;

/** Records of all slices. */
export const recordsOf = ({ slices }: Pick<Verification, 'slices'>): number =>
  Object.values(slices)
    .flatMap(({ from, to }) => to.map((end, partition) => Math.max(0, end - (from[partition] ?? 0))))
    .reduce((sum, records) => sum + records, 0);

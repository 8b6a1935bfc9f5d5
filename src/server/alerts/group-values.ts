import type { RunSnapshot } from '../../runtime/index.js';
import { askOthers, type GroupIdentity } from '../group/pass-on.js';
import { believedUrl } from '../owner-address.js';
import type { AlertMeasure } from './measures.js';

/** What a process has seen of the measures of its alerts. `of` is the number of values that it is the mean of. */
export type OwnValues = Readonly<Record<string, { readonly value: number; readonly of: number }>>;

/** The value of a measure over processes; `undefined` if none has any. */
export function groupValue(
  measure: string,
  { inGroup }: Pick<AlertMeasure, 'inGroup'>,
  processes: readonly OwnValues[],
): number | undefined {
  const known = processes.flatMap((values) => values[measure] ?? []);
  if (known.length === 0) return undefined;
  if (inGroup === 'largest') return Math.max(...known.map(({ value }) => value));
  const weights = known.map(({ of }) => (inGroup === 'sum' ? 1 : of));
  const sum = known.reduce((total, { value }, i) => total + value * (weights[i] as number), 0);
  return inGroup === 'sum' ? sum : sum / weights.reduce((total, weight) => total + weight, 0);
}

/** The processes that look at alerts together. */
export interface AlertGroup {
  /** The values of the others; without those that do not answer. */
  others(): Promise<readonly OwnValues[]>;
  /** Whether this process tells of alerts: it has the first task, so one does. */
  isTeller(): boolean;
}

/** The group of a process that others can ask: every process with an address that can be believed. */
export function alertGroup(group: GroupIdentity, health: () => RunSnapshot['health']): AlertGroup {
  return {
    async others() {
      const { answers } = await askOthers<OwnValues>(group, '/alerts/process');
      return answers.filter((answer) => answer !== undefined);
    },
    isTeller() {
      const others = group
        .elsewhere()
        .filter(({ address }) => address !== undefined && believedUrl(address, group.topology, group.token));
      const [mine, theirs] = [firstOf(health()), firstOf(others)];
      return theirs === undefined || (mine !== undefined && mine < theirs);
    },
  };
}

type TaskName = { readonly subtopology: string; readonly partition: number };
const firstOf = (tasks: readonly TaskName[]): string | undefined =>
  tasks.map(({ subtopology, partition }) => `${String(partition).padStart(9, '0')} ${subtopology}`).sort()[0];

import { CHECKPOINT, type TaskSnapshot, type TaskTime } from '../runtime/index.js';
import { downstreamOf, subtopologiesOf, type Topology } from '../topology/index.js';

/** How the time of a step or sink was spent; the three add up to 1. */
export interface Shares {
  /** In its logic; for a batched step and a sink, with an operation in flight. */
  readonly busy: number;
  /** Its task could take no further record, because of something behind it. */
  readonly backpressured: number;
  readonly idle: number;
}

/** Those of the task in which it was idle least. */
export interface NodeShares extends Shares {
  readonly task: number;
}

/** What holds a run up. */
export interface Bottleneck {
  /**
   * `wait`: a task waits for this step, sink or checkpoint. `busy`: the thread is in use, and this step takes the most of it. `late`: a
   * task holds records back for this input, which brings none.
   */
  readonly kind: 'wait' | 'busy' | 'late';
  /** A step, a sink, an input, or `checkpoint`. */
  readonly id: string;
  readonly share: number;
  readonly task: number;
  /** Its share in this task is more than twice that of the other tasks: the keys are skewed. */
  readonly isSkewed: boolean;
}

type TimedTask = Pick<TaskSnapshot, 'subtopology' | 'partition' | 'time'>;

/** Above it backpressure counts as high in Flink. */
const HIGH = 0.5;
/** A thread in use for more than this has little left. */
const FULL = 0.8;
/** Two parts that were waited for as long as each other, nearly: the later one of the stream counts. */
const TIE = 0.95;

/** What a task did between two looks. */
interface Spent {
  readonly subtopology: string;
  readonly task: number;
  readonly blocked: number;
  readonly own: ReadonlyMap<string, number>;
  readonly work: ReadonlyMap<string, number>;
  readonly held: ReadonlyMap<string, number>;
  /** The part that was waited for longest. */
  readonly waitedFor: string | undefined;
}

/**
 * Turns the times of tasks into shares of the time since the call before, and names the bottleneck: the most downstream part that
 * tasks wait for more than half of the time, an input that is late for as long, or else the step that takes the most of a full thread.
 *
 * Memory: the times of the last call.
 */
export class TimeShares {
  private before = new Map<string, TaskTime>();
  /** By sub-topology and node: what lies behind it in the same task. In the order of the stream. */
  private readonly behind: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

  constructor(topology: Topology) {
    this.behind = new Map(
      subtopologiesOf(topology).map((part) => {
        const ids = [...part.sources, ...part.steps, ...part.sinks].map(({ id }) => id);
        return [part.name, new Map(ids.map((id) => [id, downstreamOf(part, id)]))];
      }),
    );
  }

  /** `loop`: the share of time in which the thread was in use. */
  next(
    tasks: readonly TimedTask[],
    loop = 0,
  ): { readonly nodes: ReadonlyMap<string, NodeShares>; readonly bottleneck: Bottleneck | undefined } {
    const spent = tasks.flatMap((task) => this.spentBy(task));
    this.before = new Map(tasks.map((task) => [keyOf(task), task.time]));
    const nodes = new Map<string, NodeShares>();
    for (const each of spent)
      for (const [id, behind] of this.behind.get(each.subtopology) ?? []) {
        const busy = Math.min(1, each.own.get(id) ?? 0);
        const isBehind = each.waitedFor === CHECKPOINT || behind.has(each.waitedFor ?? '');
        const backpressured = isBehind ? Math.min(each.blocked, 1 - busy) : 0;
        const idle = Math.max(0, 1 - busy - backpressured);
        const known = nodes.get(id);
        if (known === undefined || idle < known.idle) nodes.set(id, { busy, backpressured, idle, task: each.task });
      }
    return { nodes, bottleneck: bottleneckOf(spent, loop) };
  }

  private spentBy(task: TimedTask): Spent[] {
    const { time } = task;
    const known = this.before.get(keyOf(task));
    // A task that was opened anew begins at zero.
    const before = known && known.totalMs <= time.totalMs ? known : undefined;
    const ms = time.totalMs - (before?.totalMs ?? 0);
    if (ms <= 0) return [];
    const shares = (of: 'workMs' | 'pendingMs' | 'waitedMs' | 'heldMs') =>
      new Map([...time[of]].map(([id, value]) => [id, (value - (before?.[of].get(id) ?? 0)) / ms]));
    const [work, pending, waited] = [shares('workMs'), shares('pendingMs'), shares('waitedMs')];
    const longest = Math.max(...waited.values());
    const order = [...(this.behind.get(task.subtopology)?.keys() ?? []), CHECKPOINT];
    const waitedFor = longest > 0 ? order.findLast((id) => (waited.get(id) ?? 0) >= longest * TIE) : undefined;
    const own = new Map(work);
    for (const [id, share] of pending) own.set(id, (own.get(id) ?? 0) + share);
    return [
      {
        ...{ subtopology: task.subtopology, task: task.partition, own, work, waitedFor, held: shares('heldMs') },
        blocked: Math.max(0, (time.blockedMs - (before?.blockedMs ?? 0)) / ms),
      },
    ];
  }
}

function bottleneckOf(spent: readonly Spent[], loop: number): Bottleneck | undefined {
  const waits = spent.flatMap((each) =>
    each.waitedFor === undefined
      ? []
      : [candidate('wait', each.waitedFor, each, (of) => (of.waitedFor === each.waitedFor ? of.blocked : 0), spent)],
  );
  const lates = spent.flatMap((each) =>
    [...each.held.keys()].map((id) => candidate('late', id, each, ({ held }) => held.get(id) ?? 0, spent)),
  );
  const high = largest([...waits, ...lates]);
  if (high && high.share > HIGH) return high;
  const steps = new Set(spent.flatMap(({ work }) => [...work.keys()]));
  const takes = [...steps].map((id) => {
    const shareIn = ({ work }: Spent) => work.get(id) ?? 0;
    const hottest = spent.reduce((a, b) => (shareIn(b) > shareIn(a) ? b : a));
    // All tasks share the thread.
    const share = spent.reduce((sum, each) => sum + shareIn(each), 0);
    return { ...candidate('busy', id, hottest, shareIn, spent), share: Math.min(1, share) };
  });
  const used = Math.max(
    loop,
    takes.reduce((sum, { share }) => sum + share, 0),
  );
  return used > FULL ? largest(takes) : undefined;
}

function candidate(
  kind: Bottleneck['kind'],
  id: string,
  of: Spent,
  shareIn: (spent: Spent) => number,
  all: readonly Spent[],
): Bottleneck {
  const share = shareIn(of);
  const others = all.filter((each) => each !== of);
  const mean = others.reduce((sum, each) => sum + shareIn(each), 0) / Math.max(1, others.length);
  const shown = id === CHECKPOINT ? 'checkpoint' : id;
  return { kind, id: shown, share: Math.min(1, share), task: of.task, isSkewed: others.length > 0 && share > 2 * mean };
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** A bottleneck as a sentence. */
export function bottleneckText(bottleneck: Bottleneck | null | undefined): string {
  if (!bottleneck) return 'No bottleneck: no task waits for a step, sink or input more than half of the time.';
  const { kind, id, share, task, isSkewed } = bottleneck;
  if (kind === 'late')
    return `Bottleneck: ${id} is late. Task ${task} held records back for it ${percent(share)} of the time.`;
  if (kind === 'wait')
    return `Bottleneck: ${id}. Task ${task} waited for it ${percent(share)} of the time${isSkewed ? ', other tasks less' : ''}.`;
  return `Bottleneck: ${id} takes ${percent(share)} of the thread${isSkewed ? `, most of it in task ${task}` : ''}.`;
}

const largest = (all: readonly Bottleneck[]): Bottleneck | undefined =>
  all.reduce<Bottleneck | undefined>((a, b) => (a === undefined || b.share > a.share ? b : a), undefined);

const keyOf = ({ subtopology, partition }: TimedTask): string => `${subtopology}/${partition}`;

import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MillraceError, messageOf } from '../../core/errors.js';
import type { Running } from '../../runtime/index.js';
import { counted } from '../../util/counted.js';
import { type GroupIdentity, passOn } from '../group/pass-on.js';

/** Who asks, and whether for the process alone that is asked. */
export interface Caller {
  readonly by: string;
  readonly alone: boolean;
}

/** What became of an action of a group. */
export interface GroupAnswer {
  /** The tasks that are at rest, as SUBTOPOLOGY/PARTITION, each with the offsets of its inputs. */
  readonly atRest: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Which processes and tasks did not follow, as sentences. */
  readonly missing: readonly string[];
}

export interface WrittenSavepoint {
  readonly topology: string;
  readonly file: string;
  readonly bytes: number;
  readonly partitions: number;
}

/** Pauses, resumes, saves and stops a run, in all processes of its group. */
export interface RunControl {
  /** Resolves when the tasks are at rest, or after ten seconds. */
  pause(caller: Caller): Promise<GroupAnswer>;
  resume(caller: Caller): Promise<GroupAnswer>;
  /** Resolves before the tasks have ended. */
  stop(caller: Caller): Promise<GroupAnswer>;
  /**
   * Writes a savepoint of the whole topology, of one moment: the run is paused meanwhile.
   *
   * @throws MillraceError `config` where a task cannot be brought to rest, or another savepoint is being written.
   */
  savepoint(name: string, by: string): Promise<WrittenSavepoint>;
}

export interface ControlOptions extends Omit<GroupIdentity, 'elsewhere'> {
  readonly running: Pick<Running, 'pause' | 'resume' | 'snapshot' | 'elsewhere'>;
  /** Begins to drain and end this process. */
  drain(): void;
  /** Writes the checkpoints of tasks that are at rest to a file, unless they have changed when it is written. */
  save(name: string, isUnchanged: () => Promise<boolean>): Promise<WrittenSavepoint>;
  /** Told of each action, and of how a savepoint ended. */
  onAction(line: string): void;
}

/** How long a task may take to drain. */
const DRAIN_MS = 10_000;
const LOOK_MS = 100;

/**
 * Controls a run over all of its processes: each answers for its own tasks, and the one that is asked sends the action to the others, at the
 * addresses that the group knows. A process without tasks is not known. Nothing is undone if one does not follow: it is named.
 */
export function runControl({ topology, token, running, drain, save, onAction }: ControlOptions): RunControl {
  const identity = { topology, token, elsewhere: running.elsewhere };
  let isSaving = false;

  /** The same in the other processes. */
  const inOthers = async (path: string, { by, alone }: Caller): Promise<GroupAnswer> => {
    if (alone) return { atRest: {}, missing: [] };
    const { answers, nowhere } = await passOn(identity, path, by);
    return {
      atRest: Object.assign({}, ...answers.map(({ answer }) => (answer as GroupAnswer | undefined)?.atRest)),
      missing: [
        ...answers.flatMap(({ url, answer, problem }) => [
          ...(problem === undefined ? [] : [`${url}: ${problem}`]),
          ...((answer as GroupAnswer | undefined)?.missing ?? []),
        ]),
        ...nowhere.map((task) => `task ${task} is moving, or in a process without --port`),
      ],
    };
  };
  const own = async (): Promise<GroupAnswer> => {
    const untilMs = performance.now() + DRAIN_MS;
    for (;;) {
      const { tasks } = running.snapshot();
      const busy = tasks.filter(({ isAtRest }) => !isAtRest);
      if (busy.length > 0 && performance.now() < untilMs) {
        await pause(LOOK_MS);
        continue;
      }
      const rested = tasks.filter(({ isAtRest }) => isAtRest);
      return {
        atRest: Object.fromEntries(rested.map((task) => [nameOf(task), offsetsOf(task)])),
        missing: busy.map(
          (task) => `${nameOf(task)} has not drained: ${counted(task.recordsInFlight, 'record')} in flight`,
        ),
      };
    }
  };
  const quietly = async (caller: Caller): Promise<GroupAnswer> => {
    running.pause();
    const [here, others] = await Promise.all([own(), inOthers('/pause', caller)]);
    return { atRest: { ...others.atRest, ...here.atRest }, missing: [...here.missing, ...others.missing] };
  };

  const control: RunControl = {
    pause(caller) {
      onAction(`${caller.by} pauses the run`);
      return quietly(caller);
    },
    resume(caller) {
      onAction(`${caller.by} resumes the run`);
      running.resume();
      return inOthers('/resume', caller);
    },
    async stop(caller) {
      onAction(`${caller.by} stops ${caller.alone ? 'this process' : 'the run'}`);
      const others = await inOthers('/stop', caller);
      drain();
      return others;
    },
    async savepoint(name, by) {
      if (isSaving) throw refusal('another savepoint is being written', 'wait until it is');
      isSaving = true;
      const caller = { by, alone: false };
      const { isPaused } = running.snapshot();
      onAction(`${by} takes the savepoint ${JSON.stringify(name)}`);
      try {
        const before = await quietly(caller);
        if (before.missing.length > 0) throw refusal(before.missing.join('; '), 'a savepoint needs all tasks at rest');
        const written = await save(name, async () => isSame(before, await quietly(caller)));
        onAction(`savepoint ${JSON.stringify(name)} is written: ${written.file}`);
        return written;
      } catch (error) {
        onAction(`savepoint ${JSON.stringify(name)} failed: ${messageOf(error)}`);
        throw error;
      } finally {
        isSaving = false;
        if (!isPaused) {
          running.resume();
          await inOthers('/resume', caller);
        }
      }
    },
  };
  return control;
}

type TaskName = { readonly subtopology: string; readonly partition: number };
const nameOf = ({ subtopology, partition }: TaskName): string => `${subtopology}/${partition}`;

const offsetsOf = ({ positions }: ReturnType<Running['snapshot']>['tasks'][number]): Record<string, number> =>
  Object.fromEntries(Object.entries(positions).map(([input, { offset }]) => [input, offset]));

/** Whether the same tasks are at rest, at the same offsets. */
const isSame = (before: GroupAnswer, after: GroupAnswer): boolean =>
  after.missing.length === 0 && isDeepStrictEqual(before.atRest, after.atRest);

const refusal = (message: string, hint: string): MillraceError =>
  new MillraceError('config', message, { where: 'savepoint', hint });

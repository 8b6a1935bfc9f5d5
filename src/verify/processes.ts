import { spawn } from 'node:child_process';
import { MillraceError } from '../core/errors.js';
import { removeMember } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import { ProcessSupervisor } from '../util/process-supervisor.js';
import { FaultInjector } from './fault-injector.js';
import type { VerificationNews, VerificationWork } from './worker.js';

export interface ProcessesOptions {
  readonly work: VerificationWork;
  readonly config: Config;
  readonly topology: string;
  readonly processes: number;
  /** None for the run that nobody disturbs. */
  readonly kills: number;
  readonly killEveryMs: number;
  /** Arguments of `millrace` for a process that does this work. */
  argumentsOf(work: VerificationWork): readonly string[];
  /** Calls `stop` where the user wants no more; returns what stops listening. */
  onStop(stop: () => void): () => void;
  onKill(text: string): void;
  onWarning(message: string): void;
}

export interface ProcessesDone {
  readonly seconds: number;
  readonly killedAfter: Readonly<Record<string, number>>;
}

/** Deaths that nobody meant, after which the run ends. */
const DEATHS_MAX = 5;
/** A run of which nothing is heard for so long is stuck. */
const SILENCE_MAX_MS = 5 * 60_000;

/**
 * Runs one part of a verification in its own processes until the end of the input, and kills some of them meanwhile. Killed
 * processes are restarted at once.
 *
 * @throws MillraceError `step` if a process fails by itself, if none reports for five minutes, and if the run is stopped.
 */
export async function runProcesses(options: ProcessesOptions): Promise<ProcessesDone> {
  const { work, config, topology, processes, kills, killEveryMs, argumentsOf, onStop, onKill, onWarning } = options;
  const startedMs = performance.now();
  const memberIds = new Map<number, string>();
  const killed = new Set<number>();
  let deaths = 0;
  let heardMs = performance.now();
  let why: MillraceError | undefined;
  const faultInjector = new FaultInjector({
    kills,
    everyMs: killEveryMs,
    random: Math.random,
    kill(index) {
      const pid = supervisor.pids.get(index);
      if (pid === undefined) return false;
      killed.add(index);
      return process.kill(pid, 'SIGKILL');
    },
    onKill: (point, count) => onKill(`kill ${count} of ${kills}, after ${point}`),
  });
  const supervisor = new ProcessSupervisor({
    processes,
    start: () =>
      spawn(process.execPath, [...process.execArgv, process.argv[1] as string, ...argumentsOf(work)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        detached: true, // Ctrl-C in a terminal goes to this process, which asks the others to end
      }),
    onNews(index, news) {
      const told = news as VerificationNews;
      heardMs = performance.now();
      if (told.kind === 'joined') memberIds.set(index, told.memberId);
      else faultInjector.hear(index, told.point);
    },
    async onDeath(index) {
      if (!killed.delete(index) && why === undefined) {
        deaths += 1;
        onWarning(`process ${index} died, although verify did not kill it`);
        if (deaths >= DEATHS_MAX) end(dying(work));
      }
      const memberId = memberIds.get(index);
      memberIds.delete(index);
      if (memberId !== undefined) await removeMember(config, topology, memberId);
    },
    onWarning(message) {
      if (!message.includes('is restarted')) onWarning(message); // deaths are reported above
    },
    waitMs: 50,
    livedMs: 0, // however soon it dies, it died of being killed
  });
  const end = (error: MillraceError) => {
    why ??= error;
    supervisor.stop();
  };
  const over = new AbortController();
  const watch = setInterval(() => {
    if (performance.now() - heardMs < SILENCE_MAX_MS) return;
    end(stuck(work));
    for (const pid of supervisor.pids.values()) process.kill(pid, 'SIGKILL'); // who is stuck may not hear
  }, 5_000);
  const forget = onStop(() => end(stoppedByUser()));
  const killing = faultInjector.run(over.signal);
  try {
    await supervisor.finished;
  } finally {
    over.abort();
    clearInterval(watch);
    forget();
    await killing;
  }
  if (why) throw why;
  return { seconds: (performance.now() - startedMs) / 1_000, killedAfter: faultInjector.done };
}

const dying = ({ run }: VerificationWork): MillraceError =>
  new MillraceError('step', `processes of the ${run} run die by themselves`, { hint: 'have they enough memory?' });

const stuck = ({ run }: VerificationWork): MillraceError =>
  new MillraceError('step', `the ${run} run got nowhere for five minutes`, {
    hint: 'does `millrace run FILE --until-end` come to its end?',
  });

const stoppedByUser = (): MillraceError =>
  new MillraceError('step', 'stopped before it reported anything', {
    hint: 'the outputs of the verification are removed',
  });

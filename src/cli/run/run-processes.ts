import { spawn } from 'node:child_process';
import { MillraceError } from '../../core/errors.js';
import { removeMember } from '../../profiles/profiles.js';
import type { Config } from '../../profiles/settings.js';
import { RunCounts } from '../../server/run-counts.js';
import type { Topology } from '../../topology/index.js';
import { getOrInsert } from '../../util/maps.js';
import { ProcessSupervisor } from '../../util/process-supervisor.js';
import type { RunReport } from './run-report.js';
import { type RunSummary, summarize } from './run-summary.js';
import { latencyOf, type ProgressNews, type WorkerNews } from './worker-news.js';

export interface RunProcessesOptions {
  readonly topology: Topology;
  readonly config: Config;
  readonly processes: number;
  /** Sub-topologies to run one after another, each in all processes to its end; none where processes run all that they run at once. */
  readonly subtopologies: readonly string[];
  /** Arguments of `millrace` that make a process one of several, given its index and its sub-topology. */
  argumentsOf(index: number, subtopology: string | undefined): readonly string[];
  readonly report: RunReport;
}

/**
 * Runs a topology in several processes on this machine: starts them, starts dead ones anew, tells the group of their
 * death so that the others take over at once, and sums up what they tell.
 *
 * @throws MillraceError `config` on a profile whose tasks cannot be shared; `step` where a process failed.
 */
export async function runProcesses(options: RunProcessesOptions): Promise<RunSummary> {
  const { topology, config, processes, subtopologies, argumentsOf, report } = options;
  if (config.profile === 'embedded') {
    throw new MillraceError('config', 'the embedded profile runs in one process', {
      where: '--processes',
      hint: 'use --profile cluster, or omit --processes',
    });
  }
  report.onStart();
  const startedMs = performance.now();
  const counts = new RunCounts();
  /** By sub-topology and index. */
  const progress = new Map<string, ProgressNews>();
  const begin = (subtopology: string | undefined): ProcessSupervisor => {
    const memberIds = new Map<number, Map<string, string>>();
    return new ProcessSupervisor({
      processes,
      // A process group of its own: Ctrl-C in a terminal goes to this process, which asks the others to end.
      start: (index) =>
        spawn(process.execPath, [...process.execArgv, process.argv[1] as string, ...argumentsOf(index, subtopology)], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
          detached: true,
        }),
      onNews(index, news) {
        const told = news as WorkerNews;
        if (told.kind === 'joined')
          getOrInsert(memberIds, index, () => new Map<string, string>()).set(told.subtopology, told.memberId);
        else {
          counts.note(told.tasks);
          progress.set(`${subtopology}/${index}`, told);
        }
      },
      async onDeath(index) {
        const members = [...(memberIds.get(index) ?? [])];
        memberIds.delete(index);
        await Promise.all(members.map(([group, memberId]) => removeMember(config, group, memberId)));
      },
      onWarning: (message) => report.onWarning(message),
    });
  };
  const summary = () => {
    const seconds = (performance.now() - startedMs) / 1_000;
    return summarize(topology, config.profile, seconds, counts.all(), latencyOf(progress.values()));
  };
  let running: ProcessSupervisor | undefined;
  let stopping = false;
  const forget = report.onStop(() => {
    stopping = true;
    running?.stop();
  });
  let readBefore: number | undefined;
  const timer = setInterval(() => {
    const current = summary();
    const read = Object.values(current.thisRun.read).reduce((sum, value) => sum + value, 0);
    const perSecond = readBefore === undefined ? 0 : ((read - readBefore) * 1_000) / report.progressEveryMs;
    report.onProgress(current, Math.max(0, perSecond));
    readBefore = read;
  }, report.progressEveryMs);
  try {
    for (const subtopology of subtopologies.length > 0 ? subtopologies : [undefined]) {
      if (stopping) break;
      running = begin(subtopology);
      await running.finished;
    }
    return summary();
  } finally {
    clearInterval(timer);
    forget();
  }
}

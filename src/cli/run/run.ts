import { messageOf } from '../../core/errors.js';
import type { Config } from '../../profiles/settings.js';
import type { RunOptions } from '../../runtime/index.js';
import { RunCounts } from '../../server/run-counts.js';
import type { Topology } from '../../topology/index.js';
import type { RunReport } from './run-report.js';
import { type RunSummary, summarize } from './run-summary.js';

/** Which sub-topologies run, whether they end with the logs, and whether that is the end of time too. */
export type RunExtent = Pick<RunOptions, 'subtopology' | 'bounded' | 'final' | 'acceptPlan'>;

/** Runs a topology in this process and stays with it until it ends: signals, news of its progress now and then. */
export async function run(
  topology: Topology,
  config: Config,
  extent: RunExtent,
  report: RunReport,
): Promise<RunSummary> {
  const { launch } = await import('../../run/launch.js');
  const { onWarning, onAction, onJoined, onRequest, progressEveryMs } = report;
  report.onStart();
  const app = await launch(topology, config, {
    ...{ ...extent, onWarning, onAction, onJoined, onRequest },
    onPoint: (point, task, subtopology, epoch) => {
      if (point === 'committed') report.onEpoch({ subtopology, task, epoch });
    },
  });
  const startedMs = performance.now();
  if (app.url !== undefined) report.onServing(app.url);
  const ending = new AbortController();
  const forget = report.onStop(() => {
    ending.abort();
    app.stop().catch(() => undefined); // `finished` rejects with the same cause, below
  });
  const printing = printed(topology, config, report, ending.signal);
  const counts = new RunCounts();
  const summary = (snapshot = app.snapshot()): RunSummary => {
    counts.note(snapshot.tasks);
    const seconds = (performance.now() - startedMs) / 1_000;
    return summarize(topology, config.profile, seconds, counts.all(), snapshot.latency);
  };
  let readBefore = readIn(summary());
  const progress = setInterval(() => {
    const snapshot = app.snapshot();
    const current = summary(snapshot);
    const read = readIn(current);
    report.onProgress(current, Math.max(0, read - readBefore) * (1_000 / progressEveryMs));
    report.onSnapshot?.(snapshot);
    readBefore = read;
  }, progressEveryMs);
  try {
    await app.finished;
    const snapshot = app.snapshot();
    report.onSnapshot?.(snapshot);
    if (snapshot.isPaused)
      onWarning('the run was paused; once all of its processes have ended, the next start reads on');
    return summary(snapshot);
  } finally {
    ending.abort();
    clearInterval(progress);
    forget();
    await printing;
  }
}

const readIn = ({ thisRun: { read } }: RunSummary): number =>
  Object.values(read).reduce((sum, value) => sum + value, 0);

async function printed(
  topology: Topology,
  config: Config,
  { onOutput, onWarning }: RunReport,
  ending: AbortSignal,
): Promise<void> {
  if (!onOutput) return;
  const { printOutputs } = await import('./print-outputs.js');
  await printOutputs(topology, config, onOutput, ending).catch((error: unknown) => {
    // The store of a run that has ended is closed under the reader.
    if (!ending.aborted) onWarning(`outputs are not printed: ${messageOf(error)}`);
  });
}

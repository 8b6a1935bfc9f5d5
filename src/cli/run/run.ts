import { seconds } from '../../core/duration.js';
import type { Config } from '../../profiles/settings.js';
import type { Running, RunOptions } from '../../runtime/index.js';
import type { Topology } from '../../topology/index.js';
import { RunCounts } from './run-counts.js';
import type { RunReport } from './run-report.js';
import { type RunSummary, summarize } from './run-summary.js';

/** Which subtopologies run, whether they end with the logs, and whether that is the end of time too. */
export type RunExtent = Pick<RunOptions, 'subtopology' | 'bounded' | 'final'>;

/**
 * Runs a topology in this process: opens what it needs, stays with it until it ends, and closes everything again, come
 * what may.
 */
export async function run(
  topology: Topology,
  config: Config,
  extent: RunExtent,
  report: RunReport,
): Promise<RunSummary> {
  const [{ openProfile }, { createInference }, { runTopology }] = await Promise.all([
    import('../../profiles/profiles.js'),
    import('../../inference/index.js'),
    import('../../runtime/index.js'),
  ]);
  const profile = await openProfile(config, { onWarning: report.onWarning });
  try {
    const inference = createInference();
    try {
      const { onWarning, onJoined } = report;
      const stallMax = seconds(config.stallSeconds);
      const address = config.port === 0 ? undefined : `http://${config.host}:${config.port}`;
      const running = await runTopology(topology, {
        profile,
        inference,
        ...extent,
        stallMax,
        address,
        onWarning,
        onJoined,
      });
      return await attend(running, topology, config, report);
    } finally {
      await inference.close();
    }
  } finally {
    await profile.close();
  }
}

/** Stays with a run until it ends: signals, monitoring, news of its progress now and then. */
async function attend(running: Running, topology: Topology, config: Config, report: RunReport): Promise<RunSummary> {
  const startedMs = performance.now();
  let ready = true;
  const forget = report.onStop(() => {
    ready = false;
    running.stop().catch(() => {}); // `finished` rejects with the same cause, below
  });
  const { progressEveryMs } = report;
  const counts = new RunCounts();
  const summary = (snapshot = running.snapshot()): RunSummary => {
    counts.note(snapshot.tasks);
    const seconds = (performance.now() - startedMs) / 1_000;
    return summarize(topology, config.profile, seconds, counts.all(), snapshot.latency);
  };
  let readBefore = readIn(summary());
  const progress = setInterval(() => {
    const snapshot = running.snapshot();
    const current = summary(snapshot);
    const read = readIn(current);
    report.onProgress(current, snapshot, Math.max(0, read - readBefore) * (1_000 / progressEveryMs));
    readBefore = read;
  }, progressEveryMs);
  const monitoring = await serve();
  try {
    await running.finished;
    const snapshot = running.snapshot();
    report.onEnd(snapshot);
    return summary(snapshot);
  } finally {
    ready = false;
    clearInterval(progress);
    forget();
    await monitoring?.close();
  }

  async function serve() {
    if (config.port === 0) return undefined;
    try {
      const { serveMonitoring } = await import('../../server/http.js');
      const { host, port } = config;
      const isReady = () => ready;
      const served = await serveMonitoring({
        host,
        port,
        topology: topology.name,
        running,
        isReady,
      });
      report.onServing(served.url);
      return served;
    } catch (error) {
      clearInterval(progress);
      forget();
      await running.stop();
      throw error;
    }
  }
}

const readIn = ({ thisRun: { read } }: RunSummary): number =>
  Object.values(read).reduce((sum, value) => sum + value, 0);

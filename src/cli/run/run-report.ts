import type { ProfileConfig } from '../../profiles/settings.js';
import type { RunSnapshot, TaskAtEpoch } from '../../runtime/index.js';
import type { AnsweredRequest } from '../../server/request-ids.js';
import type { Topology } from '../../topology/index.js';
import { deliveryOn, describe } from '../../topology/index.js';
import { onInterrupt } from '../../util/interrupt.js';
import { reportError, type Terminal } from '../../util/terminal.js';
import { progressText, type RunSummary, summaryText } from './run-summary.js';
import type { ProgressNews, WorkerNews } from './worker-news.js';

/** An epoch that is committed. */
export interface CommittedEpoch extends TaskAtEpoch {
  readonly subtopology: string;
}

/** Who is told of a run in this process while it goes on, and who may end it. */
export interface RunReport {
  readonly progressEveryMs: number;
  onStart(): void;
  onServing(url: string): void;
  onJoined(memberId: string, subtopology: string): void;
  onProgress(summary: RunSummary, recordsPerSecond: number): void;
  /** Told with each progress, and at the end. */
  onSnapshot?(snapshot: RunSnapshot): void;
  onEpoch(epoch: CommittedEpoch): void;
  onRequest(request: AnsweredRequest): void;
  onWarning(message: string, about?: TaskAtEpoch): void;
  onAction(line: string): void;
  /** Told of the records that reach topics, if anybody wants to know. */
  readonly onOutput?: ((line: string) => void) | undefined;
  onEnd(summary: RunSummary): void;
  /** A share of the run that is larger than its user allows. */
  onExceeded(share: string): void;
  onFailure(error: unknown): void;
  /** Calls `stop` when the run is to drain and end; returns what stops listening. */
  onStop(stop: () => void): () => void;
}

export interface ReportStyle {
  /** The summary as one JSON object on standard output. */
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly print?: boolean;
  /** One process of several: its standard output is that of the one that started it. */
  readonly worker?: boolean;
}

type LogConfig = Required<Pick<ProfileConfig, 'profile' | 'logLevel'>>;

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** Lines for a person at a terminal. */
export function terminalReport(
  terminal: Terminal,
  topology: Topology,
  { profile, logLevel }: LogConfig,
  style: ReportStyle = {},
): RunReport {
  const { json = false, print = false, worker = false } = style;
  const line = (text: string) => terminal.err(`${text}\n`);
  const at = (level: LogConfig['logLevel'], text: string) => {
    if (LEVELS.indexOf(level) >= LEVELS.indexOf(logLevel)) line(text);
  };
  return {
    progressEveryMs: 5_000,
    onStart() {
      if (!json && !worker && !print) terminal.out(describe(topology, deliveryOn(profile)));
    },
    onServing(url) {
      const text = `live page, metrics and health at ${url}\n`;
      if (worker) terminal.err(text);
      else if (!json) terminal.out(text);
    },
    onJoined: () => undefined,
    onProgress: (summary, recordsPerSecond) => at('info', progressText(summary, recordsPerSecond)),
    onEpoch: ({ subtopology, task, epoch }) => at('debug', `epoch ${epoch} of ${subtopology}/${task} is committed`),
    onRequest: ({ requestId, method, route, status, ms }) =>
      at('debug', `request ${requestId}: ${method} ${route} ${status} in ${ms} ms`),
    onWarning: (message) => at('warn', `warning: ${message}`),
    onAction: (action) => line(`audit: ${new Date().toISOString()} ${action}`),
    onOutput: print ? (text) => terminal.out(`${text}\n`) : undefined,
    onEnd: (summary) => terminal.out(json ? `${JSON.stringify(summary)}\n` : `${summaryText(summary)}\n`),
    onExceeded: (share) => line(`--fail-on: ${share}`),
    onFailure: (error) => reportError(terminal, error, style),
    onStop: (stop) => onInterrupt(terminal, stop),
  };
}

/** The process that started this one, over the channel between them; the run ends when that process does. */
export const supervisedReport = (own: RunReport): RunReport => {
  const tell = (news: WorkerNews) => {
    if (process.connected) process.send?.(news);
  };
  return {
    ...own,
    progressEveryMs: 1_000,
    onProgress: () => undefined,
    onSnapshot: (snapshot) => tell(progressNews(snapshot)),
    onJoined(memberId, subtopology) {
      own.onJoined(memberId, subtopology);
      tell({ kind: 'joined', memberId, subtopology });
    },
    onStop(stop) {
      process.once('SIGTERM', stop);
      process.once('disconnect', stop);
      if (!process.connected) stop();
      return () => {
        process.off('SIGTERM', stop);
        process.off('disconnect', stop);
        if (process.connected) process.disconnect(); // an open channel keeps the process alive
      };
    },
  };
};

const progressNews = ({ tasks, latency }: RunSnapshot): ProgressNews => ({
  kind: 'progress',
  tasks,
  latency: { counts: [...latency.counts], total: latency.total, sumMs: latency.sumMs },
});

import type { RunSnapshot } from '../../runtime/index.js';
import { onInterrupt } from '../../util/interrupt.js';
import type { Terminal } from '../../util/terminal.js';
import { progressText, type RunSummary } from './run-summary.js';
import type { ProgressNews, WorkerNews } from './worker-news.js';

/** Who is told of a run in this process while it goes on, and who may end it. */
export interface RunReport {
  readonly progressEveryMs: number;
  onProgress(summary: RunSummary, snapshot: RunSnapshot, recordsPerSecond: number): void;
  onEnd(snapshot: RunSnapshot): void;
  onWarning(message: string): void;
  onAction(line: string): void;
  onServing(url: string): void;
  /** Told of the records that reach topics, if anybody wants to know. */
  readonly onOutput?: ((line: string) => void) | undefined;
  onJoined(memberId: string, subtopology: string): void;
  /** Calls `stop` when the run is to drain and end; returns what stops listening. */
  onStop(stop: () => void): () => void;
}

/** A person at a terminal. */
export const terminalReport = (
  terminal: Terminal,
  { json = false, print = false }: { readonly json?: boolean; readonly print?: boolean } = {},
): RunReport => ({
  progressEveryMs: 5_000,
  onProgress: (summary, _snapshot, recordsPerSecond) => terminal.err(`${progressText(summary, recordsPerSecond)}\n`),
  onEnd: () => undefined,
  onWarning: (message) => terminal.err(`warning: ${message}\n`),
  onAction: (line) => terminal.err(`audit: ${new Date().toISOString()} ${line}\n`),
  onServing(url) {
    if (!json) terminal.out(`live page, metrics and health at ${url}\n`);
  },
  onOutput: print ? (line) => terminal.out(`${line}\n`) : undefined,
  onJoined: () => undefined,
  onStop: (stop) => onInterrupt(terminal, stop),
});

/** The process that started this one, over the channel between them; the run ends when that process does. */
export const supervisedReport = (terminal: Terminal): RunReport => {
  const tell = (news: WorkerNews) => {
    if (process.connected) process.send?.(news);
  };
  return {
    ...terminalReport(terminal),
    progressEveryMs: 1_000,
    onProgress: (_summary, snapshot) => tell(progressNews(snapshot)),
    onEnd: (snapshot) => tell(progressNews(snapshot)),
    onServing: (url) => terminal.err(`live page, metrics and health at ${url}\n`),
    onJoined: (memberId, subtopology) => tell({ kind: 'joined', memberId, subtopology }),
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

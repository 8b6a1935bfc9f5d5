import { hostname } from 'node:os';
import { pino } from 'pino';
import type { Config } from '../../profiles/settings.js';
import { type Topology, topologyHash } from '../../topology/index.js';
import { onInterrupt } from '../../util/interrupt.js';
import { errorFacts, reportError, stacksOf, type Terminal } from '../../util/terminal.js';
import { ownPackage } from '../load/own-package.js';
import type { ReportStyle, RunReport } from './run-report.js';
import { progressText } from './run-summary.js';

/** A run as lines of JSON on standard error, for programs that collect logs; the guide lists their fields. */
export function jsonReport(
  terminal: Terminal,
  topology: Topology,
  { profile, logLevel }: Pick<Config, 'profile' | 'logLevel'>,
  { json, verbose, print }: ReportStyle = {},
): RunReport {
  const log = pino(
    {
      level: logLevel,
      base: { pid: process.pid, hostname: hostname(), topology: topology.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => terminal.err(line) },
  );
  // Who did what to a run is logged, whatever else is.
  const audit = log.child({ event: 'audit' }, { level: 'info' });
  return {
    progressEveryMs: 5_000,
    onStart() {
      const { version } = ownPackage();
      log.info({ event: 'starting', version, hash: topologyHash(topology), profile }, `${topology.name} starts`);
    },
    onServing: (url) => log.info({ event: 'serving', url }, `live page, metrics and health at ${url}`),
    onJoined: (memberId, subtopology) =>
      log.info({ event: 'joined', memberId, subtopology }, `joins the group of ${subtopology}`),
    onProgress(summary, recordsPerSecond) {
      const { read, written, deadLetters, latencyMs } = summary;
      const figures = { read, written, deadLetters, recordsPerSecond: Math.round(recordsPerSecond), latencyMs };
      log.info({ event: 'progress', ...figures }, progressText(summary, recordsPerSecond));
    },
    onEpoch: (epoch) => log.debug({ event: 'epoch', ...epoch }, `epoch ${epoch.epoch} is committed`),
    onRequest: (request) => log.debug({ event: 'request', ...request }, `${request.method} ${request.route}`),
    onWarning: (message, about) => log.warn({ event: 'warning', ...about }, message),
    onAction: (line) => audit.info(line),
    onOutput: print ? (line) => log.info({ event: 'output' }, line) : undefined,
    onEnd(summary) {
      if (json) terminal.out(`${JSON.stringify(summary)}\n`);
      const { read, written, deadLetters, seconds, thisRun, latencyMs } = summary;
      log.info({ event: 'ended', read, written, deadLetters, seconds, thisRun, latencyMs }, 'the run has ended');
    },
    onExceeded: (share) => log.error({ event: 'exceeded' }, share),
    onFailure(error) {
      if (json) reportError(terminal, error, { json });
      const { message, ...facts } = errorFacts(error);
      const stack = verbose ? stacksOf(error).join('\n').trim() : undefined;
      log.error({ event: 'failed', ...facts, stack }, message);
    },
    onStop: (stop) => onInterrupt({ err: (text) => log.info({ event: 'stopping' }, text.trim()) }, stop),
  };
}

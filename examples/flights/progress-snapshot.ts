import type { RunSnapshot } from '../../src/runtime/index.js';
import { counters, deadPrefix, sides } from './names.js';
import type { HourScores, ProgressSnapshot } from './progress.js';

/** Progress as the line shows it, from a run's snapshot and the progress shown before. */
export function snapshotOf(
  { counters: counted, measures, latency, tasks }: RunSnapshot,
  before: ProgressSnapshot | undefined,
  elapsedSeconds: number,
  recordsTotal: number,
): ProgressSnapshot {
  let records = 0;
  let deadLetters = 0;
  for (const { step, name, value } of counted) {
    if (name === 'read' && (sides as readonly string[]).includes(step)) records += value;
    if (name.startsWith(deadPrefix)) deadLetters += value;
  }
  const passed = elapsedSeconds - (before?.elapsedSeconds ?? elapsedSeconds);
  return {
    elapsedSeconds,
    records,
    recordsTotal,
    recordsPerSecond: before && passed > 0 ? (records - before.records) / passed : 0,
    latencyMs: latency.total > 0 ? { p50: latency.quantileMs(0.5), p99: latency.quantileMs(0.99) } : undefined,
    streamTimeMs: tasks.length > 0 ? Math.max(0, Math.min(...tasks.map(({ watermarkMs }) => watermarkMs))) : undefined,
    lastHour: lastHourOf(measures),
    deadLetters,
  };
}

/** The scores of the newest hour that every task has measured: over tasks, weighted by their labels. */
function lastHourOf(measures: RunSnapshot['measures']): HourScores | undefined {
  const model = measures.filter(({ step }) => step === counters.learned[0][0]);
  const labelled = new Map(model.filter(({ name }) => name === 'labelled').map(({ task, value }) => [task, value]));
  const mean = (measure: string): number | null => {
    let sum = 0;
    let weight = 0;
    for (const { name, task, value } of model) {
      if (name !== measure) continue;
      const labels = labelled.get(task) ?? 0;
      sum += value * labels;
      weight += labels;
    }
    return weight > 0 ? sum / weight : null;
  };
  const logLoss = mean('log_loss');
  const hourRateLogLoss = mean('log_loss:hourRate');
  if (logLoss === null || hourRateLogLoss === null) return undefined;
  return { logLoss, hourRateLogLoss, rocAuc: mean('roc_auc'), hourRateRocAuc: mean('roc_auc:hourRate') };
}

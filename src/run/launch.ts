import { randomUUID } from 'node:crypto';
import { definition as redis } from '../../connectors/redis/definition.js';
import { secretNow } from '../connect/secrets.js';
import { seconds } from '../core/duration.js';
import { MillraceError, messageOf } from '../core/errors.js';
import type { OpenProfile } from '../profiles/profiles.js';
import type { Config } from '../profiles/settings.js';
import type { Running, RunOptions, RunSnapshot, StartingRun } from '../runtime/index.js';
import type { ControlOptions } from '../server/actions/run-control.js';
import type { Health } from '../server/health.js';
import type { Monitoring, MonitoringOptions } from '../server/http.js';
import type { AnsweredRequest } from '../server/request-ids.js';
import type { Topology } from '../topology/index.js';
import { outageBackOff, retry } from '../util/retry.js';
import type { BatchRowsOptions } from './batch-rows.js';
import type { RecordDeskOptions } from './record-desk.js';

/** A topology that runs in this process, with everything that was opened for it. */
export interface App extends Running {
  /**
   * Resolves when every task has ended and committed and everything is closed. Rejects with the cause of a failure. Await it: an unhandled
   * rejection ends the process.
   */
  readonly finished: Promise<void>;
  /** Drains, commits and closes everything, and then resolves. It may be called more than once. */
  stop(): Promise<void>;
  /** The current positions, counters, metrics and outages; after the end the last ones. */
  snapshot(): RunSnapshot;
  /** Current problems in one object: the answer of `/health`. */
  health(): Health;
  /** Metrics in Prometheus' text format: the answer of `/metrics`. */
  metrics(): Promise<string>;
  /** The address of metrics, health and state; only with the setting `port`. */
  readonly url: string | undefined;
}

/** The options of a run that do not come from settings. */
export interface LaunchOptions
  extends Omit<
    RunOptions,
    'profile' | 'inference' | 'stallMax' | 'inFlightBytesMax' | 'address' | 'tracing' | 'onStartWaits'
  > {
  /** Called with a line for each action over HTTP: who did what, and how it ended. `onWarning` by default. */
  onAction?(line: string): void;
  /** Called with each request to the page, metrics, health and state, when it is answered. */
  onRequest?(request: AnsweredRequest): void;
}

/**
 * Opens all that a topology needs with these settings, and starts it. Everything is closed when the run ends, or if the start fails.
 */
export async function launch(topology: Topology, given: Config, options: LaunchOptions): Promise<App> {
  const config: Config = { ...given, token: (await secretNow(given, 'token', 'tokenFile')) ?? '' };
  const [
    { openProfile },
    { createInference },
    { runTopology },
    { healthOf },
    { addressInGroup },
    { startAlerts },
    { alertGroup },
  ] = await Promise.all([
    import('../profiles/profiles.js'),
    import('../inference/index.js'),
    import('../runtime/index.js'),
    import('../server/health.js'),
    import('../server/owner-address.js'),
    import('../server/alerts/start.js'),
    import('../server/alerts/group-values.js'),
  ]);
  const onWarning = (message: string) => options.onWarning?.(message);
  const onAction = (line: string) => (options.onAction ?? onWarning)(line);
  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(opened: T): T => {
    open.push(opened);
    return opened;
  };
  /** What is served before the tasks are there, while the start waits for a sink. */
  const early: Promise<Monitoring | undefined>[] = [];
  try {
    const profile = keep(await onceUp(() => openProfile(config, { onWarning }), onWarning));
    const answers = config.inferenceCacheSeconds > 0 ? await sharedAnswers(profile, config, onWarning) : undefined;
    const inference = keep(createInference({ ...inferenceOptions(config), ...(answers && { answers }), onWarning }));
    const batches = {
      ...{ topology: topology.name, run: randomUUID(), price: config.inferencePrice },
      ...{ models: () => inference.models?.() ?? [], onWarning },
    };
    for (const written of await batchWriters(profile, config, batches)) keep(written);
    const address = addressInGroup(config, topology.name, config.token || undefined);
    const stallMax = seconds(config.stallSeconds);
    const { inFlightBytesMax } = config;
    const store = config.alertTable === '' ? undefined : await alertStore(profile, config.alertTable);
    const tracing = config.traceEndpoint === '' ? undefined : keep(await tracesOf(topology, config, onWarning));
    let ready = true;
    const drain = (run: StartingRun) => {
      ready = false;
      run.stop().catch(() => undefined); // `finished` rejects with the same cause
    };
    const watch = async (running: StartingRun) => {
      const webhook = config.alertWebhook || undefined;
      const group =
        address === undefined
          ? undefined // others cannot ask this process, and look without it
          : alertGroup(
              { topology: topology.name, token: config.token || undefined, elsewhere: running.elsewhere },
              () => running.snapshot().health,
            );
      const alerts = keep(startAlerts(topology, running.snapshot, { webhook, store, group, onWarning }));
      const control = { running, drain: () => drain(running), onAction };
      const actions = config.port === 0 ? undefined : await actionsOf(topology, config, profile, control);
      if (actions?.deadLetters) keep(actions.deadLetters);
      const records = config.port === 0 ? undefined : await recordsOf(topology, config, { profile, running, onAction });
      const monitoring = await serve(topology, config, {
        ...{ running, actions, records, alerts, isReady: () => ready },
        onRequest: (request) => options.onRequest?.(request),
      });
      return monitoring && keep(monitoring);
    };
    const running = await runTopology(topology, {
      ...options,
      profile,
      inference,
      stallMax,
      inFlightBytesMax,
      address,
      // Nobody could resume it otherwise.
      followsPause: config.port !== 0 && config.allowActions === 'on',
      tracing,
      onStartWaits(run) {
        if (early.length > 0) return;
        const served = watch(run);
        early.push(served);
        served.then(
          (monitoring) => monitoring && onWarning(`${monitoring.url} shows what the start waits for`),
          () => undefined, // thrown below
        );
      },
    });
    keep({ close: () => running.stop() });
    const monitoring = await (early[0] ?? watch(running));

    let last: RunSnapshot | undefined;
    const snapshot = () => last ?? running.snapshot();
    const settle = async () => {
      try {
        await running.finished;
      } finally {
        ready = false;
        last = running.snapshot();
        await closeAll(open, onWarning);
      }
    };
    const finished = settle();
    return {
      finished,
      stop: () => {
        drain(running);
        return finished;
      },
      pause: running.pause,
      resume: running.resume,
      snapshot,
      query: running.query,
      elsewhere: running.elsewhere,
      health: () => healthOf(snapshot(), ready, Date.now()),
      metrics: async () => (await import('../server/prometheus.js')).prometheus(topology.name, snapshot).metrics(),
      url: monitoring?.url,
    };
  } catch (error) {
    await Promise.allSettled(early); // what it has opened is closed then
    await closeAll(open, onWarning);
    throw error;
  }
}

/** How this process scores models. */
const inferenceOptions = ({ inferenceWorkers, inferenceIsolation, inferenceMemoryMax }: Config) => ({
  workers: inferenceWorkers,
  isolation: inferenceIsolation,
  ...(inferenceMemoryMax > 0 && { memoryMax: inferenceMemoryMax }),
});

/** The `where` of errors when no broker answers. */
const KAFKA_BROKERS = 'kafka.brokers';

/** Waits for Kafka, as a run does, so a process can start during an outage. */
export async function onceUp<T>(open: () => Promise<T>, onWarning: (message: string) => void): Promise<T> {
  let isTold = false;
  const retriable = (error: unknown): boolean => {
    const isDown = error instanceof MillraceError && error.where === KAFKA_BROKERS && !error.permanent;
    if (isDown && !isTold) onWarning(`the start waits for Kafka: ${messageOf(error)} (${error.hint})`);
    isTold ||= isDown;
    return isDown;
  };
  return retry(open, { ...outageBackOff, retriable });
}

const tracesOf = async (
  { name: service }: Topology,
  { traceEndpoint: endpoint, traceHeaders: headers, traceShare: share }: Config,
  onWarning: (message: string) => void,
) => (await import('./otlp-exporter.js')).otlpExporter({ endpoint, headers, share, service, onWarning });

const alertStore = async (profile: OpenProfile, table: string) =>
  (await import('./alert-table.js')).alertTable(profile, table);

async function batchWriters(
  profile: OpenProfile,
  { inferenceTable: table, inferenceHashes: prefix }: Config,
  options: BatchRowsOptions,
): Promise<{ close(): Promise<void> }[]> {
  const writers: { close(): Promise<void> }[] = [];
  if (table !== '') writers.push((await import('./inference-table.js')).inferenceTable(profile, table, options));
  if (prefix !== '')
    writers.push(
      (await import('./inference-hashes.js')).inferenceHashes(() => profile.connect(redis), prefix, options),
    );
  return writers;
}

const sharedAnswers = async (
  profile: OpenProfile,
  { inferenceCacheSeconds: seconds }: Config,
  onWarning: (message: string) => void,
) => (await import('./redis-answers.js')).redisAnswers({ connect: () => profile.connect(redis), seconds, onWarning });

/** What the page may do with this profile. */
async function actionsOf(
  topology: Topology,
  { allowActions, showValues, deadLetterKey, token, data }: Config,
  profile: OpenProfile,
  { running, drain, onAction }: Pick<ControlOptions, 'running' | 'drain' | 'onAction'>,
) {
  const isAllowed = allowActions === 'on';
  const { runControl } = await import('../server/actions/run-control.js');
  const control = runControl({
    ...{ topology: topology.name, token: token || undefined, running, drain, onAction },
    save: async (name, isUnchanged) =>
      (await import('../checkpoints/savepoints.js')).createSavepoint(profile, topology, {
        ...{ name, data, nowMs: Date.now(), isUnchanged },
      }),
  });
  if (typeof topology.deadLetters.settings.topic !== 'string') return { isAllowed, control };
  const { openDeadLetterDesk } = await import('./dead-letter-desk.js');
  const showsValues = showValues === 'on';
  const options = { topology, profile, deadLetterKey, showsValues, onAction };
  return { isAllowed, control, deadLetters: openDeadLetterDesk(options) };
}

const recordsOf = async (
  topology: Topology,
  { deadLetterKey, showValues }: Config,
  parts: Pick<RecordDeskOptions, 'profile' | 'running' | 'onAction'>,
) => {
  const { openRecordDesk } = await import('./record-desk.js');
  return openRecordDesk({ ...parts, topology, deadLetterKey, showsValues: showValues === 'on' });
};

async function serve(
  topology: Topology,
  config: Config,
  parts: Pick<MonitoringOptions, 'running' | 'alerts' | 'actions' | 'records' | 'isReady' | 'onRequest'>,
) {
  const { host, port, token, profile } = config;
  if (port === 0) return undefined;
  const { serveMonitoring } = await import('../server/http.js');
  return serveMonitoring({ ...parts, host, port, token: token || undefined, topology, profile });
}

/** Closes in the opposite order. A failed close prevents no other, and does not hide the cause of a failure. */
async function closeAll(open: { close(): Promise<void> }[], onWarning: (message: string) => void): Promise<void> {
  for (const one of open.splice(0).reverse()) await one.close().catch((error: unknown) => onWarning(messageOf(error)));
}

import { seconds } from '../core/duration.js';
import { MillraceError, messageOf } from '../core/errors.js';
import type { Config } from '../profiles/settings.js';
import type { Running, RunOptions, RunSnapshot } from '../runtime/index.js';
import type { Health } from '../server/health.js';
import type { Topology } from '../topology/index.js';
import { outageBackOff, retry } from '../util/retry.js';

/** A topology that runs in this process, with everything that was opened for it. */
export interface App extends Running {
  /**
   * Resolves when every task has ended and committed and everything is closed; rejects with the cause of a failure. Wait
   * for it: a failure that nobody waits for ends the process, as every unhandled rejection does.
   */
  readonly finished: Promise<void>;
  /** Drains, commits and closes everything; resolves when that is done. More than one call does no harm. */
  stop(): Promise<void>;
  /** What it looks like now: positions, counters, measures, outages. After the end, what it looked like last. */
  snapshot(): RunSnapshot;
  /** What stands in its way, in one object: what `/health` answers with. */
  health(): Health;
  /** Its metrics in Prometheus' text format: what `/metrics` answers with. */
  metrics(): Promise<string>;
  /** Where metrics, health and state are served; only with the setting `port`. */
  readonly url: string | undefined;
}

/** What a run can be told, less what is made from the settings. */
export type LaunchOptions = Omit<RunOptions, 'profile' | 'inference' | 'stallMax' | 'inFlightBytesMax' | 'address'>;

/**
 * Opens what a topology needs by these settings and starts it. Everything is closed again when the run ends, or when
 * starting fails half-way.
 */
export async function launch(topology: Topology, config: Config, options: LaunchOptions): Promise<App> {
  const [{ openProfile }, { createInference }, { runTopology }, { healthOf }, { provenAddress }] = await Promise.all([
    import('../profiles/profiles.js'),
    import('../inference/index.js'),
    import('../runtime/index.js'),
    import('../server/health.js'),
    import('../server/owner-address.js'),
  ]);
  const onWarning = (message: string) => options.onWarning?.(message);
  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(opened: T): T => {
    open.push(opened);
    return opened;
  };
  try {
    const profile = keep(await onceUp(() => openProfile(config, { onWarning }), onWarning));
    const inference = keep(createInference({ onWarning }));
    const token = config.token || undefined;
    const url = `http://${config.host}:${config.port}`;
    const address = config.port === 0 ? undefined : provenAddress(url, topology.name, token);
    const stallMax = seconds(config.stallSeconds);
    const { inFlightBytesMax } = config;
    const running = await runTopology(topology, {
      ...options,
      profile,
      inference,
      stallMax,
      inFlightBytesMax,
      address,
    });
    keep({ close: () => running.stop() });

    let ready = true;
    const monitoring = await serve(topology, config, running, () => ready);
    if (monitoring) keep(monitoring);

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
        ready = false;
        running.stop().catch(() => undefined); // `finished` rejects with the same cause
        return finished;
      },
      snapshot,
      query: running.query,
      health: () => healthOf(snapshot(), ready, Date.now()),
      metrics: async () => (await import('../server/prometheus.js')).prometheus(topology.name, snapshot).metrics(),
      url: monitoring?.url,
    };
  } catch (error) {
    await closeAll(open, onWarning);
    throw error;
  }
}

/** Where errors stand that no broker answers. */
const KAFKA_BROKERS = 'kafka.brokers';

/** Waits for Kafka, as a run does: a process that starts during an outage goes on after it. */
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

async function serve({ name }: Topology, { host, port, token }: Config, running: Running, isReady: () => boolean) {
  if (port === 0) return undefined;
  const { serveMonitoring } = await import('../server/http.js');
  return serveMonitoring({ host, port, token: token || undefined, topology: name, running, isReady });
}

/** Closes in the opposite order. What cannot be closed holds back nothing else, nor the cause of a failure. */
async function closeAll(open: { close(): Promise<void> }[], onWarning: (message: string) => void): Promise<void> {
  for (const one of open.splice(0).reverse()) await one.close().catch((error: unknown) => onWarning(messageOf(error)));
}

import fastify from 'fastify';
import { MillraceError, messageOf } from '../core/errors.js';
import type { ProfileName } from '../core/kind.js';
import type { Running } from '../runtime/index.js';
import type { Topology } from '../topology/index.js';
import { crossSiteRefusal, isLoopback, refusalOf } from '../util/http-access.js';
import { type ActionFigures, type Actions, serveActions } from './actions/action-routes.js';
import type { RunningAlerts } from './alerts/start.js';
import { graphOf } from './graph.js';
import { groupPictures } from './group/group-pictures.js';
import { PROCESSES_MAX } from './group/pass-on.js';
import { healthOf, isRestoring } from './health.js';
import { keepHistory } from './history.js';
import { serveHistory } from './history-route.js';
import { type Picture, pictures } from './live.js';
import { answerPageKindly, securityHeaders, servePage, TICK_MS } from './page-routes.js';
import { prometheus } from './prometheus.js';
import { type RecordDesk, serveRecords } from './record-route.js';
import { type AnsweredRequest, requestIds, tellOfRequests } from './request-ids.js';
import { serveScale } from './scale-route.js';
import { serveState } from './state-route.js';

const PROBES: ReadonlySet<string> = new Set(['/health/live', '/health/ready']);

/** Pages that look at once. */
const PAGES_MAX = 32;
/** Of a key in a path; the router takes 100 by default. */
const KEY_CHARACTERS_MAX = 1_000;

export interface MonitoringOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What requests must bear; needed where `host` can be reached from other machines. */
  readonly token: string | undefined;
  readonly topology: Topology;
  readonly profile: ProfileName;
  readonly running: Pick<Running, 'snapshot' | 'query'> & Partial<Pick<Running, 'elsewhere'>>;
  /** Where the alert rules stand, and what other processes ask for. */
  readonly alerts?: Pick<RunningAlerts, 'states' | 'values'>;
  /** What may be done besides; nothing by default. */
  readonly actions?: Actions | undefined;
  /** Finds single records; missing where none can be looked for. */
  readonly records?: RecordDesk | undefined;
  /** Told of each request when it is answered. */
  readonly onRequest?: (request: AnsweredRequest) => void;
  /** Whether the topology runs: started, not stopping, not failed. */
  isReady(): boolean;
}

export interface Monitoring {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves Prometheus metrics and the health of a run: `/metrics`, `/health` (what stands in its way: a sink that is down
 * makes it 503), `/health/live` (this process answers) and `/health/ready` (the topology runs, and all tasks of this process have their
 * state; 503 otherwise). And the signal for autoscalers (`/scale`), the newest two hours of the figures of the page (`/history`), the state of its steps, under `/state`, the live page at `/`, and what
 * the page may do.
 *
 * Requests bear the token, or come from a client of this machine where there is none. `/health/live` and `/health/ready` need no
 * token: they are for probes, and say nothing else.
 *
 * @throws MillraceError `config` where the address cannot be listened on, or is beyond loopback and there is no token.
 */
export async function serveMonitoring({
  host,
  port,
  token,
  topology,
  profile,
  running,
  alerts = { states: () => [], values: () => ({}) },
  actions,
  records,
  onRequest = () => {},
  isReady,
}: MonitoringOptions): Promise<Monitoring> {
  if (token === undefined && !isLoopback(host)) throw withoutToken(host);
  const server = fastify({
    ...{ forceCloseConnections: true, exposeHeadRoutes: false, genReqId: requestIds() },
    routerOptions: { maxParamLength: KEY_CHARACTERS_MAX },
  });
  tellOfRequests(server, onRequest);
  answerPageKindly(server);
  server.addHook('onRequest', async ({ headers, routeOptions: { url = '' } }, reply) => {
    reply.headers(securityHeaders);
    if (token !== undefined && PROBES.has(url)) return;
    const refusal = crossSiteRefusal(headers) ?? refusalOf(headers, token);
    if (!refusal) return;
    // A browser then asks for it, as the password of any user.
    if (refusal.status === 401) reply.header('www-authenticate', 'Basic realm="millrace"');
    return reply.code(refusal.status).send({ error: refusal.message });
  });
  const make = pictures(topology, running.snapshot, isReady, alerts.states);
  const next = onceATick(() => {
    const picture = make();
    history.add(picture);
    return picture;
  });
  const history = keepHistory(() => void next());
  const registry = prometheus(topology.name, running.snapshot);
  server.get('/metrics', async (_, reply) => {
    history.look();
    return reply.type(registry.contentType).send(await registry.metrics());
  });
  server.get('/health', async (_, reply) => {
    const health = healthOf(running.snapshot(), isReady(), Date.now());
    return reply.code(health.status === 'ok' ? 200 : 503).send(health);
  });
  server.get('/health/live', async () => ({ status: 'live' }));
  server.get('/health/ready', async (_, reply) =>
    isReady() && !isRestoring(running.snapshot())
      ? { status: 'ready' }
      : reply.code(503).send({ status: isReady() ? 'restoring' : 'not ready' }),
  );
  server.get('/alerts/process', async () => alerts.values());
  serveState(server, running.query, { topology: topology.name, token });
  if (actions) serveActions(server, actions);
  if (records) serveRecords(server, records);
  const figures = (): ActionFigures => ({
    isAllowed: actions?.isAllowed ?? false,
    hasDeadLetters: actions?.deadLetters !== undefined,
    hasRecords: records !== undefined,
    replays: actions?.deadLetters?.replays() ?? [],
  });
  const own = () => {
    history.look();
    return next();
  };
  const identity = { topology: topology.name, token, elsewhere: () => running.elsewhere?.() ?? [] };
  const group = groupPictures({ ...identity, own });
  serveScale(server, running.snapshot, identity);
  serveHistory(server, history, identity);
  const endPages = servePage(server, {
    graph: graphOf(topology, profile),
    group: {
      next: () => ({ ...group.next(), actions: figures() }),
      viewersMax: PAGES_MAX,
      onQuiet: group.rest,
    },
    process: { next: own, viewersMax: PROCESSES_MAX },
  });
  try {
    const url = await server.listen({ host, port });
    const close = async () => {
      group.rest();
      history.close();
      await endPages();
      await server.close();
    };
    return { url, close };
  } catch (cause) {
    throw new MillraceError('config', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      where: '--port',
      hint: 'choose a free port and an address of this machine',
      cause,
    });
  }
}

/** The same picture for two who ask at nearly the same time: rates and latencies are those since the last one. */
function onceATick(next: () => Picture): () => Picture {
  let last = next;
  let atMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (performance.now() - atMs > TICK_MS / 2) {
      const picture = next();
      last = () => picture;
      atMs = performance.now();
    }
    return last();
  };
}

const withoutToken = (host: string): MillraceError =>
  new MillraceError('config', `anyone who can reach ${host} could read metrics and state`, {
    where: '--host',
    hint: 'set MILLRACE_TOKEN, which requests must bear then, or listen on 127.0.0.1',
  });

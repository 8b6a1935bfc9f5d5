import fastify from 'fastify';
import { MillraceError, messageOf } from '../core/errors.js';
import type { Running } from '../runtime/index.js';
import { healthOf } from './health.js';
import { prometheus } from './prometheus.js';
import { serveState } from './state-route.js';

export interface MonitoringOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly topology: string;
  readonly running: Pick<Running, 'snapshot' | 'query'>;
  /** Whether the topology runs: started, not stopping, not failed. */
  isReady(): boolean;
}

export interface Monitoring {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves Prometheus metrics and the health of a run: `/metrics`, `/health` (what stands in its way: a sink that is down
 * makes it 503), `/health/live` (this process answers) and `/health/ready` (the topology runs; 503 otherwise). And the
 * state of its steps, under `/state`.
 *
 * Without authentication: keep it on loopback, or behind something that has one.
 *
 * @throws MillraceError `config` where the address cannot be listened on.
 */
export async function serveMonitoring({
  host,
  port,
  topology,
  running,
  isReady,
}: MonitoringOptions): Promise<Monitoring> {
  const server = fastify();
  const registry = prometheus(topology, running.snapshot);
  server.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  server.get('/health', async (_, reply) => {
    const health = healthOf(running.snapshot(), isReady(), Date.now());
    return reply.code(health.status === 'ok' ? 200 : 503).send(health);
  });
  server.get('/health/live', async () => ({ status: 'live' }));
  server.get('/health/ready', async (_, reply) =>
    isReady() ? { status: 'ready' } : reply.code(503).send({ status: 'not ready' }),
  );
  serveState(server, running.query);
  try {
    const url = await server.listen({ host, port });
    return { url, close: () => server.close() };
  } catch (cause) {
    throw new MillraceError('config', `cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      where: '--port',
      hint: 'choose a free port and an address of this machine',
      cause,
    });
  }
}

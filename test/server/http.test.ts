import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/core/errors.js';
import type { Running, RunSnapshot } from '../../src/runtime/index.js';
import { type MonitoringOptions, serveMonitoring } from '../../src/server/http.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from './orders.js';

const query: Running['query'] = async (step, key, partition = 3) => {
  if (step !== 'count') throw new MillraceError('config', 'no such step', { where: step, hint: 'these can: count' });
  if (key === 'moving') return { kind: 'retry', why: 'the task is stopping' };
  return { kind: 'answer', value: key === 'a' ? { n: 1 } : undefined, partition, epoch: 9 };
};
const serve = (
  snapshot: () => RunSnapshot,
  isReady = () => true,
  port = 0,
  onRequest?: MonitoringOptions['onRequest'],
) =>
  serveMonitoring({
    host: '127.0.0.1',
    port,
    token: undefined,
    topology: orders,
    profile: 'embedded',
    running: { snapshot, query },
    isReady,
    ...(onRequest && { onRequest }),
  });

/** Lines of the exposition format by their name and labels. */
const samples = (text: string) =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

describe('monitoring over HTTP', () => {
  it('serves the snapshot as Prometheus metrics', async () => {
    const served = await serve(someSnapshot);
    const response = await fetch(`${served.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const found = samples(text);
    const expected = {
      'millrace_step_events_total{step="orders",event="read",partition="0",topology="orders"}': 120,
      'millrace_step_events_total{step="dedupe",event="duplicates",partition="0",topology="orders"}': 5,
      'millrace_dead_letters_total{step="validate",reason="range:amount",partition="0",topology="orders"}': 2,
      'millrace_dead_letters_total{step="orders",reason="truncated",partition="0",topology="orders"}': 1,
      'millrace_step_busy_seconds_total{step="dedupe",topology="orders"}': 0.25,
      'millrace_latency_records_total{topology="orders"}': 100,
      'millrace_throttled_seconds_total{topology="orders"}': 2.5,
      'millrace_epoch_phase_seconds_total{phase="drain",partition="0",topology="orders"}': 0.3,
      'millrace_epoch_bytes_total{partition="0",topology="orders"}': 70_000,
      'millrace_state_bytes{step="dedupe",partition="0",topology="orders"}': 40_000,
      'millrace_epoch{partition="0",topology="orders"}': 7,
      'millrace_records_in_flight{partition="0",topology="orders"}': 3,
      'millrace_watermark_seconds{partition="0",topology="orders"}': 1.5,
      'millrace_standby_lag_records{partition="7",topology="orders"}': 12,
      'millrace_standby_ready{partition="7",topology="orders"}': 1,
      'millrace_standby_bytes{partition="7",topology="orders"}': 4_096,
      'millrace_inference_rows_total{model="risk.onnx",provider="cpu",topology="orders"}': 640,
      'millrace_inference_failed_rows_total{model="risk.onnx",provider="cpu",topology="orders"}': 2,
      'millrace_inference_batches_total{model="risk.onnx",provider="cpu",topology="orders"}': 5,
      'millrace_inference_lost_batches_total{model="risk.onnx",provider="cpu",topology="orders"}': 1,
      'millrace_inference_answer_quantile_seconds{model="risk.onnx",provider="cpu",quantile="0.99",topology="orders"}': 0.009,
      'millrace_inference_cache_shared_total{model="risk.onnx",provider="cpu",topology="orders"}': 10,
      'millrace_inference_shed_rows_total{model="risk.onnx",provider="cpu",tier="low",topology="orders"}': 3,
      'millrace_inference_not_finite_rows_total{model="risk.onnx",provider="cpu",topology="orders"}': 7,
      'millrace_inference_checks_total{model="risk.onnx",provider="cpu",topology="orders"}': 9,
      'millrace_inference_wrong_checks_total{model="risk.onnx",provider="cpu",topology="orders"}': 1,
      'millrace_inference_breaker_openings_total{model="risk.onnx",provider="cpu",topology="orders"}': 2,
      'millrace_inference_breaker_open{model="risk.onnx",provider="cpu",topology="orders"}': 1,
      'millrace_inference_late_rows_total{model="risk.onnx",provider="cpu",topology="orders"}': 4,
      'millrace_inference_waiting_rows{model="risk.onnx",provider="cpu",topology="orders"}': 6,
      'millrace_inference_worker_seconds_total{model="risk.onnx",provider="cpu",topology="orders"}': 1.5,
      'millrace_inference_batches_by_size_total{model="risk.onnx",provider="cpu",rows_max="128",topology="orders"}': 5,
      'millrace_inference_batch_wait_seconds_total{model="risk.onnx",provider="cpu",topology="orders"}': 0.02,
      'millrace_task_restarts_total{partition="0",topology="orders"}': 3,
      'millrace_task_stalls_total{partition="0",topology="orders"}': 1,
      'millrace_task_waits_for_input{partition="0",input="labels",topology="orders"}': 1,
      'millrace_position{source="orders",partition="0",topology="orders"}': 120,
      'millrace_step_latency_seconds_bucket{step="history",le="0.001024",topology="orders"}': 0,
      'millrace_step_latency_seconds_bucket{step="history",le="0.004096",topology="orders"}': 90,
      'millrace_step_latency_seconds_bucket{step="history",le="0.065536",topology="orders"}': 100,
      'millrace_step_latency_seconds_bucket{step="history",le="+Inf",topology="orders"}': 100,
      'millrace_step_latency_seconds_count{step="dedupe",topology="orders"}': 120,
      'millrace_step_latency_seconds_sum{step="history",topology="orders"}': 0.68,
      'millrace_measure{step="model",task="0",name="roc_auc",topology="orders"}': 0.75,
    };
    for (const [name, value] of Object.entries(expected)) expect([name, found.get(name)]).toEqual([name, value]);
    expect(found.get('millrace_sink_down_seconds{sink="history",topology="orders"}')).toBeGreaterThan(1);
    expect(found.get('millrace_lag_seconds{source="orders",partition="0",topology="orders"}')).toBeCloseTo(
      Date.now() / 1_000 - 1.2,
      -1,
    );
    expect(found.get('millrace_uncommitted_seconds{partition="0",topology="orders"}')).toBeGreaterThan(1e9);
    expect(found.get('millrace_memory_bytes{topology="orders"}')).toBeGreaterThan(1e7);
    expect(found.get('millrace_latency_quantile_seconds{quantile="0.5",topology="orders"}')).toBeCloseTo(0.002, 3);
    expect(found.get('millrace_latency_quantile_seconds{quantile="0.99",topology="orders"}')).toBeGreaterThan(0.04);
    expect([...found.keys()].some((name) => name.includes('dead:'))).toBe(false);
    for (const name of found.keys()) expect(text).toContain(`# HELP ${name.split('{')[0]} `);
    await served.close();
  });

  it('answers with the state of a step, or says that there is none, or not now', async () => {
    const served = await serve(someSnapshot);
    const get = async (path: string) => {
      const response = await fetch(`${served.url}/state/${path}`);
      return { status: response.status, body: await response.json(), retryAfter: response.headers.get('retry-after') };
    };
    const about = { step: 'count', epoch: 9 };
    expect(await get('count/a')).toMatchObject({
      status: 200,
      body: { ...about, key: 'a', value: { n: 1 }, partition: 3 },
    });
    expect(await get('count/a?partition=1')).toMatchObject({ status: 200, body: { partition: 1 } });
    expect(await get('count/b%2Fc')).toMatchObject({ status: 200, body: { ...about, key: 'b/c', value: null } });
    expect(await get(`count/${'k'.repeat(300)}`)).toMatchObject({ status: 200, body: { ...about, value: null } });
    expect(await get('count/moving')).toMatchObject({
      status: 503,
      body: { retry: 'the task is stopping' },
      retryAfter: '1',
    });
    expect(await get('cuont/a')).toMatchObject({ status: 404, body: { hint: 'these can: count' } });
    await served.close();
  });

  it('takes a fresh snapshot at every scrape, one a scrape, and counts nothing twice', async () => {
    let taken = 0;
    const served = await serve(() => {
      taken += 1;
      const snapshot = someSnapshot();
      const counters = [{ step: 'orders', name: 'read', value: taken * 10, restored: 0 }];
      return { ...snapshot, tasks: snapshot.tasks.map((task) => ({ ...task, counters })) };
    });
    const read = async () =>
      samples(await (await fetch(`${served.url}/metrics`)).text()).get(
        'millrace_step_events_total{step="orders",event="read",partition="0",topology="orders"}',
      );
    expect([await read(), await read(), await read()]).toEqual([10, 20, 30]);
    expect(taken).toBe(3);
    await served.close();
  });

  it('is alive while it answers, and ready while the topology runs', async () => {
    let ready = true;
    const served = await serve(someSnapshot, () => ready);
    const status = async (path: string) => (await fetch(served.url + path)).status;
    expect([await status('/health/live'), await status('/health/ready')]).toEqual([200, 200]);
    ready = false;
    expect([await status('/health/live'), await status('/health/ready')]).toEqual([200, 503]);
    expect(await status('/elsewhere')).toBe(404);
    await served.close();
  });

  it('is not ready while a task of this process has no state yet', async () => {
    let health = someSnapshot().health;
    const served = await serve(() => ({ ...someSnapshot(), health }));
    const ready = async () => {
      const answer = await fetch(`${served.url}/health/ready`);
      return [answer.status, await answer.json()];
    };
    expect(await ready()).toEqual([200, { status: 'ready' }]);
    health = [
      ...health,
      { subtopology: 'orders', partition: 4, restarts: 0, stalls: 0, lastRestarts: [], waitsFor: undefined },
    ];
    expect(await ready()).toEqual([503, { status: 'restoring' }]);
    await served.close();
  });

  it('says which sink is down and since when, and what tasks wait for', async () => {
    let snapshot = someSnapshot();
    let ready = true;
    const served = await serve(
      () => snapshot,
      () => ready,
    );
    const health = async () => {
      const response = await fetch(`${served.url}/health`);
      return [response.status, await response.json()];
    };
    const waiting = [{ subtopology: 'orders', partition: 0, input: 'labels' }];
    expect(await health()).toEqual([
      503,
      {
        isPaused: false,
        status: 'degraded',
        sinksDown: [{ sink: 'history', seconds: expect.any(Number), cause: 'connect ECONNREFUSED 127.0.0.1:8123' }],
        waiting,
        restarts: 3,
        stalls: 1,
        shares: { late: 0, dead: expect.closeTo(0.025), unmatched: 0 },
        warnings: [],
      },
    ]);
    snapshot = { ...snapshot, outages: [] };
    expect(await health()).toMatchObject([200, { status: 'ok', sinksDown: [], waiting }]);
    ready = false;
    expect(await health()).toMatchObject([503, { status: 'stopped' }]);
    await served.close();
  });

  it('says which shares are large since the tasks were opened, and names labels that never matched', async () => {
    const snapshot = someSnapshot();
    const counters = Object.entries({ read: 200, late: 60, learned: 0, unmatched: 10 }).map(([name, value]) => {
      return { step: name === 'read' ? 'orders' : 'model', name, value, restored: name === 'read' ? 100 : 0 };
    });
    const served = await serve(() => ({
      ...snapshot,
      outages: [],
      tasks: snapshot.tasks.map((task) => ({ ...task, counters })),
    }));
    const response = await fetch(`${served.url}/health`);
    expect([response.status, await response.json()]).toMatchObject([
      200,
      {
        status: 'ok',
        shares: { late: 0.6, dead: 0, unmatched: 1 },
        warnings: [
          expect.stringContaining('60.0% of the records came late (limit 5.0%): '),
          expect.stringContaining('100.0% of the labels matched no record (limit 50.0%): '),
          'nothing that came in model.labels ever matched a record: are the keys the same on both sides?',
        ],
      },
    ]);
    await served.close();
  });

  it('gives each request an id, or takes that of a proxy, and tells of the route and the status without keys', async () => {
    const told: unknown[] = [];
    const served = await serve(someSnapshot, undefined, 0, (request) => void told.push(request));
    const idOf = async (path: string, id?: string) => {
      const headers = id === undefined ? {} : { 'x-request-id': id };
      return (await fetch(`${served.url}${path}`, { headers })).headers.get('x-request-id');
    };
    const [first, second] = [await idOf('/health/live'), await idOf('/nothing')];
    expect([first?.split('-')[1], second?.split('-')[1]]).toEqual(['1', '2']);
    expect(await idOf('/state/count/card-17?partition=2', 'proxy-9.1')).toBe('proxy-9.1');
    expect(await idOf('/health/live', `"},${'x'.repeat(99)}`)).toMatch(/^[0-9a-f]{8}-3$/);
    const ofPage = await fetch(`${served.url}/health`, { headers: { 'millrace-page': 'on' } });
    expect([ofPage.status, ofPage.headers.get('millrace-status')]).toEqual([200, '503']);
    const missing = await fetch(`${served.url}/nothing`, { headers: { 'millrace-page': 'on' } });
    expect([missing.status, missing.headers.get('millrace-status')]).toEqual([404, null]);
    await served.close();
    expect(told).toMatchObject([
      { requestId: first, method: 'GET', route: '/health/live', status: 200 },
      { requestId: second, route: '', status: 404 },
      { requestId: 'proxy-9.1', route: '/state/:step/:key', status: 200 },
      { status: 200 },
      { route: '/health', status: 503 },
      { status: 404 },
    ]);
  });

  it('names an address that is taken', async () => {
    const first = await serve(someSnapshot);
    const port = Number(new URL(first.url).port);
    await expect(serve(someSnapshot, undefined, port)).rejects.toMatchObject({
      code: 'config',
      where: '--port',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    await first.close();
  });
});

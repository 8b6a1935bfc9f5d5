import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { json, type Operator, topology } from '../../src/index.js';
import { mapCell, stateful } from '../../src/operator.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { type App, start } from '../../src/run.js';
import { openCodec } from '../../src/schema/index.js';
import { lastingPorts } from '../ports.js';
import { startCollector } from './otlp-collector.js';

interface Payment {
  readonly card: string;
}
const PaymentV1 = json<Payment>();

/** Counts the payments of a card, and says how many when it is asked. */
function counted(): Operator<Payment, Payment & { readonly n: number }> {
  const cells = { counts: mapCell<string, number>() };
  return stateful<Payment, Payment & { readonly n: number }, typeof cells>({
    kind: 'counted',
    cells,
    open: ({ counts }) => ({
      onRecord(_input, payment, emit) {
        if (payment.card === 'broken') throw new Error('a broken card');
        const n = (counts.get(payment.card) ?? 0) + 1;
        counts.set(payment.card, n);
        emit({ ...payment, n });
      },
      query: (card) => counts.get(card),
    }),
  });
}

const flow = topology('payments', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('payments', kafka.source({ topic: 'payments', schema: PaymentV1 }))
    .via('counts', counted())
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});

const expectCount = (app: App, value: number) =>
  expect.poll(() => app.query('counts', 'a'), { timeout: 10_000 }).toMatchObject({ kind: 'answer', value });

describe('start', () => {
  let folder: string;
  let data: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-start-'));
    data = join(folder, 'data');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const produce = (...cards: string[]) => produceValues((codec) => cards.map((card) => codec.encode({ card })));

  async function produceValues(
    values: (codec: Awaited<ReturnType<typeof openCodec<Payment>>>) => readonly Uint8Array[],
  ): Promise<void> {
    const profile = await openProfile(resolveConfig({ flags: { data } }));
    const codec = await openCodec(PaymentV1, profile.schemas);
    const producer = profile.producer();
    await producer.createTopic('payments', 1);
    const records = values(codec).map((value) => ({ key: null, value, timestampMs: 1_700_000_000_000 }));
    await producer.send('payments', records);
    await producer.close();
    await profile.close();
  }

  it('runs a topology, answers about its state, stops, and goes on from there', async () => {
    await produce('a', 'b', 'a');
    const app = await start(flow, { data, env: {} });
    await expectCount(app, 2);
    expect(app.health()).toMatchObject({ status: 'ok', sinksDown: [] });
    expect(await app.metrics()).toMatch(/millrace_/);
    expect(app.url).toBeUndefined();
    await Promise.all([app.stop(), app.stop(), app.finished]);
    expect(app.health()).toMatchObject({ status: 'stopped' });
    expect(app.snapshot().tasks).toHaveLength(1);

    await produce('a'); // the folder is free again
    const next = await start(flow, { data, env: {}, untilEnd: true });
    await next.finished;
    const last = await start(flow, { data, env: {} });
    await expectCount(last, 3);
    await last.stop();
  });

  it('rejects `finished` with the cause, and closes everything', async () => {
    await produce('broken');
    const app = await start(flow, { data, env: {}, untilEnd: true });
    await expect(app.finished).rejects.toMatchObject({ code: 'step', where: 'counts' });
    await expect(app.stop()).rejects.toMatchObject({ code: 'step' });
    await produce('a'); // the folder is free again
  });

  it('closes what it has opened where it cannot start', async () => {
    await expect(start(flow, { data, env: {}, subtopology: 'none' })).rejects.toMatchObject({ code: 'config' });
    for (const setting of ['alertTable', 'inferenceTable'])
      await expect(start(flow, { data, env: {}, [setting]: 'a b' })).rejects.toMatchObject({
        ...{ code: 'config', where: setting },
      });
    await produce('a');
  });

  it('sends the spans of a record to a collector, in the trace of its sender', async () => {
    const [trace, sender] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const profile = await openProfile(resolveConfig({ flags: { data } }));
    const producer = profile.producer();
    await producer.createTopic('payments', 1);
    const record = { key: null, value: Buffer.from('{"card":"a"}'), timestampMs: 1_700_000_000_000 };
    const headers = [['traceparent', Buffer.from(`00-${trace}-${sender}-01`)]] as const;
    await producer.append('payments', 0, [{ ...record, headers }, record]);
    await producer.close();
    await profile.close();

    const { endpoint, spans, close } = await startCollector();
    const traces = { traceEndpoint: endpoint, traceShare: 0 };
    const app = await start(flow, { data, ...traces, untilEnd: true, env: { MILLRACE_TRACE_HEADERS: 'x-key=secret' } });
    await app.finished;
    expect(app.snapshot().spans).toEqual({ sent: 0, dropped: 0 }); // those of the end are on their way
    const own = spans.filter(({ traceId }) => traceId === trace);
    const [root] = own.filter(({ parentSpanId }) => parentSpanId === sender);
    expect(root).toMatchObject({ name: 'process payments', kind: 5 });
    const below = own.filter(({ parentSpanId }) => parentSpanId === root?.spanId);
    expect(below.map(({ name }) => name)).toEqual(['counts', 'out']);
    const epoch = spans.find(({ name }) => name === 'epoch');
    expect(epoch?.links).toEqual([{ traceId: trace, spanId: root?.spanId }]);
    expect(spans).toHaveLength(3 + 5);
    await close();
    await expect(start(flow, { data, traceEndpoint: 'collector', env: {} })).rejects.toMatchObject({ code: 'config' });
  });

  it('serves metrics, health and state where it is given a port', async () => {
    await produce('a');
    const [port = 0] = await lastingPorts(1);
    const app = await start(flow, { data, env: {}, port });
    expect(await (await fetch(`${app.url}/health/ready`)).json()).toEqual({ status: 'ready' });
    await app.stop();
    await expect(fetch(`${app.url}/health/ready`)).rejects.toThrow();
  });

  it('replays dead letters and stops as the page asks, where actions are on, and tells who did it', async () => {
    await produceValues(() => [Buffer.from('no JSON')]);
    const [port = 0] = await lastingPorts(1);
    const lines: string[] = [];
    const onAction = (line: string) => void lines.push(line.replace(/ \(request [\w-]+\)/, ''));
    const app = await start(flow, { data, env: {}, port, allowActions: 'on', onAction });
    const act = (path: string, body: object) =>
      fetch(`${app.url}${path}`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify(body),
      });
    const letters = async () =>
      (await (await fetch(`${app.url}/dead-letters?again=true`)).text()).split('"place"').length - 1;
    await expect.poll(letters, { timeout: 10_000 }).toBe(1);
    expect((await act('/replays', {})).status).toBe(200);
    await expect.poll(async () => (await act('/replays/send', { id: 'replay-1' })).status).toBe(200);
    await expect.poll(letters, { timeout: 10_000 }).toBe(2);
    expect(await (await act('/stop', {})).json()).toEqual({ atRest: {}, missing: [] });
    await app.finished;
    expect(lines).toEqual([
      '127.0.0.1 replays all dead letters of dead: replay-1, 1 record',
      'replay-1 sent: 1 record sent',
      '127.0.0.1 stops this process',
    ]);
    const careful = await start(flow, { data, env: {}, port });
    expect((await act('/stop', {})).status).toBe(403);
    await careful.stop();
  });

  it('stops on the signals that it is told, and handles none otherwise', async () => {
    await produce('a');
    const before = process.listenerCount('SIGUSR2');
    const quiet = await start(flow, { data, env: {} });
    expect(process.listenerCount('SIGUSR2')).toBe(before);
    await quiet.stop();
    const app = await start(flow, { data, env: {}, stopOn: ['SIGUSR2'] });
    process.kill(process.pid, 'SIGUSR2');
    await app.finished;
    expect(process.listenerCount('SIGUSR2')).toBe(before);
  });

  it('says which setting is wrong, by its name', async () => {
    await expect(start(flow, { profile: 'moon' as never, env: {} })).rejects.toThrow(
      /the option profile must be one of/,
    );
    await expect(start(flow, { dta: 'x', env: {} } as never)).rejects.toThrow('there is no setting dta');
    await expect(start(flow, { env: { MILLRACE_PORT: 'x' } })).rejects.toThrow(/MILLRACE_PORT must be/);
    await expect(start(flow, { drain: true, env: {} })).rejects.toMatchObject({ where: 'drain' });
  });
});

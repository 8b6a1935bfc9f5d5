import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { json, map, topology } from '../../src/index.js';
import { DurationHistogram } from '../../src/runtime/index.js';
import { type Monitoring, serveMonitoring } from '../../src/server/http.js';
import type { Picture } from '../../src/server/live.js';
import { someSnapshot } from '../cli/snapshot.js';
import { orders } from './orders.js';

const open: Monitoring[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function served(token?: string) {
  let snapshots = 0;
  const snapshot = () => {
    snapshots += 1;
    return someSnapshot();
  };
  const query = async () => ({ kind: 'retry', why: 'not now' }) as const;
  const options = { host: '127.0.0.1', port: 0, token, topology: orders, profile: 'embedded' as const };
  const monitoring = await serveMonitoring({ ...options, running: { snapshot, query }, isReady: () => true });
  open.push(monitoring);
  return { url: monitoring.url, monitoring, snapshots: () => snapshots };
}

/** Reads events of the stream until there are enough of them, or it ends. */
function events(url: string, wanted: number): Promise<readonly Picture[]> {
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/live`, (answer) => {
      let text = '';
      const pictures = () =>
        text.split('\n\n').flatMap((each) => (each.startsWith('data: ') ? [JSON.parse(each.slice(6)) as Picture] : []));
      answer.setEncoding('utf8');
      answer.on('data', (piece) => {
        text += piece;
        if (text.endsWith('\n\n') && pictures().length >= wanted) {
          answer.destroy();
          resolve(pictures());
        }
      });
      answer.on('end', () => resolve(pictures()));
      answer.on('error', () => resolve(pictures()));
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('the live page', () => {
  it('is a page, its scripts and its style, from here alone', async () => {
    const { url } = await served();
    const bytes: number[] = [];
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page.js', 'text/javascript'],
      ['/dom.js', 'text/javascript'],
      ['/lines.js', 'text/javascript'],
      ['/drawer.js', 'text/javascript'],
      ['/graph.js', 'text/javascript'],
      ['/letters.js', 'text/javascript'],
      ['/notices.js', 'text/javascript'],
      ['/panels.js', 'text/javascript'],
      ['/record.js', 'text/javascript'],
      ['/page.css', 'text/css'],
    ] as const) {
      const answer = await fetch(url + path);
      expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 200, `${type}; charset=utf-8`]);
      expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
      const text = await answer.text();
      expect(text.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
      bytes.push(gzipSync(text).length);
    }
    expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(30_000);
  });

  it('has the drawing of the topology', async () => {
    const { url } = await served();
    const graph = await (await fetch(`${url}/graph`)).json();
    expect(graph).toMatchObject({ topology: 'orders', profile: 'embedded' });
    expect((graph as { nodes: unknown[] }).nodes).toHaveLength(7);
  });

  it('gets a picture at once and then one a second, the same for all who look, and of a run that nobody knows none is made', async () => {
    const { url, snapshots } = await served();
    expect(snapshots()).toBe(0);
    const [one, other] = await Promise.all([events(url, 3), events(url, 3)]);
    expect(one.map(({ atMs }) => atMs)).toEqual(other.map(({ atMs }) => atMs));
    expect(one[0]).toMatchObject({ lag: 5, deadLetters: [{ reason: 'range:amount' }, { reason: 'truncated' }] });
    const seen = snapshots();
    expect(seen).toBeLessThanOrEqual(4);
    // The history goes on.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(snapshots() - seen).toBeLessThanOrEqual(2);
  });

  it('gets at most 20 kB a second, for 300 steps, 64 tasks and 200 measures', async () => {
    const large = topology('large', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      let stream = t.source('in', kafka.source<number>({ topic: 'in', schema: json<number>(), eventTime: (n) => n }));
      for (let i = 0; i < 300; i++)
        stream = stream.via(
          `step-${i}`,
          map((n: number) => n),
        );
      stream.to('out', kafka.sink({ topic: 'out', schema: json<number>() }));
    });
    const usual = someSnapshot();
    const [task] = usual.tasks as readonly [(typeof usual.tasks)[number]];
    const [{ row }] = usual.slices as readonly [(typeof usual.slices)[number]];
    const startedMs = Date.now() - 1;
    /** All that can change does, in each picture. */
    const snapshot = () => {
      const ms = Date.now() - startedMs;
      const steps = Array.from({ length: 300 }, (_, i) => ({ step: `step-${i}`, by: i / 7 }));
      const workMs = new Map(steps.map(({ step, by }) => [step, ms / 400 + by]));
      const latencies = new Map(
        steps.map(({ step, by }) => {
          const latency = new DurationHistogram();
          for (let second = 0; second <= ms / 1_000; second++) latency.record((1 + by) * (1 + (second % 7)), 1_000);
          return [step, latency] as const;
        }),
      );
      return {
        ...usual,
        latencies,
        counters: steps.flatMap(({ step, by }) =>
          ['in', 'out'].map((name) => ({ step, name, value: 1e6 + Math.floor(ms * by) })),
        ),
        tasks: Array.from({ length: 64 }, (_, partition) => ({
          ...{ ...task, subtopology: 'large', partition, watermarkMs: ms * partition },
          positions: { in: { offset: 1e6 + ms * partition, mergeTimeMs: 0 } },
          time: { ...task.time, totalMs: ms, workMs },
        })),
        slices: Array.from({ length: 200 }, (_, i) => ({
          row: { ...row, step: `step-${i}`, slice: `n=${i}`, eventTimeMs: ms, value: Math.sin(ms + i) },
          interval: [Math.sin(ms + i) - 0.1, Math.sin(ms + i) + 0.1] as const,
        })),
      };
    };
    const query = async () => ({ kind: 'retry', why: 'not now' }) as const;
    const monitoring = await serveMonitoring({
      ...{ host: '127.0.0.1', port: 0, token: undefined, topology: large, profile: 'embedded' as const },
      ...{ running: { snapshot, query }, isReady: () => true },
    });
    open.push(monitoring);
    const bytes = await new Promise<number>((resolve) => {
      let sum = 0;
      request(`${monitoring.url}/live`, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
        expect(answer.headers['content-encoding']).toBe('gzip');
        answer.on('data', (piece) => {
          sum += piece.length;
        });
        answer.on('close', () => resolve(sum));
        setTimeout(() => answer.destroy(), 3_500); // four pictures
      }).end();
    });
    expect(bytes).toBeGreaterThan(4 * 1_000);
    expect(bytes).toBeLessThan(4 * 20_000);
  });

  it('does not hold up the end of a run', async () => {
    const { url, monitoring } = await served();
    const looking = events(url, 1_000);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await monitoring.close();
    expect((await looking).length).toBeGreaterThan(0);
  });

  it('asks a browser for the token', async () => {
    const { url } = await served('secret-token-of-the-test');
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic realm="millrace"']);
    const authorization = `Basic ${Buffer.from('any:secret-token-of-the-test').toString('base64')}`;
    expect((await fetch(url, { headers: { authorization } })).status).toBe(200);
  });
});

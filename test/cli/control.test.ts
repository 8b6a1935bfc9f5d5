import { afterEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.js';
import type { Caller } from '../../src/server/actions/run-control.js';
import { type Monitoring, serveMonitoring } from '../../src/server/http.js';
import { orders } from '../server/orders.js';
import { someSnapshot } from './snapshot.js';

const open: Monitoring[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function served({ isAllowed = true, missing = [] }: { isAllowed?: boolean; missing?: readonly string[] } = {}) {
  const calls: unknown[] = [];
  const called = (name: string) => async (caller: Caller) => {
    calls.push([name, caller]);
    return { atRest: { 'orders/0': { orders: 120 }, 'orders/1': { orders: 90 } }, missing };
  };
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port: 0, token: undefined, topology: orders, profile: 'cluster' as const },
    running: { snapshot: someSnapshot, query: async () => ({ kind: 'retry', why: 'not now' }) },
    actions: {
      isAllowed,
      control: {
        ...{ pause: called('pause'), resume: called('resume'), stop: called('stop') },
        savepoint: async (name) => ({
          topology: 'orders',
          file: `/data/savepoints/${name}.mrsp`,
          bytes: 4_096,
          partitions: 2,
        }),
      },
    },
    isReady: () => true,
  });
  open.push(monitoring);
  return { url: monitoring.url, calls };
}

async function millrace(...args: readonly string[]) {
  const said = { out: '', err: '' };
  const code = await main(args, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { code, ...said };
}

describe('pause, resume, stop and savepoint create of a run', () => {
  it('act on all of its processes', async () => {
    const { url, calls } = await served();
    expect(await millrace('pause', '--url', url)).toEqual({ code: 0, out: 'paused: 2 tasks at rest\n', err: '' });
    expect(await millrace('resume', '--url', `${url}/`)).toEqual({ code: 0, out: 'the run goes on\n', err: '' });
    expect(await millrace('stop', '--url', url)).toEqual({ code: 0, out: 'the run stops\n', err: '' });
    const caller = { by: expect.stringMatching(/^127\.0\.0\.1 \(request \S+\)$/), alone: false };
    expect(calls).toEqual(['pause', 'resume', 'stop'].map((name) => [name, caller]));
    expect(await millrace('savepoint', 'create', 'before-v2', '--url', url)).toEqual({
      code: 0,
      out: '/data/savepoints/before-v2.mrsp: 2 tasks of orders, 4,096 bytes\n',
      err: '',
    });
  });

  it('name what does not follow, and exit with 1', async () => {
    const { url } = await served({ missing: ['orders/1 has not drained: 3 records in flight'] });
    const { code, err } = await millrace('pause', '--url', url);
    expect([code, err]).toEqual([1, 'warning: orders/1 has not drained: 3 records in flight\n']);
    const json = await millrace('pause', '--url', url, '--json');
    expect(JSON.parse(json.out)).toMatchObject({ atRest: { 'orders/0': { orders: 120 } } });
  });

  it('are refused by a run that allows no actions', async () => {
    const { url, calls } = await served({ isAllowed: false });
    for (const args of [['pause'], ['resume'], ['stop'], ['savepoint', 'create', 'before-v2']]) {
      const { code, err } = await millrace(...args, '--url', url);
      expect([code, err]).toEqual([1, expect.stringContaining('start the run with --allow-actions')]);
    }
    expect(calls).toEqual([]);
    const { code, err } = await millrace('savepoint', 'create', 'before-v2');
    expect([code, err]).toEqual([1, expect.stringContaining('give the file of a stopped topology, or --url')]);
  });
});

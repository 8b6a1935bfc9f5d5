import { afterEach, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.js';
import { type Monitoring, serveMonitoring } from '../../src/server/http.js';
import { orders } from '../server/orders.js';
import { someSnapshot } from './snapshot.js';

const open: Monitoring[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function served(isDown = true, token?: string): Promise<Monitoring> {
  const snapshot = () => ({ ...someSnapshot(), ...(isDown ? {} : { outages: [] }) });
  const monitoring = await serveMonitoring({
    ...{ host: '127.0.0.1', port: 0, token, topology: orders, profile: 'embedded' as const, isReady: () => true },
    running: { snapshot, query: async () => ({ kind: 'retry', why: 'not now' }) },
  });
  open.push(monitoring);
  return monitoring;
}

async function millrace(...args: readonly string[]) {
  let [out, err] = ['', ''];
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe('millrace status', () => {
  it('prints what the live page shows', async () => {
    const { url } = await served();
    const { code, out } = await millrace('status', '--url', url);
    expect(code).toBe(1); // a sink is down
    expect(out).toMatch(
      /^orders: degraded: a sink is down, embedded profile, 1 process, up [1-3] s, 3 task restarts\n/,
    );
    expect(out).toContain('5 behind');
    expect(out).toContain('3 dead letters');
    expect(out).toContain('warning: history has been down for');
    expect(out).toMatch(/\nsource orders +kafka\.source +0\.0 +120 +1/);
    expect(out).toMatch(/\nsink history +kafka\.sink +0\.0 +112 +0/);
    expect(out).toMatch(/\norders +0 +120 +5 +[\d,]+ +reading\n/);
  });

  it('exits with 0 for a run without problems, and prints it as an object', async () => {
    const { url } = await served(false);
    const { code, out } = await millrace('status', '--url', `${url}/`, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'ok', lag: 5, nodes: { orders: { out: 120 } } });
  });

  it('says why there is nothing to show', async () => {
    const { url } = await served(true, 'secret');
    expect(await millrace('status', '--url', url)).toMatchObject({
      code: 1,
      err: expect.stringContaining('it needs the token in MILLRACE_TOKEN'),
    });
    expect((await millrace('status')).err).toContain('the address of the run is not known');
    expect((await millrace('status', '--url', 'http://127.0.0.1:1')).err).toContain(
      'no run answers at http://127.0.0.1:1',
    );
  });
});

describe('millrace top', () => {
  it('prints a picture a second until the run ends', async () => {
    const monitoring = await served();
    const seen = millrace('top', '--url', monitoring.url, '--json');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await monitoring.close();
    const { code, out } = await seen;
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).status),
    ).toEqual(['degraded', 'degraded', 'degraded']);
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/program.js';
import type { Finding } from '../../../src/core/connector.js';
import { clusterEnv } from '../address.js';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function doctor(env: Readonly<Record<string, string>> = {}) {
  for (const [name, value] of Object.entries({ ...clusterEnv(), ...env })) vi.stubEnv(name, value);
  let text = '';
  const out = (part: string) => {
    text += part;
  };
  const args = ['doctor', 'topologies/flight-delays.ts', '--profile', 'cluster', '--json'];
  const code = await main(args, { out, err: out });
  const { findings } = JSON.parse(text) as { readonly findings: readonly Finding[] };
  return { code, findings, of: (name: string) => findings.filter(({ of }) => of.startsWith(name)) };
}

describe('millrace doctor', () => {
  it('examines the servers of a topology', async () => {
    const { code, findings, of } = await doctor();
    expect(findings.filter(({ state }) => state === 'problem')).toEqual([]);
    expect(code).toBe(0);
    expect(of('Kafka at').map(({ said }) => said)[0]).toBe('1 broker answered');
    expect(of('the schema registry').map(({ said }) => said)).toEqual(['it answered']);
    for (const server of ['Redis', 'ClickHouse'])
      expect(of(server).map(({ said }) => said)).toEqual([
        expect.stringMatching(new RegExp(`^${server} \\d+\\.`)),
        'its clock agrees',
      ]);
  });

  it('finds a clock that is hours away from those of the servers', async () => {
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 3 * 3_600_000);
    const { code, of } = await doctor();
    expect(code).toBe(1);
    for (const server of ['Redis', 'ClickHouse'])
      expect(of(server)[1]).toMatchObject({ state: 'problem', said: 'its clock is 10800 s behind the clock here' });
  });

  it('goes on after a server that does not answer', async () => {
    const { code, of, findings } = await doctor({ MILLRACE_REGISTRY: 'http://127.0.0.1:9' });
    expect(code).toBe(1);
    expect(findings.filter(({ state }) => state === 'problem')).toMatchObject([{ of: 'http://127.0.0.1:9/' }]);
    expect(of('Kafka at').length).toBeGreaterThan(0);
    expect(of('ClickHouse').length).toBe(2);
  });
});

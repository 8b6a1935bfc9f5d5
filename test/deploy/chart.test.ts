import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { definition as clickhouse } from '../../connectors/clickhouse/definition.js';
import { definition as kafka } from '../../connectors/kafka/definition.js';
import { variableOf } from '../../src/core/connector.js';
import { allSettings } from '../../src/profiles/config.js';
import type { ScaleSignal } from '../../src/server/scale-route.js';

// The renderings of the chart, which `npm run chart` makes.

const read = (path: string) => readFileSync(path, 'utf8');
const version = (JSON.parse(read('package.json')) as { version: string }).version;
const numberOf = (text: string, name: string) => Number(new RegExp(`\\b${name}:? ?"?(\\d+)`).exec(text)?.[1]);

it('has the version of the package', () => {
  const chart = read('deploy/helm/millrace/Chart.yaml');
  expect(chart).toContain(`\nversion: ${version}\n`);
  expect(chart).toContain(`\nappVersion: ${version}\n`);
});

describe.each(['minimal', 'payments'])('%s', (name) => {
  const text = read(`deploy/rendered/${name}.yaml`);

  it('has more time to end than a run needs to drain', () => {
    const stallSeconds = numberOf(text, 'name: MILLRACE_STALL_SECONDS, value');
    expect(stallSeconds).toBeGreaterThan(0);
    expect(numberOf(text, 'terminationGracePeriodSeconds')).toBeGreaterThan(stallSeconds);
  });

  it('asks the routes that a run has', () => {
    const paths = [...text.matchAll(/(\w+)Probe:\n +httpGet: \{ path: (\S+), port: http \}/g)];
    expect(paths.map(([, probe, path]) => [probe, path])).toEqual([
      ['startup', '/health/live'],
      ['readiness', '/health/ready'],
      ['liveness', '/health/live'],
    ]);
  });

  it('gives a pod no more than it needs', () => {
    for (const line of [
      'runAsNonRoot: true',
      'readOnlyRootFilesystem: true',
      'allowPrivilegeEscalation: false',
      'automountServiceAccountToken: false',
      'capabilities: { drop: [ALL] }',
    ])
      expect(text).toContain(line);
  });

  it('sets only what there is to set', () => {
    const known = Object.keys(allSettings([kafka, clickhouse])).map(variableOf);
    const set = [...text.matchAll(/name: (MILLRACE_\w+)/g)].map(([, variable]) => variable);
    expect(set.length).toBeGreaterThan(5);
    expect(set.filter((variable) => !known.includes(variable ?? ''))).toEqual([]);
  });
});

it('asks /scale for figures that it has', () => {
  const text = read('deploy/rendered/payments.yaml');
  expect([...text.matchAll(/valueLocation: (\w+)/g)].map(([, figure]) => figure)).toEqual([
    'secondsBehind',
    'recordsPerSecond',
  ] satisfies (keyof ScaleSignal)[]);
  expect(text).toContain('url: "http://payments.streams.svc:9464/scale"');
});

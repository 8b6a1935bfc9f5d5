import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { definition as clickhouse } from '../../connectors/clickhouse/definition.js';
import { seconds } from '../../src/core/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { alertTable } from '../../src/run/alert-table.js';
import { startAlerts } from '../../src/server/alerts/start.js';
import { someSnapshot } from '../cli/snapshot.js';

let folder: string;
let profile: OpenProfile;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-alerts-'));
  profile = await openProfile(resolveConfig({ flags: { data: folder } }));
});
afterEach(async () => {
  await profile.close();
  rmSync(folder, { recursive: true, force: true });
});

const rows = async () => {
  const { tables } = await profile.connect(clickhouse);
  return tables.query<Record<string, unknown>>('SELECT * FROM alerts FINAL ORDER BY since, state');
};

it('has a row for each alert that fires or is resolved, and one for a repeated one', async () => {
  const store = alertTable(profile, 'alerts');
  let lag = 500;
  const alerts = startAlerts(
    { name: "it's", alerts: [{ measure: 'lag_records', above: 100, for: seconds(0), severity: 'critical' }] },
    () => {
      const usual = someSnapshot();
      return { ...usual, tasks: usual.tasks.map((task) => ({ ...task, lag: { orders: lag } })) };
    },
    {
      webhook: undefined,
      // As after a lost answer.
      store: (notice) => store(notice).then(() => store(notice)),
      everyMs: 20,
      onWarning: () => undefined,
    },
  );
  try {
    await expect.poll(() => alerts.states()[0]?.state).toBe('firing');
    lag = 20;
    await expect.poll(() => alerts.states()[0]?.state).toBe('resolved');
  } finally {
    await alerts.close();
  }
  const same = { topology: "it's", alert: 'lag_records above 100', severity: 'critical' };
  expect(await rows()).toMatchObject([
    { ...same, state: 'firing', value: 500, why: 'records behind the ends of the logs: 500' },
    { ...same, state: 'resolved', value: 20, why: 'records behind the ends of the logs: 20' },
  ]);
});

it('has a name that is one', () => {
  expect(() => alertTable(profile, 'alerts; DROP TABLE x')).toThrow('cannot be the name of a table');
});

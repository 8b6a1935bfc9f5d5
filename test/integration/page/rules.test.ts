import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { minutes } from '../../../src/core/index.js';
import { prometheusRules } from '../../../src/server/alerts/rules-file.js';
import { type AlertRule, alertMeasures } from '../../../src/topology/index.js';

it('Prometheus takes the rules of all measures', () => {
  const measures: readonly AlertRule['measure'][] = [...alertMeasures, 'model/roc_auc', 'drift/drifts_in_10_minutes'];
  const alerts = measures.map((measure): AlertRule => ({ measure, above: 0.5, for: minutes(5), severity: 'critical' }));
  const folder = mkdtempSync(join(tmpdir(), 'millrace-rules-'));
  try {
    const file = join(folder, 'rules.yml');
    writeFileSync(file, prometheusRules({ name: 'flight-delays.v2', alerts }));
    expect(execFileSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })).toContain(
      `SUCCESS: ${measures.length} rules found`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createInference } from '../../src/inference/index.js';
import { flightFeatures } from '../../topologies/flight-features.js';

const file = (name: string) => new URL(`../../models/risk/${name}`, import.meta.url);
const report = JSON.parse(readFileSync(file('risk.json'), 'utf8')) as {
  readonly view: { readonly name: string; readonly version: number; readonly hash: string };
  readonly features: readonly string[];
  readonly sha256: string;
  readonly later: { readonly rocAuc: number; readonly logLoss: number };
};

test('the risk model was trained with the view that the stream has (if not: sh models/risk/retrain.sh)', () => {
  const { name, version, hash, denseNames } = flightFeatures;
  expect(report.view).toEqual({ name, version, hash });
  expect(report.features).toEqual(denseNames);
});

test('the report speaks of the model that lies beside it', () => {
  const bytes = readFileSync(file('risk.onnx'));
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(report.sha256);
  expect(bytes.length).toBeLessThan(1_000_000);
});

test('its README quotes the report', () => {
  const readme = readFileSync(file('README.md'), 'utf8');
  expect(readme).toContain(`**${report.later.rocAuc.toFixed(3)}** | **${report.later.logLoss.toFixed(3)}**`);
  expect(readme).toContain(`\`[N, ${report.features.length}]\``);
});

test('the service takes it with the features of the view, and late flights before score higher', async () => {
  const inference = createInference();
  try {
    const model = await inference.open({ model: file('risk.onnx'), batchMax: 256, waitMax: 1, providers: ['cpu'] });
    expect(model).toMatchObject({
      inputs: [{ shape: [flightFeatures.shape.denseSize] }],
      outputSize: 2,
      version: report.sha256,
    });
    const rolling = report.features.map((name) => /^(delay|late)/.test(name));
    const after = [-1, 0, 1, 2];
    const { scores } = await model.run(after.length, (row, [into], place) => {
      const numbers = rolling.map((isRolling) => (isRolling ? (after[row] ?? 0) : 0));
      (into as Float32Array).set(numbers, place * rolling.length);
    });
    const risks = after.map((_, row) => scores[row * 2 + 1] ?? Number.NaN);
    expect(risks).toEqual([...risks].sort((a, b) => a - b));
    expect(risks[0]).toBeGreaterThan(0);
    expect(risks[3]).toBeLessThan(1);
  } finally {
    await inference.close();
  }
});

import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { millrace, userFolder } from './millrace.js';

const flow = (type: string) => `
import { avro, json, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';
const schema = avro({ subject: 'in-value', definition: '${type}' });

export const flow = topology('flow', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const records = t.source('in', kafka.source({ topic: 'in', schema }));
  records.to('out', kafka.sink({ topic: 'out', schema: json() }));
  records.to('cache', redis.stringSink({ key: String, value: String }));
});
`;

const user = userFolder({ 'in.avsc': '"string"', 'flow.ts': flow('"string"') });
afterAll(() => user.remove());
const run = (args: readonly string[], input = '', env: Readonly<Record<string, string>> = {}) =>
  millrace(args, { folder: user.folder, input, env });

it('check names settings that no run would take', { timeout: 120_000 }, async () => {
  const check = (profile: string) => run(['check', 'flow.ts'], '', { MILLRACE_PROFILE: profile });
  expect(await check('embedded')).toMatchObject({ code: 0, out: 'flow: no problems found\n' });
  const { code, out } = await check('moon');
  expect(code).toBe(1);
  expect(out).toContain('flow: 1 problem\n');
  expect(out).toContain('MILLRACE_PROFILE must be one of embedded, cluster, not "moon"');
  expect(out).toContain('  settings (config): MILLRACE_PROFILE must');
  expect(await check('cluster')).toMatchObject({ code: 0, out: expect.stringContaining('pass --profile cluster') });
});

it('check looks into the embedded store and says what it does not look at', { timeout: 120_000 }, async () => {
  expect(await run(['produce', 'in', '--schema', 'in.avsc'], '"a"\n')).toMatchObject({ code: 0 });
  writeFileSync(join(user.folder, 'flow.ts'), flow('"long"'));
  const { code, out } = await run(['check', 'flow.ts', '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toEqual({
    topology: 'flow',
    problems: [
      {
        code: 'schema',
        where: 'in',
        message: expect.stringContaining('cannot read what is registered: version 1 of in-value: '),
        hint: expect.any(String),
      },
    ],
    mismatches: [],
    unseen: ['cache (redis.stringSink): pass --profile embedded to check their targets'],
  });
});

const scored = (model: string, denseSize: number) => `
import { avro, infer, map, millis, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
const schema = avro({ subject: 'in-value', definition: '"string"' });
const view = { name: 'lengths', shape: { denseSize: ${denseSize} } };

export const scored = topology('scored', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('texts', kafka.source({ topic: 'in', schema }))
    .via('features', map((text) => ({ text, features: { view: 'lengths', dense: Float64Array.of(text.length) } })))
    .via('risk', infer({ model: '${model}', as: 'risk', view, batchMax: 16, waitMax: millis(5), providers: ['cpu'] }))
    .to('cache', kafka.sink({ topic: 'out', schema: avro({ subject: 'out-value', definition: '"string"' }) }));
});
`;

const featurized = (steps: string) => `
import { featurize, filter, infer, json, map, millis, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { featureView, numeric } from 'millrace/ml';
const lengths = featureView({ name: 'lengths', version: 1, columns: { n: (r) => r.n }, features: { n: numeric('n') } });

export const scored = topology('scored', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('rows', kafka.source({ topic: 'in', schema: json() }))
    .via('features', featurize(lengths))${steps}
    .via('risk', infer({ model: 'mlp.onnx', as: 'risk', batchMax: 16, waitMax: millis(5), providers: ['cpu'] }))
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});
`;

it('check --models finds the view that a step before makes the features by', { timeout: 120_000 }, async () => {
  copyFileSync(new URL('../inference/models/mlp.onnx', import.meta.url), join(user.folder, 'mlp.onnx'));
  const check = async (steps: string) => {
    writeFileSync(join(user.folder, 'featurized.ts'), featurized(steps));
    const { out } = await run(['check', 'featurized.ts', '--json', '--models']);
    const problems: readonly { readonly code: string; readonly message: string }[] = JSON.parse(out).problems;
    return problems.filter(({ code }) => code === 'model').map(({ message }) => message);
  };
  const wrong = "the feature view 'lengths' has 1 dense feature, but the model of step 'risk' takes 20";
  expect(await check('')).toEqual([wrong]);
  expect(await check(".via('some', filter((r) => r.n > 0))")).toEqual([wrong]);
  // What lies between may make other features.
  expect(
    await check(".via('more', map((r) => ({ features: { view: 'more', dense: new Float64Array(20) } })))"),
  ).toEqual([]);
});

it('check --models holds models against views before a run', { timeout: 120_000 }, async () => {
  copyFileSync(new URL('../inference/models/mlp.onnx', import.meta.url), join(user.folder, 'mlp.onnx'));
  const check = async (model: string, denseSize: number, ...flags: string[]) => {
    writeFileSync(join(user.folder, 'scored.ts'), scored(model, denseSize));
    const { code, out } = await run(['check', 'scored.ts', '--json', ...flags]);
    return { code, ...JSON.parse(out) };
  };
  expect(await check('mlp.onnx', 5)).toMatchObject({ code: 0, problems: [] });
  expect(await check('mlp.onnx', 20, '--models')).toMatchObject({ code: 0, problems: [], warnings: [] });
  expect(await check('mlp.onnx', 5, '--models')).toMatchObject({
    code: 1,
    problems: [
      {
        code: 'model',
        where: 'risk',
        message: expect.stringContaining("has 5 dense features, but the model of step 'risk' takes 20"),
      },
    ],
  });
  expect(await check('gone.onnx', 20, '--models')).toMatchObject({
    code: 1,
    problems: [{ code: 'model', where: 'risk', message: expect.stringContaining('gone.onnx cannot be read') }],
  });
  // An option that is wrong is said once, and models behind it are not opened.
  writeFileSync(join(user.folder, 'scored.ts'), scored('gone.onnx', 20).replace('batchMax: 16', 'batchMax: 0'));
  const { out } = await run(['check', 'scored.ts', '--json', '--models']);
  expect(JSON.parse(out)).toMatchObject({ problems: [{ where: 'risk', message: 'batchMax is 0' }], warnings: [] });
});

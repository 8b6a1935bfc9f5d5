import { describe, expect, it } from 'vitest';
import type { MillraceError } from '../../../src/core/index.js';
import {
  cyclic,
  featureView,
  hashed,
  numeric,
  offlineColumns,
  onlineKey,
  vectorDigest,
} from '../../../src/ml/features/index.js';
import { featureRows } from '../../../src/operators/index.js';
import { checkOperator, driveOperator } from '../../../src/testing/operator-contract.js';

interface Visit {
  readonly user: number;
  readonly hour: number;
}
const columns = { user: (v: Visit) => v.user, hour: (v: Visit) => v.hour };
const view = featureView({
  name: 'visits',
  version: 1,
  hashBits: 4,
  entity: { name: 'user', key: (v: Visit) => v.user },
  columns,
  features: { hour: cyclic('hour', 24), user: numeric('user', { scale: 3 }), userIs: hashed('user') },
});
const logic = view.open();
const samples = [1, 2, 3].map((user) => {
  const visit = { user, hour: user * 6 };
  return { value: { ...visit, features: logic.vector(visit) }, eventTimeMs: user * 1_000 };
});

describe('featureRows', () => {
  it('keeps the operator contract', () => checkOperator(featureRows(view), samples));

  it('gives entity, event time, named features, coordinates and the digest of the vector', () => {
    const { emitted } = driveOperator(featureRows(view), samples);
    const [first] = samples;
    expect(emitted[0]?.value).toEqual({
      entity: '1',
      eventTime: 1_000,
      view: view.hash,
      digest: vectorDigest((first as (typeof samples)[number]).value.features),
      hour_0: 1,
      hour_1: Math.fround(Math.cos(Math.PI / 2)),
      user: Math.fround(1 / 3),
      hashed: [...(first?.value.features.indices ?? [])],
    });
    expect(Object.keys(offlineColumns(view)).sort()).toEqual(Object.keys(emitted[0]?.value as object).sort());
    expect(onlineKey(view)({ entity: '1' })).toBe('visits:1');
  });

  it('refuses features of another version', () => {
    const next = featureView({ name: 'visits', version: 2, columns, features: { user: numeric('user') } });
    const value = { user: 1, hour: 1, features: next.open().vector({ user: 1, hour: 1 }) };
    expect(driveOperator(featureRows(view), [{ value }]).failure).toMatch(/^features of visits .* not of visits/);
  });

  it('refuses a view without an entity, and names that the store needs itself', () => {
    const nobody = featureView({ name: 'nobody', version: 1, columns, features: { user: numeric('user') } });
    expect(() => featureRows(nobody)).toThrow(/without an entity/);
    const clash = featureView({ name: 'clash', version: 1, columns, features: { digest: numeric('user') } });
    expect(() => offlineColumns(clash)).toThrow(
      expect.objectContaining({ code: 'config', where: 'clash' }) as MillraceError,
    );
  });
});

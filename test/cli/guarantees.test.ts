import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deliveryOn } from '../../src/cli/guarantees.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { deliveryOf } from '../../src/topology/index.js';
import { topicSink } from '../topology/fixtures.js';

describe('guarantees', () => {
  it('on the embedded profile are those of its drivers', async () => {
    const data = mkdtempSync(join(tmpdir(), 'millrace-guarantees-'));
    const profile = await openProfile(resolveConfig({ flags: { data } }));
    try {
      const sinks = Object.entries(profile.sinks);
      expect(sinks.length).toBeGreaterThanOrEqual(3);
      for (const [connector, { mode }] of sinks) {
        expect([connector, deliveryOn('embedded')({ ...topicSink('any'), connector })]).toEqual([
          connector,
          deliveryOf(mode),
        ]);
      }
    } finally {
      await profile.close();
      rmSync(data, { recursive: true });
    }
  });

  it('of an unknown connector are refused', () => {
    expect(() => deliveryOn('cluster')({ ...topicSink('any'), connector: 'pigeon' })).toThrowError(
      "the cluster profile cannot write 'pigeon'",
    );
  });
});

describe('openProfile', () => {
  it('refuses a folder that is open, and closes what it had opened', async () => {
    const data = mkdtempSync(join(tmpdir(), 'millrace-profile-'));
    const config = resolveConfig({ flags: { data } });
    const first = await openProfile(config);
    await expect(openProfile(config)).rejects.toMatchObject({ code: 'config' });
    await first.close();
    const second = await openProfile(config);
    expect(await second.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.close();
    rmSync(data, { recursive: true });
  });
});

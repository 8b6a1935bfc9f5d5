import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defineConnector } from '../../src/core/connector.js';
import { writeModeOn } from '../../src/core/kind.js';
import type { SinkDriver } from '../../src/core/sink.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { connectorKinds } from '../connector-kinds.js';
import { tablesOf } from './tables.js';

const withFolder = async (work: (data: string) => Promise<void>) => {
  const data = mkdtempSync(join(tmpdir(), 'millrace-profile-'));
  try {
    await work(data);
  } finally {
    rmSync(data, { recursive: true });
  }
};

const onEmbedded = (work: (profile: OpenProfile) => Promise<void>) =>
  withFolder(async (data) => {
    const profile = await openProfile(resolveConfig({ flags: { data } }));
    try {
      await work(profile);
    } finally {
      await profile.close();
    }
  });

const dummy = (open: () => Promise<{ drivers: object; close?(): Promise<void> }>) =>
  defineConnector({ name: 'dummy', kinds: {}, open: open as never });

describe('openProfile', () => {
  it('has a driver for every kind, and sinks write as their kinds say', () =>
    onEmbedded(async (profile) => {
      expect(connectorKinds.length).toBeGreaterThan(30);
      for (const kind of connectorKinds) {
        const driver = await profile.driver(kind);
        expect(driver).toBeTypeOf('object');
        if (kind.role !== 'sink') continue;
        expect([kind.kind, (driver as SinkDriver).mode]).toEqual([kind.kind, writeModeOn(kind, 'embedded')]);
      }
    }));

  it('refuses a folder that is open, and closes what it had opened', () =>
    withFolder(async (data) => {
      const config = resolveConfig({ flags: { data } });
      const first = await openProfile(config);
      await expect(openProfile(config)).rejects.toMatchObject({ code: 'config' });
      await first.close();
      const second = await openProfile(config);
      expect(await (await tablesOf(second)).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await second.close();
    }));

  it('opens a connector once, when it is first used, and closes it before the log', async () => {
    const did: string[] = [];
    const definition = dummy(async () => {
      did.push('opened');
      return { drivers: {}, close: async () => void did.push('closed') };
    });
    await onEmbedded(async (profile) => {
      expect(did).toEqual([]);
      const [one, other] = await Promise.all([profile.connect(definition), profile.connect(definition)]);
      expect(one).toBe(other);
      expect(did).toEqual(['opened']);
    });
    expect(did).toEqual(['opened', 'closed']);
  });

  it('tries again to open what could not be opened', () =>
    onEmbedded(async (profile) => {
      let tries = 0;
      const definition = dummy(async () => {
        if (tries++ === 0) throw new Error('not yet');
        return { drivers: {} };
      });
      await expect(profile.connect(definition)).rejects.toThrow('not yet');
      await expect(profile.connect(definition)).resolves.toEqual({ drivers: {} });
    }));
});

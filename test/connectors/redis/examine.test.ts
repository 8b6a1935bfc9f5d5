import { expect, it } from 'vitest';
import { settingsOf } from '../../../connectors/redis/server/examine.js';

const info = (settings: Readonly<Record<string, string | number>>) =>
  Object.entries({ redis_version: '7.0.15', maxmemory: 0, maxmemory_policy: 'noeviction', aof_enabled: 1, ...settings })
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('');
const said = (settings: Readonly<Record<string, string | number>>) =>
  settingsOf('Redis', info(settings)).map(({ state, said }) => `${state}: ${said}`);

it('finds nothing wrong with a server that keeps what it is given', () => {
  expect(said({})).toEqual([]);
  expect(said({ maxmemory: 0, maxmemory_policy: 'allkeys-lru' })).toEqual([]); // without a limit nothing is evicted
});

it('finds settings by which keys or writes are lost', () => {
  expect(said({ maxmemory: 1_000, maxmemory_policy: 'volatile-lru' })).toEqual([
    'warning: it may evict keys when its memory is full (maxmemory-policy volatile-lru)',
  ]);
  expect(said({ aof_enabled: 0 })).toEqual(['warning: it keeps no append-only file']);
});

it('says nothing of what a server does not tell', () => {
  expect(settingsOf('Redis', 'redis_version:7.0.15\r\n')).toEqual([]);
});

import { describe, expect, it } from 'vitest';
import { writeModeOn } from '../../../src/core/kind.js';
import type { SinkDriver } from '../../../src/core/sink.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { avro, openCodec } from '../../../src/schema/index.js';
import { produce } from '../../../src/topics/produce.js';
import { readTopic } from '../../../src/topics/read-topic.js';
import { shown } from '../../../src/topics/tail.js';
import { connectorKinds } from '../../connector-kinds.js';
import { tablesOf } from '../../profiles/tables.js';

const config = () => {
  for (const name of ['MILLRACE_KAFKA', 'MILLRACE_REDIS', 'MILLRACE_CLICKHOUSE', 'MILLRACE_REGISTRY']) {
    if (!process.env[name]) throw new Error(`${name} is not set: npm test sets it`);
  }
  return resolveConfig({ flags: { profile: 'cluster' }, env: process.env });
};

interface Payment {
  readonly id: string;
  readonly amount: number;
}

describe('the cluster profile', () => {
  it('guarantees what its drivers do', async () => {
    const profile = await openProfile(config());
    try {
      for (const kind of connectorKinds) {
        if (kind.role !== 'sink') continue;
        const { mode } = (await profile.driver(kind)) as SinkDriver;
        expect([kind.kind, writeModeOn(kind, 'cluster')]).toEqual([kind.kind, mode]);
      }
      expect(await (await tablesOf(profile)).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await profile.close();
    }
  });

  it('carries values through Kafka and the registry', async () => {
    const topic = `cli-${process.pid}-${Date.now()}`;
    const fields = [
      { name: 'id', type: 'string' },
      { name: 'amount', type: 'double' },
    ];
    const definition = JSON.stringify({ type: 'record', name: 'Payment', fields });
    const schema = avro<unknown>({ subject: `${topic}-value`, definition });
    const payments = Array.from({ length: 1_500 }, (_, index): Payment => ({ id: `p${index}`, amount: index }));
    const profile = await openProfile(config());
    try {
      const codec = await openCodec<unknown>(schema, profile.schemas);
      const values = (async function* () {
        for (const [index, value] of payments.entries()) yield { line: index + 1, text: JSON.stringify(value), value };
      })();
      const options = { topic, partitions: 3, codec, keyField: 'id', timeField: undefined, nowMs: 1_000 };
      const producer = profile.producer();
      expect(await produce(producer, values, options)).toBe(payments.length);
      await producer.close();
      const ends = await profile.endOffsets(topic);
      expect(ends).toHaveLength(3);
      expect(ends.reduce((sum, end) => sum + end, 0)).toBe(payments.length);

      const seen: unknown[] = [];
      for await (const record of readTopic(profile, topic)) seen.push((await shown(record, codec)).value);
      const byId = (a: unknown, b: unknown) => (a as Payment).amount - (b as Payment).amount;
      expect(seen.sort(byId)).toEqual(payments);
    } finally {
      await profile.close();
    }
  });
});

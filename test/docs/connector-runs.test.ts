import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import * as clickhouse from '../../docs/connectors/examples/clickhouse.js';
import * as kafka from '../../docs/connectors/examples/kafka.js';
import { millrace, userFolder } from '../cli/millrace.js';
import { repository } from '../import-graph.js';
import { tablesOf } from '../profiles/tables.js';
import { onEmbedded, sendJson, written } from './embedded.js';

// The examples of connectors that the embedded profile serves by itself, on that profile.

describe('examples of connectors, for real', () => {
  it('kafka', async () => {
    const counts = await onEmbedded(async (profile) => {
      for (const { key, value } of kafka.records.customers) await sendJson(profile, 'customers.v1', key, value);
      for (const { key, value } of kafka.records.rates) await sendJson(profile, 'rates.v1', key, value);
      for (const order of kafka.records.orders) await sendJson(profile, 'orders.v1', order.id, order);
      return written(kafka.example, profile);
    });
    expect(counts).toMatchObject({ 'tiered-orders': 1, known: 1 });
  }, 60_000);

  it('clickhouse', async () => {
    const rows = await onEmbedded(async (profile) => {
      await (await tablesOf(profile)).command(
        'CREATE TABLE past_flights (flightId UInt32, origin String, departedAt UInt32) ENGINE = Log',
      );
      await (await tablesOf(profile)).command("INSERT INTO past_flights VALUES (7, 'ZRH', 1000), (8, 'ZRH', 2000)");
      await (await tablesOf(profile)).command('CREATE TABLE airports (iata String, name String) ENGINE = Log');
      await (await tablesOf(profile)).command("INSERT INTO airports VALUES ('ZRH', 'Zurich')");
      expect(await written(clickhouse.example, profile)).toMatchObject({ history: 2 });
      return (await tablesOf(profile)).query('SELECT flightId, origin FROM flights ORDER BY flightId');
    });
    expect(rows).toEqual([
      { flightId: 7, origin: 'ZRH' },
      { flightId: 8, origin: 'ZRH' },
    ]);
  }, 60_000);

  it('file', async () => {
    const { folder, remove } = userFolder({ 'package.json': '{"type":"module"}' });
    copyFileSync(join(repository, 'docs/connectors/examples/file.ts'), join(folder, 'file.ts'));
    mkdirSync(join(folder, 'data/orders'), { recursive: true });
    writeFileSync(join(folder, 'data/orders/1.csv'), 'id,at,amount,paid\na,2026-01-01,5,true\nb,2026-01-02,6,false\n');
    writeFileSync(join(folder, 'data/requests.ndjson'), '{"path":"/Shop","at":1767225600000}\n');
    const { code, err } = await millrace(['run', 'file.ts', '--until-end'], { folder });
    expect([code, err]).toEqual([0, '']);
    const found = readdirSync(join(folder, 'out'), { recursive: true }) as string[];
    expect(found.filter((path) => path.endsWith('.parquet') && !path.includes('.millrace'))).toHaveLength(1);
    const [log = ''] = found.filter((path) => path.endsWith('.ndjson.gz') && !path.includes('.millrace'));
    expect(gunzipSync(readFileSync(join(folder, 'out', log))).toString()).toBe('{"path":"/shop","at":1767225600000}\n');
    remove();
  }, 60_000);
});

import { openClickHouse } from '../../../connectors/clickhouse/open.js';

// Opens the engine in a folder, and then fails as a process can: by a call of `abort`, or by a heap that overflows.

const [path = '', how = ''] = process.argv.slice(2);
const tables = await openClickHouse({ path });
await tables.query('SELECT 1');
process.send?.('opened');
setInterval(() => undefined, 1_000);
if (how === 'abort') setTimeout(() => process.abort(), 50);
if (how === 'overflow') {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 1_000 }, (_, i) => ({ i })));
}

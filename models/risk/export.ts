import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openClickHouse } from '../../connectors/clickhouse/open.js';
import { flightFiles, readFlights } from '../../examples/flights/flights.js';
import { flightFeatures } from '../../topologies/flight-features.js';
import { npyBytes } from './npy.js';
import { factNames, trainingRows } from './rows.js';

// Writes what train.py reads into the folder given: dense.npy, facts.npy, and export.json with what they hold.

/** The flights of January 2001. */
const january = 500_000;

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: export FOLDER');
await mkdir(folder, { recursive: true });

const clickhouse = await openClickHouse({ path: join(folder, 'clickhouse') });
try {
  const flights = await readFlights(clickhouse.query, flightFiles(), january);
  const { names, dense, facts } = trainingRows(flights);
  const { name, version, hash } = flightFeatures;
  await writeFile(join(folder, 'dense.npy'), npyBytes(dense, names.length));
  await writeFile(join(folder, 'facts.npy'), npyBytes(facts, factNames.length));
  await writeFile(join(folder, 'export.json'), JSON.stringify({ view: { name, version, hash }, names, factNames }));
} finally {
  await clickhouse.close();
}

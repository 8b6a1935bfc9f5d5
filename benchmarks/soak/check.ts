import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { askClickHouse } from '../../stack/ask-clickhouse.js';
import type { Fed } from './feeder.js';
import { topics } from './topology.js';

const run = promisify(execFile);

export interface Verdict {
  readonly compared: Readonly<Record<string, number>>;
  /** All of it must be 0. */
  readonly wrong: Readonly<Record<string, number>>;
}

/** Counts with plain clients, none of them the engine's own, what lies in the topic, in ClickHouse and in Redis. */
export async function check(
  urls: { readonly kafka: string; readonly clickhouse: string; readonly redis: string },
  { departed, arrived, slotsFile }: Fed,
): Promise<Verdict> {
  const topic = await readTopic(urls.kafka, departed);
  const predictions = await countTable(urls.clickhouse, 'predictions');
  const arrivals = await countTable(urls.clickhouse, 'arrivals');
  const slots = JSON.parse(readFileSync(slotsFile, 'utf8')) as Record<string, number>;
  const stale = await staleSlots(urls.redis, slots);
  return {
    compared: {
      departed,
      arrived,
      'predictions in the topic': topic.predictions,
      'rows of predictions': predictions.rows,
      'rows of arrivals': arrivals.rows,
      'hashes in Redis': Object.keys(slots).length,
    },
    wrong: {
      'lost in the topic': topic.lost,
      'doubled in the topic': topic.doubled,
      'strange in the topic': topic.strange,
      'dead letters': topic.deadLetters,
      'flights lost in predictions': departed - predictions.flights,
      'rows doubled in predictions': predictions.rows - predictions.flights,
      'flights lost in arrivals': arrived - arrivals.flights,
      'rows doubled in arrivals': arrivals.rows - arrivals.flights,
      'stale hashes': stale,
    },
  };
}

type TopicCounts = Readonly<Record<'predictions' | 'lost' | 'doubled' | 'strange' | 'deadLetters', number>>;

async function readTopic(broker: string, flights: number): Promise<TopicCounts> {
  const python = process.env.MILLRACE_PYTHON ?? 'python3';
  const script = fileURLToPath(new URL('./check.py', import.meta.url));
  const { stdout } = await run(python, [script, broker, topics.predictions, topics.dead, String(flights)]);
  return JSON.parse(stdout) as TopicCounts;
}

async function countTable(url: string, table: string): Promise<{ readonly rows: number; readonly flights: number }> {
  const sql = `SELECT count() AS rows, groupBitmap(toUInt32(flightId)) AS flights FROM ${table} FORMAT JSONEachRow`;
  const response = await askClickHouse(url, '/', { body: sql });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  const { rows, flights } = JSON.parse(text) as Record<'rows' | 'flights', string | number>;
  return { rows: Number(rows), flights: Number(flights) };
}

async function staleSlots(url: string, slots: Readonly<Record<string, number>>): Promise<number> {
  const client = new Redis(url);
  let stale = 0;
  const entries = Object.entries(slots);
  for (let from = 0; from < entries.length; from += 5_000) {
    const part = entries.slice(from, from + 5_000);
    const pipeline = client.pipeline();
    for (const [key] of part) pipeline.hget(key, 'flightId');
    const found = (await pipeline.exec()) ?? [];
    part.forEach(([, flightId], i) => {
      if (found[i]?.[1] !== String(flightId)) stale += 1;
    });
  }
  client.disconnect();
  return stale;
}

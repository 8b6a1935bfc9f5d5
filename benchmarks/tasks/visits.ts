import type { Kafka } from '../../connectors/kafka/open.js';
import { hours } from '../../src/core/duration.js';
import { getOrInsert } from '../../src/util/maps.js';
import type { Visit } from './topologies.js';

const SPAN_HOURS = 24;
const FIRST_MS = Date.UTC(2026, 0, 1);
const PAGES = 10;
const VISITORS = 1_000;
const CHUNK = 10_000;

/** The visits of a partition, spread evenly over a day: with more of them, time passes more slowly from one to the next. */
function visitOf(partition: number, n: number, count: number): Visit {
  return {
    visitor: `${partition}-${n % VISITORS}`,
    page: `page-${(n + partition) % PAGES}`,
    at: FIRST_MS + Math.floor((n * hours(SPAN_HOURS)) / count),
  };
}

/** Appends so many visits to each partition of a topic, which is created where it is missing. */
export async function writeVisits(kafka: Kafka, topic: string, counts: readonly number[]): Promise<void> {
  await kafka.createTopic(topic, counts.length);
  const producer = kafka.producer();
  for (const [partition, count] of counts.entries()) {
    for (let from = 0; from < count; from += CHUNK) {
      const some = Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) => {
        const visit = visitOf(partition, from + i, count);
        return { key: null, value: Buffer.from(JSON.stringify(visit)), timestampMs: visit.at };
      });
      await producer.append(topic, partition, some);
    }
  }
  await producer.close();
}

/** How often each page was visited in each hour that is over in all partitions, by page and beginning of the hour. */
export function expectedHours(counts: readonly number[]): Map<string, number> {
  const last = Math.min(...counts.map((count, partition) => visitOf(partition, count - 1, count).at));
  const found = new Map<string, number>();
  for (const [partition, count] of counts.entries()) {
    for (let n = 0; n < count; n++) {
      const { page, at } = visitOf(partition, n, count);
      const startMs = at - (at % hours(1));
      if (startMs + hours(1) > last) continue;
      const key = `${page} ${startMs}`;
      found.set(key, getOrInsert(found, key, () => 0) + 1);
    }
  }
  return found;
}

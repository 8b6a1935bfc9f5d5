import { join } from 'node:path';
import { Session } from 'chdb';
import { openEmbedded } from '../../src/profiles/embedded/index.js';
import { localRegistry } from '../../src/schema/index.js';
import type { LogRecord } from './records.js';

/** What lies in the folder of an embedded profile. */
export interface EmbeddedContents {
  readonly topics: ReadonlyMap<string, readonly LogRecord[]>;
  readonly hashes: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** Scans every log and all hashes of a data folder that no process has open. */
export async function readEmbedded(data: string): Promise<EmbeddedContents> {
  const store = await openEmbedded({ path: join(data, 'log'), registry: localRegistry() });
  try {
    const topics = new Map<string, LogRecord[]>();
    for (const topic of store.topics()) {
      const records: LogRecord[] = [];
      const { length: partitions } = await store.endOffsets(topic);
      for (let partition = 0; partition < partitions; partition++)
        for (const { offset, timestampMs, key, value, headers = [] } of store.scan(topic, partition))
          records.push({
            partition,
            offset,
            timestampMs,
            key: key && Buffer.from(key),
            value: value && Buffer.from(value),
            headers: new Map(headers.map(([name, bytes]) => [name, Buffer.from(bytes).toString()])),
          });
      topics.set(topic, records);
    }
    return { topics, hashes: new Map([...store.hashes()].map(({ key, fields }) => [key, fields])) };
  } finally {
    await store.close();
  }
}

export type Sql = <T>(statement: string) => T[];

/** Runs SQL over the tables of a data folder by chdb itself. */
export function withTables<T>(data: string, use: (sql: Sql) => T): T {
  const session = new Session(join(data, 'tables'));
  try {
    return use((statement) =>
      session
        .query(`${statement} SETTINGS output_format_json_quote_64bit_integers = 0`, 'JSONEachRow')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    );
  } finally {
    session.close();
  }
}

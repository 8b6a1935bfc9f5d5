import { MillraceError } from '../../src/core/errors.js';
import { EARLIEST } from '../../src/core/io.js';
import { ChangelogReader } from './changelog.js';
import type { Cluster } from './cluster.js';
import { PartitionLog } from './partition-log.js';

/** The newest committed value of each key in one task's changelog, up to an offset. */
export async function readChangelog(
  cluster: Cluster,
  topic: string,
  partition: number,
  end: number,
): Promise<ReturnType<ChangelogReader['restored']>> {
  const where = `${topic}/${partition}`;
  const log = await PartitionLog.open(cluster, topic, partition, EARLIEST);
  const reader = new ChangelogReader();
  let giveUpMs = Date.now() + cluster.patienceMs;
  try {
    while (log.offset < end) {
      const from = log.offset;
      const range = await log.next();
      for (let records = range.take(); records; records = range.take()) {
        for (const { key, value } of records) reader.put(key, value);
      }
      if (log.offset > from) giveUpMs = Date.now() + cluster.patienceMs;
      else if (Date.now() > giveUpMs) throw stuck(where, log.offset, end);
    }
  } finally {
    await log.close();
  }
  return reader.restored(where);
}

const stuck = (where: string, offset: number, end: number): MillraceError =>
  new MillraceError('state', `the changelog cannot be read beyond ${offset} of ${end}`, {
    where,
    hint: 'a transaction in it does not end: see kafka-transactions find-hanging',
  });

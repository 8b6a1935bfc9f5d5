import type { Redis } from '../../connectors/redis/open.js';
import { type BatchRow, type BatchRowsOptions, batchRows } from './batch-rows.js';

/** Longer than a pause between rows, so that hashes of a run that goes on stay. */
const TTL_SECONDS = 60;

/**
 * Keeps the newest batches of all models as hashes of Redis: see `batchRows`. Each row of the same topology, model, provider, size and run
 * replaces the one before it. What is a minute old is gone, as after the end of the run.
 */
export const inferenceHashes = (
  connect: () => Promise<Pick<Redis, 'command'>>,
  prefix: string,
  options: BatchRowsOptions,
): { close(): Promise<void> } =>
  batchRows(options, `Redis under ${prefix}`, async (rows) => {
    const { command } = await connect();
    await command(
      rows.flatMap((row) => {
        const { topology, model, version, provider, rowsMax, run } = row;
        const key = prefix + [topology, model, version, provider, rowsMax, run].join(':');
        return [
          { key, command: ['hset', key, ...fieldsOf(row)] as const },
          { key, command: ['expire', key, TTL_SECONDS] as const },
        ];
      }),
    );
  });

const fieldsOf = (row: BatchRow): string[] =>
  Object.entries(row).flatMap(([name, value]) => (value === null ? [] : [name, `${value}`]));

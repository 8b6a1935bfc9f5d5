import type { SourceDriver } from '../../../src/core/source.js';
import { type RetryOptions, retry } from '../../../src/util/retry.js';
import type { Engine } from '../engine/engine.js';
import { explain } from '../errors.js';
import type { Query } from '../kinds.js';
import { openQueryReader, type QueryPlace } from '../query-source.js';
import { QueryPages } from './query-pages.js';

/** The driver of `clickhouse.querySource`: one task reads. Temporary failures are retried. */
export function querySource(engine: Engine, retrying: RetryOptions): SourceDriver {
  const patient: Engine = {
    ...engine,
    async query(sql, params, signal) {
      try {
        return await retry(() => engine.query(sql, params, signal), retrying);
      } catch (error) {
        throw explain(error, 'cannot read the query', engine.where, 'source');
      }
    },
  };
  return {
    partitions: async () => 1,
    async open({ options }, { offset, bounded, sourceState }) {
      const query = options as Query;
      const pages = await QueryPages.open(patient, query);
      return openQueryReader(pages, query, { bounded, offset, place: sourceState as QueryPlace | undefined });
    },
  };
}

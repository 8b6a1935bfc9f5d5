import { openClickHouse } from '../../connectors/clickhouse/open.js';
import type { TableSinkOptions } from '../../connectors/clickhouse/table/options.js';
import type { Topology } from '../../src/index.js';

/**
 * Creates the table of a sink and keeps ClickHouse from merging its parts, so that a row which was inserted twice stands
 * there twice for who looks at it at the end.
 */
export async function keepEveryRow(url: string, { name, sinks }: Topology, step: string): Promise<void> {
  const sink = sinks.find(({ id }) => id === step)?.sink;
  if (!sink) throw new Error(`the topology has no sink '${step}'`);
  const tables = await openClickHouse({ url });
  try {
    await tables.tableSink.setUp?.(sink, { topology: name, step, partitions: 1 });
    const { table } = sink.options as TableSinkOptions;
    await tables.command(
      `ALTER TABLE ${table}_rows MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, ` +
        'parts_to_delay_insert = 1000000, parts_to_throw_insert = 1000000',
    );
  } finally {
    await tables.close();
  }
}

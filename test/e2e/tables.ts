import { placeOf } from './records.js';

/** Places of the records whose values a table sink has; `_source` is topology, step, topic and partition. */
export const placesSql = (table: string): string =>
  `SELECT _source AS source, toFloat64(_offset) AS offset FROM ${table}_rows FINAL`;

export const placesOf = (rows: readonly { readonly source: string; readonly offset: number }[]): string[] =>
  rows.map(({ source, offset }) => {
    const [topic = '', partition = ''] = source.split('/').slice(2);
    return placeOf(topic, partition, offset);
  });

import { clickhouse } from '../../connectors/clickhouse/index.js';
import { kafka } from '../../connectors/kafka/index.js';
import { dedupe, expectations, hours, map, topology, validate } from '../../src/index.js';
import { json } from '../../src/schema/index.js';

export interface JsonEvent {
  readonly id: number;
  readonly at: number;
  readonly n: number | null;
  readonly tag: string | null;
}

/** Steps as the flights have them, over JSON, which promises nothing about the shape of a value. */
export const jsonEvents = topology(
  'json-events',
  { deadLetters: kafka.deadLetterSink({ topic: 'events.dead' }) },
  (t) => {
    t.source(
      'events',
      kafka.source({ topic: 'events', schema: json<JsonEvent>({ subject: 'events' }), eventTime: (e) => e.at }),
    )
      .via('dedupe', dedupe({ key: (e) => e.id, retention: hours(24), keysMax: 1_000_000 }))
      .via(
        'validate',
        validate(
          expectations<JsonEvent>()
            .notNull('n', 'tag')
            .range('n', 0, 1_000)
            .matches('tag', /^[A-Z]{3}$/)
            .fresh((e) => e.at, hours(12)),
        ),
      )
      .via(
        'as-row',
        map((e) => ({ id: String(e.id), at: e.at })),
      )
      .to('seen', clickhouse.tableSink({ table: 'seen', columns: { id: 'String', at: 'DateTime64(3)' } }));
  },
);

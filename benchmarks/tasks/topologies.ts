import { kafka } from '../../connectors/kafka/index.js';
import { count } from '../../src/aggregates/index.js';
import { hours, stateful } from '../../src/core/index.js';
import { window } from '../../src/operators/index.js';
import { json } from '../../src/schema/index.js';
import { mapCell } from '../../src/state/index.js';
import { topology } from '../../src/topology/index.js';
import { tumbling } from '../../src/window.js';

/** What the topics hold. */
export interface Visit {
  readonly visitor: string;
  /** There are few of them, and each is in every partition. */
  readonly page: string;
  readonly at: number;
}

/** How often a page was visited in an hour. */
export interface PageHour {
  readonly key: string;
  readonly startMs: number;
  readonly visits: number;
}

/** What the topologies write. */
export const outputs = { seen: 'bench.seen', hours: 'bench.hours' } as const;

const deadLetters = kafka.deadLetterSink({ topic: 'bench.dead' });
const visits = (topic: string) => kafka.source({ topic, schema: json<Visit>(), eventTime: ({ at }) => at });

const seen = stateful<
  Visit,
  { visitor: string; visits: number },
  { visits: ReturnType<typeof mapCell<string, number>> }
>({
  kind: 'seen',
  cells: { visits: mapCell<string, number>() },
  open: ({ visits }) => ({
    onRecord(_input, { visitor }, emit) {
      const times = (visits.get(visitor) ?? 0) + 1;
      visits.set(visitor, times);
      emit({ visitor, visits: times });
    },
  }),
});

/** Counts by key: one stateful step, one output for each record. */
export const counting = (topic: string) =>
  topology('tasks', { deadLetters }, (t) => {
    t.source('visits', visits(topic))
      .via('seen', seen)
      .to('out', kafka.sink({ topic: outputs.seen, schema: json(), partitions: 8 }));
  });

/** Counts by a key of the partition, and by hours over all partitions: their watermarks are merged. */
export const merging = (topic: string) =>
  topology('skew', { deadLetters }, (t) => {
    const source = t.source('visits', visits(topic));
    source.via('seen', seen).to('out', kafka.sink({ topic: outputs.seen, schema: json(), partitions: 8 }));
    source
      .repartition('by-page', { key: ({ page }) => page, schema: json<Visit>() })
      .via(
        'hours',
        window({ key: ({ page }) => page, window: tumbling(hours(1)), aggregate: { visits: count() }, keysMax: 1_000 }),
      )
      .to('pages', kafka.sink({ topic: outputs.hours, schema: json<PageHour>(), partitions: 1 }));
  });

export const topologies = { counting, merging };

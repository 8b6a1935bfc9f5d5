import { json, map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
import { mapCell, stateful } from 'millrace/operator';

/** `n` counts over all records of a topic, `key` has one in each partition. */
export interface Event {
  readonly n: number;
  readonly key: string;
  readonly atMs: number;
}

interface Counted extends Event {
  readonly count: number;
}

const count = () =>
  stateful<Event, Counted, { counts: ReturnType<typeof mapOfNumbers> }>({
    kind: 'count',
    cells: { counts: mapOfNumbers() },
    open: ({ counts }) => ({
      onRecord(_input, event, emit) {
        const count = (counts.get(event.key) ?? 0) + 1;
        counts.set(event.key, count, event.atMs);
        emit({ ...event, count });
      },
    }),
  });

/** Milliseconds since the last event of a key. */
const gap = () =>
  stateful<Counted, Counted & { readonly gapMs: number }, { last: ReturnType<typeof mapOfNumbers> }>({
    kind: 'gap',
    cells: { last: mapOfNumbers() },
    open: ({ last }) => ({
      onRecord(_input, event, emit) {
        const gapMs = event.atMs - (last.get(event.key) ?? event.atMs);
        last.set(event.key, event.atMs, event.atMs);
        emit({ ...event, gapMs });
      },
    }),
  });

const mapOfNumbers = () => mapCell<string, number>({ entriesMax: 10_000 });

/** Names everything: set by who runs the drill. */
const name = process.env.DRILL_NAME ?? 'upgrade-drill';

const version = ({ inputs, labelled = false, gaps = false }: Version) =>
  topology(name, { deadLetters: kafka.deadLetterSink({ topic: `${name}.dead` }) }, (t) => {
    for (const id of inputs) {
      const source = kafka.source({ topic: `${name}.${id}`, schema: json<Event>(), eventTime: ({ atMs }) => atMs });
      const counted = t.source(id, source).via(`count-${id}`, count());
      const sink = kafka.sink<Event>({ topic: `${name}.${id}.out`, schema: json(), key: ({ key }) => key });
      const named = labelled
        ? counted.via(
            `label-${id}`,
            map((event) => ({ ...event, label: 'v1.1' })),
          )
        : counted;
      (gaps ? named.via(`gap-${id}`, gap()) : named).to(`out-${id}`, sink);
    }
  });

interface Version {
  readonly inputs: readonly string[];
  readonly labelled?: boolean;
  readonly gaps?: boolean;
}

export const v1 = version({ inputs: ['orders', 'refunds'] });
/** Another stateless step: shares the tasks with v1. */
export const v1b = version({ inputs: ['orders', 'refunds'], labelled: true });
/** Without an input and its state, with a stateful step more: its plan must be accepted. */
export const v2 = version({ inputs: ['orders'], labelled: true, gaps: true });

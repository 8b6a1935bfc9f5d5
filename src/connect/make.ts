import type { KindDefinition, KindSpec, LookupKind, SinkKind, SourceKind } from '../core/kind.js';
import type { Lookup } from '../core/lookup.js';
import { type Problem, problemsOf, resolve, settingsOf } from '../core/options.js';
import type { Sink } from '../core/sink.js';
import type { Source } from '../core/source.js';

/** Properties besides those of the kind, or replacing them; `problems` are added to those of the options. */
type More<Made> = Omit<Partial<Made>, 'definition' | 'connector' | 'kind'>;

/**
 * Creates a source as inert data, from the options and the properties that the runtime and the driver need.
 *
 * @example
 * sourceOf<Line>(lines.kinds.source, options, { topic: options.file, schema, eventTimeOf: (_, timestampMs) => timestampMs });
 */
export const sourceOf = <T>(
  kind: KindDefinition<SourceKind>,
  written: object,
  more: More<Source<T>> & Pick<Source<T>, 'topic' | 'schema' | 'eventTimeOf'>,
): Source<T> => Object.freeze({ ...more, ...common(kind, written, more) });

/**
 * Creates a sink as inert data. Its driver finds the options, with defaults, in `options`, unless others are given.
 *
 * @example
 * sinkOf<Order>(lines.kinds.sink, { file: 'orders.ndjson' });
 */
export const sinkOf = <T>(kind: KindDefinition<SinkKind>, written: object, more: More<Sink<T>> = {}): Sink<T> =>
  Object.freeze({ ...more, ...common(kind, written, more) });

/**
 * Creates a lookup as inert data.
 *
 * @example
 * lookupOf<Customer>(lines.kinds.lookup, { file: 'customers.ndjson' });
 */
export const lookupOf = <V>(kind: KindDefinition<LookupKind>, written: object, more: More<Lookup<V>> = {}): Lookup<V> =>
  Object.freeze({ ...more, ...common(kind, written, more) });

function common<K extends KindSpec>(kind: KindDefinition<K>, written: object, more: More<Sink<never>>) {
  const problems: readonly Problem[] = [...problemsOf(kind, written), ...(more.problems ?? [])];
  return {
    definition: kind,
    connector: kind.connector.name,
    kind: kind.kind,
    settings: Object.freeze(more.settings ?? settingsOf(kind, written)),
    problems: Object.freeze(problems),
    options: Object.freeze(more.options ?? resolve(kind, written)),
  };
}

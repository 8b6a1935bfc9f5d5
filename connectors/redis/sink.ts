import * as is from '../../src/core/option-types.js';
import { type ConnectorKind, problemsOf, settingsOf } from '../../src/core/options.js';
import type { Sink } from '../../src/core/sink.js';

/** What several kinds of sinks have in common. */

/** A name, or what makes one of a value. */
export const nameOrCallback = is.custom<string | ((value: never) => string)>(
  'text or `(value) => string`',
  (value) => typeof value === 'function' || is.text.accepts(value),
  (value) => (typeof value === 'string' ? value : undefined),
);

/** The same for every value, or made of it. */
export const nameOf = (name: string | ((value: never) => string)): ((value: unknown) => string) =>
  typeof name === 'string' ? () => name : (name as (value: unknown) => string);

/** A sink as inert data: what the user wrote for `describe` and `check`, and what the driver makes of it. */
export const sinkOf = <T>(kind: ConnectorKind, written: object, driven: object, place?: Sink<T>['place']): Sink<T> =>
  Object.freeze({
    connector: 'redis',
    kind: kind.kind,
    settings: settingsOf(kind, written),
    problems: problemsOf(kind, written),
    options: Object.freeze(driven),
    ...(place === undefined ? {} : { place: Object.freeze(place) }),
  });

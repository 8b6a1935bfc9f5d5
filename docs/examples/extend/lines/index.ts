// A custom connector: a source and a sink of JSON lines in folders, and a lookup in a file. This file is inert data. The code that opens
// files is in open.ts, which is loaded when a topology runs.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'millrace';
import {
  defaulted,
  defineConnector,
  type Lookup,
  lookupOf,
  type OptionsOf,
  option,
  required,
  resolve,
  type Sink,
  type Source,
  sinkOf,
  sourceOf,
} from 'millrace/connect';

/** The definition of the connector: `describe`, `check`, `connectors list` and the runtime read it. */
export const linesConnector = defineConnector({
  name: 'lines',
  kinds: {
    source: {
      role: 'source',
      doc: 'Reads the JSON lines that are appended to the files of a folder, one file for each partition.',
      options: {
        folder: required(option.text, 'The folder; `0.ndjson` is partition 0.'),
        partitions: defaulted(option.integer(1), 1, 'How many files there are, and so tasks.'),
        eventTime: required(option.callback<(value: never) => number>('(value) => ms'), 'When a value happened.'),
      },
    },
    sink: {
      role: 'sink',
      doc: 'Writes the values of each checkpoint as JSON lines into a file that appears when the checkpoint is stored.',
      writes: 'prepared',
      // `millrace verify` runs a topology twice and compares the outputs. Each run writes to its own folder.
      verify: {
        called: ({ folder }: { folder: string }) => folder,
        isolate: (options: { folder: string }, { id, run, step }) => ({
          ...options,
          folder: join(tmpdir(), id, run, step),
        }),
      },
      options: {
        folder: required(option.text, 'The folder; made where it is missing.'),
      },
    },
    lookup: {
      role: 'lookup',
      doc: 'Finds values in a file of JSON lines, by a field of theirs.',
      options: {
        file: required(option.text, 'The file; read again when it has changed.'),
        key: required(option.text, 'The field that is the key; of equal ones the last line counts.'),
        linesMax: defaulted(option.integer(1), 100_000, 'Lines held in memory; a longer file is an error.'),
      },
    },
  },
  open: async () => {
    const { linesLookup, linesSink, linesSource, linesWritten } = await import('./open.js');
    return {
      drivers: { source: linesSource(), sink: linesSink(), lookup: linesLookup() },
      written: { sink: linesWritten() },
    };
  },
});

const { kinds } = linesConnector;

export interface LinesSourceOptions<T> extends Omit<OptionsOf<typeof kinds.source.options>, 'eventTime'> {
  readonly eventTime: (value: T) => number;
}

/** Folders and files of JSON lines. */
export const lines = {
  /**
   * Reads the lines that are appended to the files of a folder.
   *
   * @example
   * t.source('trades', lines.source<Trade>({ folder: 'trades', eventTime: (trade) => trade.at }));
   */
  source<T>(options: LinesSourceOptions<T>): Source<T> {
    const { folder, partitions, eventTime } = options;
    return sourceOf<T>(kinds.source, options, {
      topic: folder,
      schema: json<T>() as Source<T>['schema'],
      eventTimeOf: eventTime as (value: unknown) => number,
      options: resolve(kinds.source, { folder, partitions, eventTime }),
    });
  },

  /**
   * Writes values as JSON lines. A file becomes visible after the checkpoint that covers it.
   *
   * @example
   * prices.to('prices', lines.sink({ folder: 'prices' }));
   */
  sink: <T>(options: OptionsOf<typeof kinds.sink.options>): Sink<T> => sinkOf<T>(kinds.sink, options),

  /**
   * Looks values up by one of their fields.
   *
   * @example
   * trades.via('company', lookup({ from: lines.lookup<Company>({ file: 'companies.ndjson', key: 'symbol' }), ... }));
   */
  lookup: <V>(options: OptionsOf<typeof kinds.lookup.options>): Lookup<V> => lookupOf<V>(kinds.lookup, options),
} as const;

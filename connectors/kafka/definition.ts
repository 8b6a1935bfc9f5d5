import { defineConnector } from '../../src/core/connector.js';
import * as kind from './kinds.js';
import { settings } from './settings.js';

/** Topics. They are in the log of the profile, so a checkpoint and the records written before it are one transaction. */
export const definition = defineConnector({
  name: 'kafka',
  kinds: {
    source: kind.sourceKind,
    tableSource: kind.tableKind,
    globalTableSource: kind.globalTableKind,
    sink: kind.sinkKind,
    upsertSink: kind.upsertsKind,
    deadLetterSink: kind.deadLettersKind,
  },
  settings,
  async open(context) {
    const { source, sink } = context.log;
    const { writtenTopics } = await import('./written.js');
    const written = writtenTopics(context);
    return {
      drivers: {
        source,
        tableSource: source,
        globalTableSource: source,
        sink,
        upsertSink: sink,
        deadLetterSink: sink,
      },
      written: { sink: written, upsertSink: written, deadLetterSink: written },
    };
  },
});

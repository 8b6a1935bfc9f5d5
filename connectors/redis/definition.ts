import { defineConnector } from '../../src/core/connector.js';
import * as kind from './kinds.js';
import { settings } from './settings.js';

/** Redis. On the embedded profile the store inside the process serves hashes; every other kind needs a server on both profiles. */
export const definition = defineConnector({
  name: 'redis',
  kinds: {
    hashSink: kind.hashKind,
    upsertSink: kind.upsertsKind,
    metricsSink: kind.metricsKind,
    stringSink: kind.stringKind,
    jsonSink: kind.jsonKind,
    streamSink: kind.streamKind,
    sortedSetSink: kind.sortedSetKind,
    setSink: kind.setKind,
    counterSink: kind.counterKind,
    publishSink: kind.publishKind,
    streamSource: kind.entriesKind,
    hashLookup: kind.hashesKind,
    stringLookup: kind.stringsKind,
  },
  settings,
  async open({ settings: reached, hashes }) {
    const [{ openRedis }, { redisOptions }, { writtenKeys }] = await Promise.all([
      import('./open.js'),
      import('./reached-by.js'),
      import('./written.js'),
    ]);
    const server = openRedis(redisOptions(reached));
    const { sink, lookup } = hashes ?? server;
    const ofServer = { ...server, read: (keys: readonly string[]) => server.contents(keys) };
    const ofStore = hashes && {
      keys: async (prefix: string) => hashes.keys(prefix),
      read: async (keys: readonly string[]) => keys.map((key) => hashes.read(key)),
      remove: async () => undefined, // they are deleted with the profile's folder
      removeFences: async () => undefined,
    };
    const written = writtenKeys(ofServer);
    const writtenHashes = writtenKeys(ofStore ?? ofServer);
    return {
      drivers: {
        hashSink: sink,
        upsertSink: sink,
        metricsSink: sink,
        stringSink: server.sink,
        jsonSink: server.sink,
        streamSink: server.sink,
        sortedSetSink: server.sink,
        setSink: server.sink,
        counterSink: server.sink,
        publishSink: server.publishSink,
        streamSource: server.source,
        hashLookup: lookup,
        stringLookup: server.lookup,
      },
      written: {
        hashSink: writtenHashes,
        upsertSink: writtenHashes,
        stringSink: written,
        jsonSink: written,
        streamSink: written,
        sortedSetSink: written,
        setSink: written,
        counterSink: written,
      },
      command: server.command,
      // On the embedded profile hashes are in the process, and nothing else may need a server.
      ...(!hashes && { examine: () => server.examine() }),
      close: () => server.close(),
    };
  },
});

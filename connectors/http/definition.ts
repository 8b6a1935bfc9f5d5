import { defineConnector } from '../../src/core/connector.js';
import * as kind from './kinds.js';

/** Services over HTTP, the same on both profiles. */
export const definition = defineConnector({
  name: 'http',
  kinds: {
    pollSource: kind.pollKind,
    ingestSource: kind.ingestKind,
    webhookSink: kind.webhookKind,
    getLookup: kind.getKind,
    postLookup: kind.postKind,
  },
  async open({ schemas, log }) {
    const [{ openHttp }, { httpSink }, { httpSource }] = await Promise.all([
      import('./open.js'),
      import('./sink.js'),
      import('./source.js'),
    ]);
    const requests = httpSource({ schemas, topics: log.source, producer: () => log.producer() });
    const { lookup } = openHttp();
    return {
      drivers: {
        pollSource: requests,
        ingestSource: requests,
        webhookSink: httpSink(),
        getLookup: lookup,
        postLookup: lookup,
      },
      close: () => requests.close(),
    };
  },
});

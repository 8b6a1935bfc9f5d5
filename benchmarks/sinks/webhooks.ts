import { http } from '../../connectors/http/index.js';
import { httpSink } from '../../connectors/http/sink.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import type { Contest } from './contest.js';
import { type Side, sinkSide } from './side.js';

const CONCURRENCY = 8;
const WAITING_MAX = 1_000;

/** As many requests at a time as the sink has, each value in one. */
function byHand(url: string): Side {
  const waiting: Prediction[] = [];
  let senders: Promise<void>[] = [];
  const send = async (): Promise<void> => {
    for (let value = waiting.shift(); value; value = waiting.shift()) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(value),
        signal: AbortSignal.timeout(30_000),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`status ${response.status}`);
    }
  };
  const settle = async (): Promise<void> => {
    await Promise.all(senders);
    senders = Array.from({ length: CONCURRENCY }, send);
    await Promise.all(senders);
  };
  return {
    write(values) {
      waiting.push(...values);
      if (waiting.length >= WAITING_MAX) return settle();
    },
    settle,
    close: async () => undefined,
  };
}

export const contests: readonly Contest[] = [
  {
    name: 'http.webhookSink',
    byHand: `fetch: POST of each value, ${CONCURRENCY} at a time`,
    needs: ['webhook'],
    records: 4_000,
    async open({ webhook: url }) {
      const sink = http.webhookSink<Prediction>({ url, key: (p) => String(p.flightId) });
      return {
        sink: (run) => sinkSide(httpSink(), sink, run),
        byHand: async () => byHand(url),
        close: async () => undefined,
      };
    },
  },
];

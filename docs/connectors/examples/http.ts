import { filter, json, lookup, topology } from 'millrace';
import { http } from 'millrace/connectors/http';
import { kafka } from 'millrace/connectors/kafka';

interface Click {
  readonly user: string;
  readonly page: string;
  readonly at: number;
}
interface Alert {
  readonly user: string;
  readonly at: number;
}

/** Receives clicks over HTTP, looks up scores in a service, and sends alerts to another one. */
export const example = topology('clicks', { deadLetters: kafka.deadLetterSink({ topic: 'clicks.dead' }) }, (t) => {
  t.source(
    'clicks',
    http.ingestSource({
      topic: 'clicks',
      schema: json<Click>(),
      port: 8080,
      key: (click) => click.user,
      eventTime: (click) => click.at,
    }),
  )
    .via(
      'user',
      lookup({
        from: http.getLookup<{ tier: string }>({ url: 'http://127.0.0.1:9100/users/{key}' }),
        key: (click) => click.user,
        as: 'known',
        onMissing: { use: { tier: 'new' } },
      }),
    )
    .via(
      'score',
      lookup({
        from: http.postLookup<number>({ url: 'http://127.0.0.1:9100/scores' }),
        key: (click) => click.page,
        as: 'score',
      }),
    )
    .via(
      'suspicious',
      filter((click) => click.score > 0.9),
    )
    .to('alerts', http.webhookSink({ url: 'http://127.0.0.1:9100/alerts', key: (click) => click.user }));
  // Reads the results of another service, page by page.
  t.source(
    'others',
    http.pollSource({
      url: 'http://127.0.0.1:9100/alerts',
      schema: json<Alert>(),
      eventTime: (alert) => alert.at,
      items: (page: { readonly alerts: readonly Alert[] }) => page.alerts,
      cursor: { param: 'after', next: (page: { readonly next?: string }) => page.next },
    }),
  ).to('all-alerts', kafka.sink({ topic: 'alerts.v1', schema: json<Alert>(), key: (alert) => alert.user }));
});

export const records = {
  clicks: [
    { user: 'ann', page: '/login', at: 1_000 },
    { user: 'bob', page: '/home', at: 2_000 },
  ],
  others: [{ user: 'eve', at: 1_500 }],
};

export const lookups = {
  user: (key: string) => (key === 'ann' ? { tier: 'gold' } : undefined),
  score: (key: string) => (key === '/login' ? 0.95 : 0.1),
};

/* out
alerts  {"user": "ann", "page": "/login", "at": 1000, "known": {"tier": "gold"}, "score": 0.95}
all-alerts  {"user": "eve", "at": 1500}
*/

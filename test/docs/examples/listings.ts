import { avro, decodeImage, encodeTokens, hours, infer, map, millis, topology } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { kafka } from 'millrace/connectors/kafka';
import { redis } from 'millrace/connectors/redis';

interface Listing {
  readonly id: string;
  readonly listedAt: number;
  readonly title: string;
  /** A JPEG, PNG or WebP as it was uploaded. */
  readonly photo: Uint8Array;
}

const ListingV1 = avro<Listing>({
  subject: 'listings.v1-value',
  definition: JSON.stringify({
    type: 'record',
    name: 'Listing',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'listedAt', type: 'long' },
      { name: 'title', type: 'string' },
      { name: 'photo', type: 'bytes' },
    ],
  }),
});

/** The same for padding and for the model: texts of one length share its batches. */
const lengths = [16, 32];
const batches = { batchMax: 32, waitMax: millis(5), providers: ['cpu'] } as const;

export const listings = topology('listings', { deadLetters: kafka.deadLetterSink({ topic: 'listings.dead' }) }, (t) => {
  const embedded = t
    .source('listed', kafka.source({ topic: 'listings.v1', schema: ListingV1, eventTime: (l) => l.listedAt }))
    .via('pixels', decodeImage({ from: (l) => l.photo, as: 'pixels', width: 32, height: 32 }))
    .via(
      'look',
      infer({
        model: new URL('../../inference/models/tiny-cnn.onnx', import.meta.url),
        as: 'look',
        inputs: { pixels: (l) => l.pixels },
        normalize: true,
        ...batches,
      }),
    )
    .via(
      'tokens',
      encodeTokens({
        from: (l) => l.title,
        as: 'tokens',
        tokenizer: new URL('../../operators/text/tokenizers/word-piece.json', import.meta.url),
        lengths,
      }),
    )
    .via(
      'meaning',
      infer({
        model: new URL('../../inference/models/tiny-encoder.onnx', import.meta.url),
        as: 'meaning',
        inputs: { input_ids: (l) => l.tokens.inputIds, attention_mask: (l) => l.tokens.attentionMask },
        lengths,
        pooling: { mean: 'attention_mask' },
        normalize: true,
        ...batches,
      }),
    )
    .via(
      'vectors',
      map(({ id, listedAt, look, meaning }) => ({ id, listedAt, look: look.vector, meaning: meaning.vector })),
    );

  embedded.to(
    'history',
    clickhouse.tableSink({
      table: 'listing_vectors',
      columns: { id: 'String', listedAt: 'DateTime64(3)', look: 'Array(Float32)', meaning: 'Array(Float32)' },
      orderBy: ['id'],
    }),
  );
  embedded.to('online', redis.hashSink({ key: ({ id }) => `listing:${id}`, ttl: hours(24) }));
});

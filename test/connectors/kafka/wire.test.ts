import { type API, fetchV13, Reader, Writer } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { codesOf } from '../../../connectors/kafka/protocol/broker-error.js';
import { featuresApi } from '../../../connectors/kafka/protocol/features.js';
import { type FetchRequest, fetchApi } from '../../../connectors/kafka/protocol/fetch.js';
import { groupOffsetsApi } from '../../../connectors/kafka/protocol/group-offsets.js';
import { produceApi, produceInOwnEpochApi } from '../../../connectors/kafka/protocol/produce.js';
import { commitOffsetsInOwnEpochApi, endInOwnEpochApi } from '../../../connectors/kafka/protocol/transactions.js';

// Requests and answers byte by byte, as https://kafka.apache.org/protocol describes them.

interface Sent<Answer> {
  readonly apiKey: number;
  readonly version: number;
  readonly bytes: Reader;
  answer(bytes: Writer): Promise<Answer>;
}

/** Sends a request over a connection that keeps its bytes and answers with others. */
function sent<Args extends unknown[], Answer>(api: API<Args, Answer>, ...args: Args): Promise<Sent<Answer>> {
  return new Promise((resolve) => {
    const connection = {
      send(
        apiKey: number,
        version: number,
        payload: () => Writer,
        parser: (correlation: number, apiKey: number, version: number, reader: Reader) => Answer,
        _requestTags: boolean,
        _responseTags: boolean,
        callback: (error: unknown, answer?: Answer) => void,
      ) {
        const answer = (bytes: Writer) => {
          try {
            callback(null, parser(1, apiKey, version, Reader.from(bytes.dynamicBuffer.slice())));
          } catch (error) {
            callback(error);
          }
          return answered;
        };
        resolve({ apiKey, version, bytes: Reader.from(payload().dynamicBuffer.slice()), answer });
      },
    };
    const answered = api.async(connection as never, ...args);
  });
}

const none = (writer: Writer) => writer.appendTaggedFields();
/** Tagged fields as brokers add them: one that nobody here knows. */
const unknownTag = (writer: Writer) =>
  writer
    .appendUnsignedVarInt(1)
    .appendUnsignedVarInt(9)
    .appendUnsignedVarInt(2)
    .append(Buffer.from([1, 2]));

describe('a fetch', () => {
  const request: FetchRequest = {
    ...{
      topicId: '11111111-2222-3333-4444-555555555555',
      partition: 3,
      offset: 70,
      leaderEpoch: 5,
      lastFetchedEpoch: 4,
    },
    ...{ waitMaxMs: 250, bytesMax: 1_000, rack: 'here' },
  };

  it('asks for committed records of one partition from a replica that is close, without a session', async () => {
    const { apiKey, version, bytes } = await sent(fetchApi, request);
    expect([apiKey, version]).toEqual([1, 13]);
    const partition = [
      { partition: 3, currentLeaderEpoch: 5, fetchOffset: 70n, lastFetchedEpoch: 4, partitionMaxBytes: 1_000 },
    ];
    const expected = fetchV13.createRequest(
      250,
      1,
      1_000,
      1,
      0,
      -1,
      [{ topicId: request.topicId, partitions: partition }],
      [],
      'here',
    );
    expect(bytes.buffer.slice()).toEqual(expected.dynamicBuffer.slice());
  });

  const answerOf = (partition: (writer: Writer) => unknown, errorCode = 0) =>
    none(
      Writer.create()
        .appendInt32(12)
        .appendInt16(errorCode)
        .appendInt32(0)
        .appendArray([0], (topic) => {
          topic.appendUUID(request.topicId).appendArray([0], (each) => void partition(each), true, false);
        }),
    );
  const partition =
    (errorCode: number, records: Buffer | undefined, tags = none) =>
    (writer: Writer) => {
      writer.appendInt32(3).appendInt16(errorCode).appendInt64(90n).appendInt64(80n).appendInt64(7n);
      writer.appendArray([[4n, 71n] as const], (each, [producer, first]) =>
        each.appendInt64(producer).appendInt64(first),
      );
      writer.appendInt32(2).appendUnsignedVarInt(records === undefined ? 0 : records.length + 1);
      if (records) writer.append(records);
      tags(writer);
    };

  it('gives the ends of the log, aborted transactions and the bytes of the records', async () => {
    for (const records of [Buffer.from('records'), Buffer.alloc(0), undefined]) {
      const { answer } = await sent(fetchApi, request);
      expect(await answer(answerOf(partition(0, records, unknownTag)))).toMatchObject({
        ...{ throttleTimeMs: 12, highWatermark: 90, stableOffset: 80, preferredReplica: 2, diverging: undefined },
        ...{ aborted: [{ producerId: 4n, firstOffset: 71 }], bytes: records ?? Buffer.alloc(0) },
      });
    }
  });

  it('tells where the log of the broker parts from what was read', async () => {
    const tags = (writer: Writer) =>
      writer
        .appendUnsignedVarInt(2)
        .appendUnsignedVarInt(0)
        .appendUnsignedVarInt(13)
        .appendInt32(4)
        .appendInt64(66n)
        .append(Buffer.alloc(1)) // of the structure, which has no tagged fields
        .appendUnsignedVarInt(1)
        .appendUnsignedVarInt(0);
    const { answer } = await sent(fetchApi, request);
    expect(await answer(answerOf(partition(0, Buffer.from('x'), tags)))).toMatchObject({
      diverging: { epoch: 4, endOffset: 66 },
      bytes: Buffer.from('x'),
    });
  });

  it('fails with the error of the answer or of its partition', async () => {
    const failed = async (bytes: Writer) => (await sent(fetchApi, request)).answer(bytes);
    await expect(failed(answerOf(partition(1, undefined)))).rejects.toMatchObject({ errors: [{ apiCode: 1 }] });
    await expect(failed(answerOf(partition(0, undefined), 70))).rejects.toMatchObject({ errors: [{ apiCode: 70 }] });
  });

  it('that a broker answers with nothing, since it throttles, is empty', async () => {
    const { answer } = await sent(fetchApi, request);
    const nothing = none(
      Writer.create()
        .appendInt32(900)
        .appendInt16(0)
        .appendInt32(0)
        .appendArray([], () => undefined),
    );
    expect(await answer(nothing)).toEqual({
      ...{ throttleTimeMs: 900, preferredReplica: -1, highWatermark: -1, stableOffset: -1 },
      ...{ aborted: [], bytes: Buffer.alloc(0) },
    });
  });
});

describe.each([
  ['in the epoch of its owner', produceApi, 9],
  ['in an epoch of its own', produceInOwnEpochApi, 12],
] as const)('a produce %s', (_name, api, expectedVersion) => {
  const batches = [
    { topic: 'a', partition: 0, bytes: Buffer.from('first') },
    { topic: 'b', partition: 1, bytes: Buffer.from('other') },
    { topic: 'a', partition: 2, bytes: Buffer.alloc(200, 'x') },
  ];

  it('asks all replicas to take the batches, by topic', async () => {
    const { apiKey, version, bytes } = await sent(api, { transactionalId: 'id', batches });
    expect([apiKey, version]).toEqual([0, expectedVersion]);
    expect([bytes.readString(), bytes.readInt16(), bytes.readInt32()]).toEqual(['id', -1, 30_000]);
    const topics = bytes.readArray((topic) => {
      const name = topic.readString();
      const partitions = topic.readArray((each) => [each.readInt32(), each.readBytes().toString()]);
      return [name, partitions];
    });
    expect(topics).toEqual([
      [
        'a',
        [
          [0, 'first'],
          [2, 'x'.repeat(200)],
        ],
      ],
      ['b', [[1, 'other']]],
    ]);
    const plain = await sent(api, { transactionalId: null, batches });
    expect(plain.bytes.readNullableString()).toBeNull();
  });

  const answerOf = (errors: readonly (readonly [code: number, refused: string | null, message: string | null])[]) =>
    none(
      Writer.create()
        .appendArray([0], (topic) => {
          topic.appendString('a').appendArray(
            [...errors.entries()],
            (each, [partition, [errorCode, refused, message]]) => {
              each.appendInt32(partition).appendInt16(errorCode).appendInt64(1n).appendInt64(2n).appendInt64(3n);
              each.appendArray(refused === null ? [] : [refused], (record, text) =>
                record.appendInt32(0).appendString(text),
              );
              unknownTag(each.appendString(message));
            },
            true,
            false,
          );
        })
        .appendInt32(30),
    );

  it('is answered with the time that the broker makes this client wait', async () => {
    const { answer } = await sent(api, { transactionalId: 'id', batches });
    expect(
      await answer(
        answerOf([
          [0, null, null],
          [0, null, null],
        ]),
      ),
    ).toEqual({ throttleTimeMs: 30 });
  });

  it('fails where a batch was refused, with the words of the broker', async () => {
    const { answer } = await sent(api, { transactionalId: 'id', batches });
    const refused = answer(
      answerOf([
        [0, null, null],
        [10, null, 'too large'],
        [87, 'no key', null],
      ]),
    );
    await expect(refused).rejects.toMatchObject({
      errors: [
        { apiCode: 10, serverErrorMessage: 'too large', path: '/a/1' },
        { apiCode: 87, serverErrorMessage: 'no key', path: '/a/2' },
      ],
    });
  });
});

describe('a transaction with an epoch of its own', () => {
  it('ends with the epoch of the next one, or says why it does not', async () => {
    const { apiKey, version, answer } = await sent(endInOwnEpochApi, 'id', 7n, 3, true);
    expect([apiKey, version]).toEqual([26, 5]);
    const next = await answer(none(Writer.create().appendInt32(0).appendInt16(0).appendInt64(7n).appendInt16(4)));
    expect(next).toEqual({ producerId: 7n, producerEpoch: 4 });
    const refused = (await sent(endInOwnEpochApi, 'id', 7n, 3, true)).answer(
      none(Writer.create().appendInt32(0).appendInt16(90).appendInt64(-1n).appendInt16(-1)),
    );
    await expect(refused).rejects.toMatchObject({ errors: [{ apiCode: 90 }] });
  });

  it('commits offsets by the request that adds the group', async () => {
    const { apiKey, version } = await sent(commitOffsetsInOwnEpochApi, 'id', 'group', 7n, 3, -1, '', null, []);
    expect([apiKey, version]).toEqual([28, 5]);
  });
});

describe('the features of a cluster', () => {
  const ask = () => sent(featuresApi, 'millrace', '1');

  it('are those that the brokers have agreed on', async () => {
    const { apiKey, version, answer } = await ask();
    expect([apiKey, version]).toEqual([18, 3]);
    const features = Writer.create()
      .appendArray(['transaction.version', 'group.version'], (each, name) =>
        each.appendString(name).appendInt16(name.length).appendInt16(1),
      )
      .dynamicBuffer.slice();
    const bytes = Writer.create()
      .appendInt16(0)
      .appendArray([0, 1], (api) => api.appendInt16(0).appendInt16(0).appendInt16(9))
      .appendInt32(0)
      .appendUnsignedVarInt(2);
    for (const [tag, field] of [
      [0, Buffer.from([1, 2, 3])],
      [2, features],
    ] as const)
      bytes.appendUnsignedVarInt(tag).appendUnsignedVarInt(field.length).append(field);
    expect([...(await answer(bytes))]).toEqual([
      ['transaction.version', 19],
      ['group.version', 13],
    ]);
  });

  it('are none where a broker does not know the question, or has agreed on none', async () => {
    expect([...(await (await ask()).answer(Writer.create().appendInt16(35)))]).toEqual([]);
    const none = Writer.create()
      .appendInt16(0)
      .appendArray([], () => undefined)
      .appendInt32(0)
      .appendUnsignedVarInt(0);
    expect([...(await (await ask()).answer(none))]).toEqual([]);
  });
});

describe('the offsets of a group', () => {
  const answered = async (groupError: number) => {
    const request = await sent(groupOffsetsApi, [{ groupId: 'g', memberEpoch: -1, topics: null as never }], true);
    return request.answer(
      none(
        Writer.create()
          .appendInt32(0)
          .appendArray([groupError], (writer, error) =>
            writer
              .appendString('g')
              .appendArray([0, 88], (topic, partitionError, index) =>
                topic.appendString(`in-${index}`).appendArray([partitionError], (partition, code) =>
                  partition
                    .appendInt32(3)
                    .appendInt64(code === 0 ? 7n : -1n)
                    .appendInt32(-1)
                    .appendString('')
                    .appendInt16(code),
                ),
              )
              .appendInt16(error),
          ),
      ),
    );
  };

  it('are told where those of another partition are about to change', async () => {
    const { groups } = await answered(0);
    expect(groups.flatMap(({ topics }) => topics)).toMatchObject([
      { name: 'in-0', partitions: [{ partitionIndex: 3, committedOffset: 7n, errorCode: 0 }] },
      { name: 'in-1', partitions: [{ partitionIndex: 3, errorCode: 88 }] },
    ]);
  });

  it('are refused for the group as a whole', async () => {
    const refused = await answered(30).catch((error: unknown) => error);
    expect(codesOf(refused)).toContain(30);
  });
});

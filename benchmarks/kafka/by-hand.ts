import { Cluster } from '../../connectors/kafka/connection/cluster.js';
import { PartitionLog } from '../../connectors/kafka/partition-log.js';
import { type GroupOffset, Transaction } from '../../connectors/kafka/transaction.js';
import { FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import { type Prediction, PredictionV1 } from '../../schemas/prediction.v1.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import type { InferenceService, ModelHandle, OutgoingRecord, RawRecord } from '../../src/core/index.js';
import { partitionOf } from '../../src/core/partition.js';
import { vectorDigest } from '../../src/ml/features/index.js';
import { localRegistry, openCodec, type WireCodec } from '../../src/schema/index.js';
import type { Run } from '../pairs.js';
import { FlightsByHand, type Judged } from '../work/flights-by-hand.js';
import { topics, Window, type WorkOrder } from './task.js';

/** Records of a chunk, and chunks whose scores may be awaited at a time: as much as the engine has in flight. */
const CHUNK = 1_000;
const CHUNKS_IN_FLIGHT = 20;

const MODEL = new URL('../../models/risk/risk.onnx', import.meta.url);

/** One partition of a topic, read to where it ended at the start. */
class Reader {
  records: RawRecord[] = [];
  head = 0;
  offset = 0;

  private constructor(
    readonly topic: string,
    private readonly log: PartitionLog,
    private readonly end: number,
  ) {}

  static async open(cluster: Cluster, topic: string, partition: number): Promise<Reader> {
    const end = await cluster.endOffset(topic, partition, 'committed');
    return new Reader(topic, await PartitionLog.open(cluster, topic, partition, EARLIEST), end);
  }

  /** `false` at the end. */
  async fill(): Promise<boolean> {
    while (this.head === this.records.length) {
      if (this.offset >= this.end) return false;
      const range = await this.log.next();
      this.records = [];
      this.head = 0;
      for (let batch = range.take(); batch; batch = range.take()) this.records = this.records.concat(batch);
      const last = this.records[this.records.length - 1];
      this.offset = last ? last.offset + 1 : this.log.offset;
    }
    return true;
  }

  /** Where to go on after a commit of what was taken so far. */
  position(partition: number): GroupOffset {
    return { topic: this.topic, partition, offset: this.records[this.head]?.offset ?? this.offset };
  }

  close(): Promise<void> {
    return this.log.close();
  }
}

/** Commits at equal intervals, each partition shifted against the others as the engine's tasks are. */
class Committer {
  private dueMs: number;

  constructor(
    private readonly transaction: Transaction,
    private readonly intervalMs: number,
    shiftMs: number,
  ) {
    this.dueMs = Date.now() + intervalMs + shiftMs;
  }

  get isDue(): boolean {
    return Date.now() >= this.dueMs;
  }

  async commit(offsets: readonly GroupOffset[]): Promise<void> {
    await this.transaction.commit(offsets);
    this.dueMs = Math.max(this.dueMs + this.intervalMs, Date.now());
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The same work as a loop over the connector's own parts: no engine, no checkpointed state. */
export async function runByHand(order: WorkOrder, inference: InferenceService): Promise<Run> {
  const cluster = await Cluster.open({ brokers: [order.broker] });
  const window = new Window();
  try {
    const partitions = Array.from({ length: order.partitions }, (_, partition) => partition);
    const work = order.work === 'flights' ? flightsOf : copiesOf;
    const records = await Promise.all(
      partitions.map((partition) => work(cluster, order, partition, window, inference)),
    );
    return window.end(records.reduce((sum, count) => sum + count, 0));
  } finally {
    await cluster.close();
  }
}

async function beginTransaction(cluster: Cluster, { work, run }: WorkOrder, partition: number): Promise<Transaction> {
  const id = `loop-${work}-${run}`;
  const transaction = new Transaction(cluster, {
    transactionalId: `${id}.${partition}`,
    group: id,
    timeoutMs: 60_000,
    lease: undefined,
  });
  await transaction.begin();
  return transaction;
}

async function copiesOf(cluster: Cluster, order: WorkOrder, partition: number, window: Window): Promise<number> {
  const { partitions, intervalMs } = order;
  const transaction = await beginTransaction(cluster, order, partition);
  const codec = await openCodec(FlightDepartedV1, localRegistry());
  const reader = await Reader.open(cluster, topics.departed, partition);
  const committer = new Committer(transaction, intervalMs, (intervalMs * partition) / partitions);
  let count = 0;
  while (await reader.fill()) {
    window.begin();
    const { records } = reader;
    if (count === 0) await codec.prepare(records);
    const end = Math.min(records.length, reader.head + CHUNK);
    for (; reader.head < end; reader.head++) {
      const { value } = records[reader.head] as RawRecord;
      const flight = codec.decode(value as Uint8Array);
      const key = Buffer.from(flight.origin ?? '');
      const copy = { key, value: codec.encode(flight), timestampMs: flight.departedAt };
      transaction.add(topics.copies, partitionOf(key, partitions), copy);
      count += 1;
    }
    if (transaction.congested) await transaction.settle();
    if (committer.isDue) await committer.commit([reader.position(partition)]);
    await nextTurn();
  }
  await committer.commit([reader.position(partition)]);
  await Promise.all([reader.close(), transaction.close()]);
  return count;
}

async function flightsOf(
  cluster: Cluster,
  order: WorkOrder,
  partition: number,
  window: Window,
  inference: InferenceService,
): Promise<number> {
  const { partitions, intervalMs } = order;
  const registry = localRegistry();
  const departedCodec = await openCodec(FlightDepartedV1, registry);
  const arrivedCodec = await openCodec(FlightArrivedV1, registry);
  const predictionCodec = await openCodec(PredictionV1, registry);
  const model = await inference.open({ model: MODEL, batchMax: 256, waitMax: 5, providers: ['cpu'] });
  const transaction = await beginTransaction(cluster, order, partition);
  const departed = await Reader.open(cluster, topics.departed, partition);
  const arrived = await Reader.open(cluster, topics.arrived, partition);
  const committer = new Committer(transaction, intervalMs, (intervalMs * partition) / partitions);
  const flights = new FlightsByHand();
  const scoring: Promise<void>[] = [];
  let count = 0;

  for (;;) {
    const [moreDeparted, moreArrived] = await Promise.all([departed.fill(), arrived.fill()]);
    if (!moreDeparted && !moreArrived) break;
    window.begin();
    if (count === 0) {
      await departedCodec.prepare(departed.records);
      await arrivedCodec.prepare(arrived.records);
    }
    // By event time, for as long as neither side has to be waited for.
    const judged: Judged[] = [];
    for (let taken = 0; taken < CHUNK; taken++) {
      const nextDeparted = departed.records[departed.head];
      const nextArrived = arrived.records[arrived.head];
      if ((!nextDeparted && moreDeparted) || (!nextArrived && moreArrived)) break;
      if (nextDeparted && (!nextArrived || nextDeparted.timestampMs <= nextArrived.timestampMs)) {
        departed.head += 1;
        const flight = departedCodec.decode(nextDeparted.value as Uint8Array);
        const said = flights.departed(flight, flight.departedAt);
        if (said) judged.push(said);
      } else if (nextArrived) {
        arrived.head += 1;
        const arrival = arrivedCodec.decode(nextArrived.value as Uint8Array);
        flights.arrived(arrival, arrival.arrivedAt);
      } else break;
      count += 1;
    }
    if (judged.length > 0) scoring.push(score(judged, model, partitions, predictionCodec, transaction));
    if (scoring.length >= CHUNKS_IN_FLIGHT) await scoring.shift();
    if (transaction.congested) await transaction.settle();
    if (committer.isDue) {
      model.flush();
      await Promise.all(scoring.splice(0));
      await committer.commit([departed.position(partition), arrived.position(partition)]);
    }
    await nextTurn();
  }
  model.flush();
  await Promise.all(scoring);
  await committer.commit([departed.position(partition), arrived.position(partition)]);
  await Promise.all([departed.close(), arrived.close(), transaction.close()]);
  return count;
}

async function score(
  judged: readonly Judged[],
  model: ModelHandle,
  partitions: number,
  codec: WireCodec<Prediction>,
  transaction: Transaction,
): Promise<void> {
  const { scores } = await model.run(judged.length, (row, [into], place) => {
    const { dense } = (judged[row] as Judged).features;
    (into as Float32Array).set(dense, place * dense.length);
  });
  for (let row = 0; row < judged.length; row++) {
    const { flight, features, late, hourRate, lastClass, majority, modelVersion } = judged[row] as Judged;
    const { flightId, origin, destination, departedAt } = flight;
    const prediction: Prediction = {
      flightId,
      origin,
      destination,
      departedAt,
      late,
      hourRate,
      lastClass,
      majority,
      modelVersion,
      risk: scores[(row + 1) * model.outputSize - 1] ?? 0,
      riskModel: model.version,
      degraded: null,
      featuresDigest: vectorDigest(features),
    };
    const key = Buffer.from(origin);
    const record: OutgoingRecord = { key, value: codec.encode(prediction), timestampMs: departedAt };
    transaction.add(topics.predictions, partitionOf(key, partitions), record);
  }
}

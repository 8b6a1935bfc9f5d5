import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { EARLIEST } from '../../src/core/checkpoint.js';
import { type OutgoingRecord, sourceDriver } from '../../src/core/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { type OpenProfile, openProfile } from '../../src/profiles/profiles.js';
import { openCodec } from '../../src/schema/index.js';
import { serve } from '../soak/remote.js';
import { closingOf, isCopy, numberOf, PARTITIONS, type Payment, PaymentV1, paymentOf, TotalV1 } from './events.js';
import { payments, totals } from './topology.js';

// A process of its own: writes payments, never further ahead of their reader than it is told, and sums up what comes out.

export interface FeedOrder {
  readonly env: Readonly<Record<string, string>>;
  /** A multiple of the number of partitions. */
  readonly events: number;
  /** Events that may be written and not yet read. */
  readonly aheadMax: number;
}

/** Sums over payments, each counted once. */
export class Tally {
  payments = 0;
  amount = 0;
  /** The numbers of users, as often as they paid: whether payments are with their users. */
  users = 0;

  add(user: string, payments: number, amount: number): void {
    this.payments += payments;
    this.amount += amount;
    this.users += payments * numberOf(user);
  }
}

/** Records of a partition in one append. */
const CHUNK = 2_000;
const POLL_MAX = 5_000;
/** How often, and how long each time, what comes out last is waited for. */
const LAST_WAITS = 100;
const LAST_WAIT_MS = 100;

let profile: OpenProfile;
let read = 0;
let failure: unknown;
const fed = new Tally();
const found = new Tally();

const fail = (error: unknown) => {
  failure ??= error;
};

/** Sums up a partition of what comes out, before it is deleted. */
class Auditor {
  private offset = 0;
  private ending = false;
  private following: Promise<void> | undefined;

  constructor(private readonly partition: number) {}

  start(): void {
    this.following = this.read(false);
    this.following.catch(fail);
  }

  async finish(): Promise<void> {
    this.ending = true;
    await this.following;
    await this.read(true);
  }

  private async read(bounded: boolean): Promise<void> {
    const { partition } = this;
    const driver = await sourceDriver(profile, totals, 'audit');
    const codec = await openCodec(TotalV1, profile.schemas);
    const at = { task: { topology: 'audit', partition }, step: 'audit', partition, bounded };
    const reader = await driver.open(totals, { ...at, offset: this.offset || EARLIEST });
    for (let ended = false; !ended && (bounded || !this.ending); ) {
      const polled = await reader.poll(POLL_MAX);
      await codec.prepare(polled.records);
      for (const { offset, value } of polled.records) {
        const { user, payments, amount } = codec.decode(value as Uint8Array);
        found.add(user, payments, amount);
        this.offset = offset + 1;
      }
      ended = polled.ended;
    }
    await reader.close();
  }
}

const auditors = Array.from({ length: PARTITIONS }, (_, partition) => new Auditor(partition));

const services = {
  async start({ env, events, aheadMax }: FeedOrder): Promise<void> {
    profile = await openProfile(resolveConfig({ env }), { besideOwner: true });
    feed(events, aheadMax).catch(fail);
    for (const auditor of auditors) auditor.start();
  },
  /** How many events were read so far. */
  advance(events: number): void {
    if (failure !== undefined) throw failure;
    read = events;
  },
  /** What was written and what came out, once all of it was read. */
  async finish(): Promise<{ readonly fed: Tally; readonly found: Tally }> {
    // What was read last is committed with its epoch.
    for (let waits = 0; waits < LAST_WAITS && !isDeepStrictEqual(found, fed); waits++) await sleep(LAST_WAIT_MS);
    await Promise.all(auditors.map((auditor) => auditor.finish()));
    await profile.close();
    return { fed, found };
  },
};
export type FeederServices = typeof services;

async function feed(events: number, aheadMax: number): Promise<void> {
  const producer = profile.producer();
  const codec = await openCodec(PaymentV1, profile.schemas);
  const recordOf = (payment: Payment): OutgoingRecord => ({
    key: Buffer.from(payment.user),
    value: codec.encode(payment),
    timestampMs: payment.at,
  });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  const each = events / PARTITIONS;
  for (let from = 0; from < each; from += CHUNK) {
    while (from * PARTITIONS - read > aheadMax) await sleep(20);
    const to = Math.min(each, from + CHUNK);
    const appends = partitions.map((partition) => {
      const records: OutgoingRecord[] = [];
      for (let record = from; record < to; record++) {
        const payment = paymentOf(partition, record);
        records.push(recordOf(payment));
        if (!isCopy(record)) fed.add(payment.user, 1, payment.amount);
      }
      return producer.append(payments.name, partition, records);
    });
    await Promise.all(appends);
  }
  for (const partition of partitions)
    await producer.append(payments.name, partition, [recordOf(closingOf(partition, each))]);
  await producer.close();
}

serve(services);

import { setTimeout as sleep } from 'node:timers/promises';
import { heartbeatV4, joinGroupV8, leaveGroupV5, ResponseError, syncGroupV5 } from '@platformatic/kafka';
import { MillraceError } from '../../../src/core/errors.js';
import type { GroupMember, Membership, StandbyStatus, TopologyVersion } from '../../../src/core/profile.js';
import type { Standbys } from '../checkpoint/standby.js';
import type { Cluster } from '../connection/cluster.js';
import { ConnectionPool } from '../connection/connection-pool.js';
import { brokerError, code, hasCode, isBusy, isLost } from '../protocol/broker-error.js';
import {
  decodeAssignment,
  decodeClaim,
  encodeAssignment,
  encodeSubscription,
} from '../protocol/membership-messages.js';
import type { Share } from './assign-tasks.js';
import { Coordinator } from './coordinator.js';
import { isSameLayout, newsOf, shareByLayout } from './layouts.js';
import type { MemberVersion } from './sticky-assigner.js';
import { type Group, gone, type MemberIdentity, TaskLease } from './task-lease.js';

export interface MembershipOptions extends Pick<GroupMember, 'isPaused' | 'onPaused'> {
  readonly group: string;
  /** Co-partitioned topics: task N reads partition N of each. */
  readonly topics: readonly string[];
  readonly tasks: number;
  readonly version: TopologyVersion;
  /** A member that sends no heartbeat for this long loses its tasks. */
  readonly sessionTimeoutMs: number;
  /** The number of standbys of each task; that of the group's leader counts. */
  readonly standbysMax: number;
  readonly standbys: Standbys;
  /** The address for state queries of this process's tasks, which the group passes to the other members. */
  readonly address: string | undefined;
  onAssigned(tasks: readonly number[]): void;
  /** Called with the id of this process in the group. */
  onJoined(memberId: string): void;
  onWarning(message: string): void;
  onFailed(cause: unknown): void;
}

const PROTOCOL_TYPE = 'consumer';
const PROTOCOL = 'millrace-sticky';
/** The heartbeat interval: how soon a member learns of a rebalance. */
const HEARTBEAT_MS = 250;
/** How long a member that is refused stays: the others hear of it with their assignments. */
const NEWS_MS = 2 * HEARTBEAT_MS;
/** How long the broker may take to answer after the longest rebalance. */
const ANSWER_MS = 15_000;
/** How many times in a row the coordinator may be unreachable, each time for the cluster's retry timeout. */
const OUTAGES_MAX = 10;

const NO_SHARE: Share = { owned: [], standby: [], pending: [] };
const NOBODY: MemberIdentity = { generation: -1, memberId: '' };

/**
 * The membership of this process in the consumer group that shares a topology's tasks, by Kafka's classic group protocol and
 * `assignTasks`. It reads no records: it joins, learns its tasks, and sends a heartbeat every 250 ms.
 *
 * While a rebalance waits for members, tasks continue and commit: the coordinator accepts transactional offsets of the old
 * generation until all have joined. From then until the assignment is known, commits wait for some milliseconds.
 */
export class GroupMembership implements Membership, Group {
  private readonly connections: ConnectionPool;
  private readonly coordinator: Coordinator;
  private readonly tenures = new Map<number, TaskLease>();
  private current = NOBODY;
  private pending: readonly number[] = [];
  private addresses: readonly (string | null)[] = [];
  private memberId = '';
  private leaving = false;
  private waits: boolean;
  private toldOfLayouts: string | undefined;
  private confirmedAtMs = Number.NEGATIVE_INFINITY;
  private wake: () => void = () => undefined;
  private waiting: (() => void)[] = [];
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly cluster: Cluster,
    private readonly options: MembershipOptions,
  ) {
    this.waits = options.version.accepted;
    const requestTimeoutMs = options.sessionTimeoutMs + ANSWER_MS;
    this.connections = new ConnectionPool({ ...cluster.linkOptions, requestTimeoutMs });
    this.coordinator = new Coordinator(cluster, this.connections, 'group', options.group);
  }

  /** Resolves after the first assignment. */
  async join(): Promise<void> {
    try {
      await this.rejoin();
    } catch (error) {
      await this.leave().catch(() => undefined); // the first failure is the cause
      throw error;
    }
    this.running = this.stay().catch((cause: unknown) => {
      this.settle(NOBODY, NO_SHARE);
      if (!this.leaving) this.options.onFailed(cause);
    });
  }

  get identity(): MemberIdentity {
    return this.current;
  }

  nextAssignment(): Promise<void> {
    this.wake();
    return this.changed();
  }

  /**
   * Asks the coordinator for the right to open a task: a process that was suspended must not take back a task that another one got
   * meanwhile.
   *
   * @throws MillraceError `fenced` if the task does not belong to this process.
   */
  async claim(task: number): Promise<TaskLease> {
    const askedAtMs = performance.now();
    while (this.tenures.has(task) && this.confirmedAtMs < askedAtMs) await this.nextAssignment();
    const lease = this.tenures.get(task);
    if (!lease) throw gone(this.where(task));
    return lease;
  }

  addressOf(task: number): string | undefined {
    return this.addresses[task] ?? undefined;
  }

  standbys(): StandbyStatus[] {
    return this.options.standbys.status();
  }

  async leave(): Promise<void> {
    if (this.leaving) return;
    this.leaving = true;
    this.wake();
    await this.connections.close(); // ends a join that waits for other members
    await this.running;
    this.settle(NOBODY, NO_SHARE);
    if (this.memberId) await removeGroupMember(this.cluster, this.options.group, this.memberId);
  }

  /** Sends heartbeats until a rebalance starts, joins again, and so on. */
  private async stay(): Promise<void> {
    while (!this.leaving) {
      await this.pause();
      if (this.leaving) return;
      if (!(await this.beat()) || this.isReadyForMore()) await this.rejoin();
    }
  }

  /** Sends a heartbeat; resolves with whether the assignment is unchanged. */
  private async beat(): Promise<boolean> {
    const { generation, memberId } = this.current;
    const beganAtMs = performance.now();
    try {
      await this.patiently(() =>
        this.coordinator.requestAgain(heartbeatV4.api, this.options.group, generation, memberId, null),
      );
      this.confirm(beganAtMs);
      return true;
    } catch (error) {
      // A rebalance runs; this member and its generation were accepted.
      if (hasCode(error, code.rebalanceInProgress)) this.confirm(beganAtMs);
      else if (hasCode(error, code.unknownMemberId)) this.forget('');
      else if (hasCode(error, code.illegalGeneration)) this.forget(memberId);
      else throw this.explain(error);
      return false;
    }
  }

  private async rejoin(): Promise<void> {
    while (!this.leaving) {
      try {
        await this.patiently(() => this.joinOnce());
        return;
      } catch (error) {
        if (hasCode(error, code.unknownMemberId)) this.forget('');
        else if (hasCode(error, code.illegalGeneration)) this.forget(this.memberId);
        else if (hasCode(error, code.memberIdRequired)) this.memberId = memberIdIn(error);
        else if (!hasCode(error, code.rebalanceInProgress)) throw this.explain(error);
      }
    }
  }

  private async joinOnce(): Promise<void> {
    const { group, topics, sessionTimeoutMs, address } = this.options;
    const { version, waits } = this;
    const { generation } = this.current;
    const { ready, tasks: standby } = this.options.standbys;
    const owned = [...this.tenures.keys()];
    const metadata = encodeSubscription({
      ...{ topics, owned, generation, standby, ready, address, version, waits },
      paused: this.options.isPaused?.(),
    });
    this.pending = [];
    const joined = await this.coordinator.requestAgain(
      joinGroupV8.api,
      group,
      sessionTimeoutMs,
      sessionTimeoutMs,
      this.memberId,
      null,
      PROTOCOL_TYPE,
      [{ name: PROTOCOL, metadata }],
      null,
    );
    const memberId = joined.memberId ?? '';
    this.memberId = memberId;
    const beganAtMs = performance.now();
    const { assignment } = await this.coordinator.requestAgain(
      syncGroupV5.api,
      group,
      joined.generationId,
      memberId,
      null,
      PROTOCOL_TYPE,
      PROTOCOL,
      joined.leader === memberId ? this.assign(joined.members) : [],
    );
    const share = decodeAssignment(assignment);
    // Without tasks it would not be resumed, since the others do not know it. With some before, it may have been resumed meanwhile.
    if (share.paused && owned.length === 0 && share.owned.length > 0) this.options.onPaused?.();
    this.settle({ generation: joined.generationId, memberId }, share);
    this.confirm(beganAtMs);
    await this.heed(share);
  }

  private get version(): MemberVersion {
    const { hash, layout } = this.options.version;
    return { hash, layout, tasks: this.options.tasks };
  }

  /** @throws MillraceError `config` if others have the tasks with a layout that this process may not take over. */
  private async heed({ layouts }: Share): Promise<void> {
    this.waits = layouts !== undefined && !isSameLayout(layouts.running, this.version);
    const { group, version } = this.options;
    const news = layouts && newsOf(group, { memberId: this.memberId, ...this.version }, version.accepted, layouts);
    if (news instanceof MillraceError) {
      await sleep(NEWS_MS);
      throw news;
    }
    if (news !== undefined && news !== this.toldOfLayouts) this.options.onWarning(news);
    this.toldOfLayouts = news;
  }

  /** Assigns tasks, as the leader of the group. */
  private assign(members: joinGroupV8.JoinGroupResponse['members']): syncGroupV5.SyncGroupRequestAssignment[] {
    const claims = members.map(({ memberId, metadata }) => decodeClaim(memberId, metadata ?? Buffer.alloc(0)));
    const { topics, standbysMax } = this.options;
    return [...shareByLayout(claims, this.options.tasks, standbysMax)].map(([memberId, share]) => ({
      memberId,
      assignment: encodeAssignment(topics, share),
    }));
  }

  /** Applies a new assignment: kept tasks continue under the new identity, lost ones end. */
  private settle(identity: MemberIdentity, { owned: tasks, standby, pending, addresses = [] }: Share): void {
    this.current = identity;
    this.addresses = addresses;
    this.pending = pending;
    // After a short expulsion it keeps what it has read, because it most likely continues with it.
    if (identity !== NOBODY || this.leaving) this.options.standbys.assign(standby, tasks);
    for (const [task, lease] of this.tenures) {
      if (tasks.includes(task)) continue;
      lease.end();
      this.tenures.delete(task);
    }
    for (const task of tasks) {
      if (!this.tenures.has(task)) this.tenures.set(task, new TaskLease(this, this.where(task)));
    }
    if (!this.leaving) this.options.onAssigned(tasks);
    if (identity !== NOBODY) this.options.onJoined(identity.memberId);
    this.tell();
  }

  /** Whether a task that is pending for this process could be taken over now; it joins again to get it. */
  private isReadyForMore(): boolean {
    const { ready } = this.options.standbys;
    return this.pending.length > 0 && this.pending.every((task) => ready.includes(task));
  }

  /** The group has continued without this process: others own its tasks. */
  private forget(memberId: string): void {
    this.memberId = memberId;
    this.settle(NOBODY, NO_SHARE);
  }

  private confirm(asOfMs: number): void {
    this.confirmedAtMs = asOfMs;
    this.tell();
  }

  private changed(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private tell(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private pause(): Promise<void> {
    if (this.waiting.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, HEARTBEAT_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Retries longer than a single request does, while the coordinator is unreachable. */
  private async patiently<T>(attempt: () => Promise<T>): Promise<T> {
    for (let outages = 1; ; outages++) {
      try {
        return await attempt();
      } catch (error) {
        if (this.leaving || outages >= OUTAGES_MAX || !(isLost(error) || isBusy(error))) throw error;
      }
    }
  }

  private explain(error: unknown): MillraceError {
    return brokerError('state', `cannot stay in group '${this.options.group}'`, error, { where: this.options.group });
  }

  private where(task: number): string {
    return `${this.options.group}.${task}`;
  }
}

/**
 * Removes a member from a group at once, before its session times out: the own member, or that of a process known to be dead. Does
 * nothing if the group does not know it.
 */
export async function removeGroupMember(cluster: Cluster, group: string, memberId: string): Promise<void> {
  const connections = new ConnectionPool(cluster.linkOptions);
  try {
    const coordinator = new Coordinator(cluster, connections, 'group', group);
    await coordinator.requestAgain(leaveGroupV5.api, group, [{ memberId, groupInstanceId: null, reason: null }]);
  } catch (error) {
    if (!hasCode(error, code.unknownMemberId)) throw brokerError('state', `cannot leave group '${group}'`, error);
  } finally {
    await connections.close();
  }
}

/** The broker gives a new member its id in a refusal of its first request. */
function memberIdIn(error: unknown): string {
  if (error instanceof ResponseError) {
    const { memberId } = error.response as { memberId?: unknown };
    if (typeof memberId === 'string' && memberId) return memberId;
  }
  throw new MillraceError('internal', 'the coordinator requires a member id and returned none', { cause: error });
}

import {
  INTERNAL,
  type InferenceService,
  MillraceError,
  messageOf,
  millis,
  type Profile,
  partitionsRead,
  positionKey,
  type TaskId,
} from '../../core/index.js';
import { type Running, type RunOptions, runTopology } from '../../runtime/index.js';
import { localRegistry } from '../../schema/index.js';
import { subtopologiesOf, type Topology } from '../../topology/index.js';
import { Chaos, drawTemperament, Violation } from './chaos.js';
import { Random } from './random.js';
import { outcomeOf, placeOf, type Scenario, type Trial } from './scenario.js';
import { SimBetween } from './sim-between.js';
import { SimGroup } from './sim-group.js';
import { SimLedger, type SimSession } from './sim-ledger.js';
import { Killed, SimProcess } from './sim-process.js';
import type { SimOptions, SimReport } from './sim-report.js';
import { SimOutputs, simSinkDriver, sinkKinds } from './sim-sinks.js';
import { countingSource, SimLogs, simSourceDriver } from './sim-source.js';
import { SimVersions } from './sim-versions.js';
import { VirtualTime } from './virtual-time.js';

/** The most turns of the event loop: about three times those of the longest runs, which take one record at a time. */
const TURNS_MAX = 100_000;
/** Turns without an epoch after which a run counts as stuck. */
const TURNS_STUCK = 5_000;
/** The most processes, about five times those of the wildest runs. */
const PROCESSES_MAX = 40;

const noInference: InferenceService = {
  open: async () => {
    throw new Error('there are no models in the simulation');
  },
  close: async () => undefined,
};

/**
 * Runs a topology in a simulation that one integer determines: virtual time, and logs, ledger, sinks and processes in memory.
 * Crashes, pauses, rebalances, refusals and lost answers may occur at every call of the runtime to the outside. The result is
 * compared with a plain loop over the log.
 *
 * Guarantee: the same scenario, seed and options run identically each time, on any machine. Memory: the log, the outputs and the
 * trace.
 *
 * @example
 * const report = await simulate(scenario, 42);
 * if (report.violation) throw new Error(`${report.violation}\n${report.trace.join('\n')}`);
 */
export async function simulate(scenario: Scenario, seed: number, options: SimOptions = {}): Promise<SimReport> {
  return new Simulation(scenario, seed, options).run();
}

interface Life {
  readonly process: SimProcess;
  running: Running | undefined;
  /** It has ended, with or without an error. */
  over: boolean;
  /** It was asked to stop before its work was done. */
  stopped: boolean;
}

class Simulation {
  private readonly random: Random;
  private readonly time = new VirtualTime();
  private readonly chaos: Chaos;
  private readonly partitions: number;
  private readonly trial: Trial;
  private readonly records: number;
  private readonly subtopologies: readonly Topology[];
  /** By sub-topology. */
  private readonly ledgers: ReadonlyMap<string, SimLedger>;
  private readonly outputs = new SimOutputs();
  private readonly between: SimBetween;
  private readonly versions: SimVersions;
  /** By sub-topology; empty if each process believes that it owns all tasks. */
  private readonly groups = new Map<string, SimGroup>();
  /** Sub-topologies run one after another to their end, or side by side without end. */
  private readonly bounded: boolean;
  private readonly logs: SimLogs;
  private readonly lives: Life[] = [];
  private readonly settings: Pick<RunOptions, 'epochInterval' | 'inFlightMax' | 'roundMax'> & {
    readonly roundMs: number;
  };
  private delivered = 0;
  private epochs = 0;
  private started = 0;
  private lastStepTurn = 0;
  private readonly leaveOut: ReadonlySet<number>;
  private readonly jitter: Random;

  constructor(
    private readonly scenario: Scenario,
    private readonly seed: number,
    options: SimOptions,
  ) {
    this.random = new Random(seed);
    this.leaveOut = options.leaveOut ?? new Set();
    const { random } = this;
    this.partitions = 1 + random.int(3);
    const records = 1_900 + random.int(1_400);
    this.trial = scenario.draw(random.fork(), this.partitions, options.records ?? records);
    this.records = Object.values(this.trial.log).reduce(
      (sum, topic) => sum + topic.reduce((s, p) => s + p.length, 0),
      0,
    );
    const roundMax = random.pick([7, 40, 150, 400]);
    this.settings = {
      roundMax,
      inFlightMax: 1 + random.int(random.pick([20, 300, 1_000])),
      epochInterval: millis(20 + random.int(300)),
      roundMs: random.pick([2, 20, 80]),
    };
    this.chaos = new Chaos(
      random.fork(),
      this.time,
      drawTemperament(random),
      this.leaveOut,
      random.pick([0, 0.02, 0.2]),
    );
    this.subtopologies = subtopologiesOf(this.trial.topology(async () => undefined));
    this.ledgers = new Map(this.subtopologies.map((subtopology) => [subtopology.name, this.ledgerOf(subtopology)]));
    this.jitter = random.fork();
    if (random.chance(0.6))
      for (const { name } of this.subtopologies)
        this.groups.set(name, new SimGroup(this.partitions, this.time, this.chaos, random.fork()));
    // In a group each process would take its own end of a sub-topology for the end of all, so sub-topologies run one by one.
    this.bounded = this.subtopologies.length === 1 || (this.groups.size === 0 && random.chance(0.6));
    // The logs are complete after the first processes have died; the last process finds all of it.
    const startsUntilComplete = this.trial.grows ? 2 + random.int(this.trial.versions ? 12 : 4) : 0;
    this.between = new SimBetween(this.partitions, random.fork());
    this.logs = new SimLogs(this.trial.log, this.between, this.partitions, startsUntilComplete);
    this.versions = new SimVersions(this.trial, random.fork(), this.chaos);
  }

  private ledgerOf(subtopology: Topology): SimLedger {
    const sourceOf = (topic: string) => subtopology.sources.find(({ source }) => source.topic === topic)?.id ?? topic;
    return new SimLedger(this.partitions, this.chaos, this.random.fork(), sourceOf, (partition) =>
      this.onStored(subtopology, partition),
    );
  }

  async run(): Promise<SimReport> {
    try {
      this.start();
      await this.until(
        () => this.isAllStored(),
        () => this.interfere(),
      );
      this.chaos.calmDown();
      for (const { process } of this.lives) process.pausedUntilMs = 0;
      this.lastStepTurn = this.time.turns;
      for (const life of this.lives) if (life.process.alive && !life.over) this.stop(life);
      await this.until(() => this.lives.every(({ process, over }) => !process.alive || over));
      await this.until(() => [...this.groups.values()].every((group) => !group.hasDead));
      // Once no dead member holds tasks, their next owner completes the last checkpoint's writes and reads to the end of the logs.
      this.start(true);
      await this.until(() => this.lives.at(-1)?.over === true);
      this.checkOutcome();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
    }
    const violation = this.chaos.violation?.message;
    return {
      scenario: this.scenario.name,
      seed: this.seed,
      records: this.records,
      delivered: this.delivered,
      struck: this.chaos.struck,
      faults: this.chaos.count,
      epochs: this.epochs,
      turns: this.time.turns,
      processes: this.started,
      violation,
      trace: violation === undefined ? [] : this.chaos.trace,
    };
  }

  /** Runs turns until a condition holds. */
  private async until(holds: () => boolean, eachTurn?: () => void): Promise<void> {
    while (!holds()) {
      await this.time.turn();
      if (this.chaos.violation) throw this.chaos.violation;
      eachTurn?.();
      const { turns } = this.time;
      if (turns > TURNS_MAX || turns - this.lastStepTurn > TURNS_STUCK)
        this.chaos.violated(`nothing gets on any more after ${turns} turns`);
    }
  }

  /** Faults of whole processes. */
  private interfere(): void {
    const { chaos, groups } = this;
    const inGroup = groups.size > 0;
    const living = this.lives.filter(({ process, over }) => process.alive && !over);
    const awake = living.filter(({ process }) => !process.isPaused);
    if (living.length === 0) this.start();
    // Without a group, a suspended process is replaced by another one, and both believe that they own all tasks.
    else if (!inGroup && awake.length === 0 && living.length < 3 && this.random.chance(0.1)) this.start();
    else if (inGroup && living.length < 4 && chaos.strikes('join', 'the group')) this.start();
    else if (inGroup && chaos.strikes('move', 'the group')) this.random.pick([...groups.values()]).deal();
    else if (awake.length > 0 && chaos.strikes('stop', (awake[0] as Life).process.name)) this.stop(awake[0] as Life);
  }

  private stop(life: Life): void {
    life.stopped = true;
    void life.running?.stop().catch(() => undefined); // its own run reports how it ends
  }

  private start(isLast = false): void {
    const { time, chaos, random } = this;
    if (this.started >= PROCESSES_MAX) chaos.violated(`${PROCESSES_MAX} processes did not finish the work`);
    const process = new SimProcess(
      `p${++this.started}`,
      time,
      chaos,
      random.fork(),
      () => this.isCrashDue(),
      (paused) => this.watch(paused),
      (dead) => this.watch(dead),
    );
    const life: Life = { process, running: undefined, over: false, stopped: false };
    this.lives.push(life);
    chaos.tell(`${process.name} starts`);
    const tasks = [...this.ledgers.values()].flatMap((ledger) => ledger.tasks);
    const { acceptPlan } = this.versions.deploy(process, tasks, isLast);
    void this.live(life, isLast || this.bounded, acceptPlan);
  }

  private watch(process: SimProcess): void {
    for (const group of this.groups.values()) void group.watch(process);
  }

  private async live(life: Life, bounded: boolean, acceptPlan: RunOptions['acceptPlan']): Promise<void> {
    const { process } = life;
    const { roundMs, ...settings } = this.settings;
    try {
      life.running = await runTopology(
        this.versions.topologyOf(process, async () => {
          for (let waits = this.random.int(3); waits > 0; waits--) await this.time.sleep(this.random.int(8));
        }),
        {
          ...settings,
          profile: this.profileOf(process),
          inference: noInference,
          bounded,
          acceptPlan,
          final: bounded && this.trial.drains === true,
          clock: process.clock,
          random: () => this.jitter.next(),
          onWarning: (message) => this.chaos.tell(`${process.name} warns: ${message}`),
          onPoint: (point, task) => {
            this.time.advance(this.random.int(roundMs));
            process.pass(`${point} task ${task}`);
          },
        },
      );
      if (life.stopped) void life.running.stop().catch(() => undefined); // it was asked to stop while it was starting
      await life.running.finished;
      this.chaos.tell(`${process.name} ends`);
      const mayEndBefore =
        this.groups.size > 0 ||
        life.stopped ||
        !this.logs.areComplete(this.started) ||
        !this.versions.completes(process);
      if (!mayEndBefore && !this.isAllStored()) this.fail(`${process.name} ends before the logs do`);
    } catch (error) {
      if (!process.alive || error instanceof Killed) return;
      this.chaos.tell(`${process.name} fails: ${messageOf(error)}`);
      if (!this.isExpected(process, error)) this.fail(`${process.name} fails: ${describe(error)}`);
    } finally {
      life.over = true;
    }
  }

  /** Failures that a run may end with; an outer supervisor starts the next process. */
  private isExpected(process: SimProcess, error: unknown): boolean {
    if (!(error instanceof MillraceError)) return false;
    if (error.permanent) return this.versions.isRefusal(process, error);
    return ['sink', 'source', 'state', 'fenced'].includes(error.code);
  }

  private fail(message: string): void {
    try {
      this.chaos.violated(message);
    } catch {
      // stored in the chaos, where the next turn finds it
    }
  }

  private profileOf(process: SimProcess): Profile {
    const { chaos, random, groups, outputs } = this;
    const sessions = new Map<string, SimSession>();
    const keyOf = ({ topology, partition }: TaskId) => `${topology}/${partition}`;
    const source = countingSource(
      simSourceDriver(
        (topic, partition) => this.logs.found(topic, partition, this.started),
        (topic) => this.logs.partitionsOf(topic),
        process,
        chaos,
        random.fork(),
        (topic, partition, next) => this.onDelivered(topic, partition, next),
      ),
      (records) => {
        this.delivered += records;
      },
    );
    const sessionOf = (task: TaskId) =>
      sessions.get(keyOf(task)) ?? chaos.violated(`${process.name} opens a sink of ${keyOf(task)} before its ledger`);
    return {
      name: process.name,
      sources: { sim: source, [INTERNAL]: source },
      sinks: {
        [INTERNAL]: this.between.sinkDriver(sessionOf),
        ...Object.fromEntries(
          sinkKinds.map((kind) => [kind, simSinkDriver(kind, outputs, sessionOf, chaos, random.fork())]),
        ),
      },
      openLedger: async (task) => {
        await process.reach(`open ledger ${keyOf(task)}`);
        const session = (this.ledgers.get(task.topology) as SimLedger).open(task.partition, process);
        sessions.set(keyOf(task), session);
        this.versions.onOpened(session);
        return session;
      },
      ...(groups.size > 0 ? { join: (member) => (groups.get(member.topology) as SimGroup).join(process, member) } : {}),
      schemas: localRegistry(),
      close: async () => undefined,
    };
  }

  private isCrashDue(): boolean {
    return this.chaos.struck.crash === 0 && this.delivered > this.records * 0.4;
  }

  /**
   * Whether checkpoints cover all records. If sub-topologies run side by side, an input may end with records that wait for more
   * from the repartition topics; the last process, which reads to the end, takes them.
   */
  private isAllStored(): boolean {
    return this.subtopologies.every(({ name, sources }, number) =>
      sources
        .filter(({ source }) => this.bounded || number === 0 || source.hasWatermarkMarkers)
        .every(({ id, source }) =>
          this.ledgers.get(name)?.tasks.every(({ checkpoint }, task) =>
            partitionsRead(source, task, this.logs.partitionsOf(source.topic)).every((partition) => {
              const end = (this.logs.all(source.topic, partition).at(-1)?.offset ?? -1) + 1;
              return (checkpoint?.positions[positionKey(id, source, partition)]?.offset ?? 0) >= end;
            }),
          ),
        ),
    );
  }

  private onStored({ name }: Topology, partition: number): void {
    this.epochs += 1;
    this.lastStepTurn = this.time.turns;
    const { checkpoint, owner } = this.ledgers.get(name)?.tasks[partition] ?? {};
    const at = Object.entries(checkpoint?.positions ?? {}).map(([source, { offset }]) => `${source}@${offset}`);
    const task = this.subtopologies.length === 1 ? partition : `${name}/${partition}`;
    if (owner) this.versions.onStored(owner);
    this.chaos.tell(`${owner?.process.name} stores task ${task} epoch ${checkpoint?.epoch}: ${at.join(' ')}`);
  }

  /** The number of records read and not written is limited, however slow a sink is. */
  private onDelivered(topic: string, partition: number, next: number): void {
    const { follows } = this.trial;
    if (follows?.topic !== topic) return;
    const { roundMax = 0, inFlightMax = 0 } = this.settings;
    // Written by this owner or an earlier one; writes of an earlier one can only loosen the limit.
    const { finished } = this.outputs.of(follows.sink, partition);
    const records = this.logs.all(topic, partition);
    const between = placeOf(records, next) - placeOf(records, finished);
    // Two polls may be buffered, and the last round may exceed the credits by its length.
    const max = inFlightMax + 3 * roundMax;
    if (between > max)
      this.chaos.violated(`${between} records of ${topic}/${partition} are under way, at most ${max} may be`);
  }

  private checkOutcome(): void {
    for (const { name } of this.subtopologies)
      for (let task = 0; task < this.partitions; task++) {
        try {
          const state = this.ledgers.get(name)?.tasks[task]?.state.values() ?? [];
          this.trial.check(task, outcomeOf(task, [...state], this.outputs, this.between), name);
        } catch (error) {
          this.chaos.violated(`${name} task ${task}: ${messageOf(error)}`);
        }
      }
    if (this.chaos.struck.crash === 0 && this.leaveOut.size === 0)
      this.chaos.violated('no process crashed in this run');
  }
}

const describe = (error: unknown): string =>
  error instanceof Error ? `${error.message}${error.stack ? `\n${error.stack}` : ''}` : String(error);

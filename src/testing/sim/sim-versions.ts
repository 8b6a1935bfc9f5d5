import type { MillraceError } from '../../core/index.js';
import { type Topology, topologyHash } from '../../topology/index.js';
import type { Chaos } from './chaos.js';
import type { Random } from './random.js';
import type { StoredVersion, Trial, Version, Versions } from './scenario.js';
import { cellsIn, type Found, type SimSession, type StoredTask } from './sim-ledger.js';
import type { SimProcess } from './sim-process.js';

/** After so many starts every process runs the last version: it completes what the others have left. */
const STARTS_UNTIL_LAST = 20;

interface Deployment {
  readonly version: number;
  /** What the run is given as its accepted plan. */
  readonly acceptPlan: string | true | undefined;
  readonly isAccepted: boolean;
}

/**
 * The versions of the topology in a simulation: which one a process runs, and whether it goes on, or is refused, where it must. A
 * restarted process mostly runs the version of the one before; otherwise a version is drawn, with its plan accepted or not.
 */
export class SimVersions {
  private readonly all: readonly Version[];
  private readonly refusal: Versions['refusal'];
  private readonly deployments = new Map<SimProcess, Deployment>();
  private readonly sessions = new Map<SimProcess, Set<SimSession>>();

  constructor(
    trial: Trial,
    private readonly random: Random,
    private readonly chaos: Chaos,
  ) {
    const { others, refusal } = trial.versions ?? { others: [], refusal: () => [] };
    this.all = [{ topology: trial.topology }, ...others];
    this.refusal = refusal;
  }

  deploy(process: SimProcess, tasks: readonly StoredTask[], mustComplete: boolean): Deployment {
    const deployment = this.pick(tasks, mustComplete || this.deployments.size >= STARTS_UNTIL_LAST);
    this.deployments.set(process, deployment);
    if (this.all.length > 1)
      this.chaos.tell(`${process.name} runs version ${deployment.version}, accepted: ${deployment.isAccepted}`);
    return deployment;
  }

  topologyOf(process: SimProcess, wait: () => Promise<void>): Topology {
    return (this.all[this.of(process).version] as Version).topology(wait);
  }

  /** Whether the process reads all logs. */
  completes(process: SimProcess): boolean {
    return this.of(process).version === 0;
  }

  onOpened(session: SimSession): void {
    const opened = this.sessions.get(session.process) ?? new Set();
    this.sessions.set(session.process, opened.add(session));
  }

  /** A session has stored a checkpoint: it must have been allowed to. */
  onStored({ process, partition, found }: SimSession): void {
    const expected = this.expected(process, found);
    if (expected.length > 0)
      this.chaos.violated(
        `${process.name} goes on with task ${partition}, and must be refused: ${expected.join(', ')}`,
      );
  }

  /** Whether the process had to be refused, and says why. */
  isRefusal(process: SimProcess, error: MillraceError): boolean {
    const lines = [...error.message.matchAll(/^ *([-+] .*)$/gm)].map(([, line]) => line as string);
    const told = (lines.length > 0 ? lines : [error.where ?? '']).sort().join('\n');
    return [...(this.sessions.get(process) ?? [])].some(({ found }) => {
      const expected = this.expected(process, found);
      return expected.length > 0 && [...expected].sort().join('\n') === told;
    });
  }

  private expected(process: SimProcess, found: Found | undefined): readonly string[] {
    if (found === undefined || this.all.length === 1) return [];
    const { version, isAccepted } = this.of(process);
    const stored: StoredVersion = { version: this.of(found.writer).version, cells: found.cells };
    return this.refusal(stored, version, isAccepted);
  }

  private of(process: SimProcess): Deployment {
    return this.deployments.get(process) as Deployment;
  }

  private pick(tasks: readonly StoredTask[], mustComplete: boolean): Deployment {
    const { all, random } = this;
    const before = [...this.deployments.values()].at(-1);
    if (all.length === 1 || mustComplete) return { version: 0, acceptPlan: this.hashOf(0), isAccepted: true };
    if (before !== undefined && random.chance(0.25)) return before;
    const isPossible = ({ after }: Version) => after === undefined || tasks.every((task) => cellsIn(task).has(after));
    const version = random.pick(all.flatMap((each, number) => (isPossible(each) ? [number] : [])));
    const own = this.hashOf(version);
    const other = random.pick(all.map((_, number) => this.hashOf(number)).filter((hash) => hash !== own));
    const acceptPlan = random.pick([undefined, own, own, true, other] as const);
    return { version, acceptPlan, isAccepted: acceptPlan === true || acceptPlan === own };
  }

  private hashOf(version: number): string {
    return topologyHash((this.all[version] as Version).topology(async () => undefined));
  }
}

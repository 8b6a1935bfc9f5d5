import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** The possible faults; each is drawn from the seed. */
export const faults = [
  'crash', // a process ends at any point
  'pause', // a process stops for a while, and then continues
  'move', // the group assigns the tasks again
  'join', // another process starts
  'stop', // a process is asked to stop, and another replaces it
  'unknown', // a commit returns an error, whether it happened or not
  'refuse', // a sink refuses for a while
  'half', // a sink takes a part of its values, then fails
  'read', // a read fails
] as const;
export type Fault = (typeof faults)[number];

/** The probability of each fault at a place where it may occur, and its maximum number. */
export type Temperament = Readonly<Record<Fault, { readonly chance: number; readonly times: number }>>;

/** Draws probabilities: calm runs find other errors than wild ones. */
export function drawTemperament(random: Random): Temperament {
  const wild = random.pick([0.3, 1, 1, 3]);
  const draw = (chance: number, times: number) => ({
    chance: chance * wild * random.next(),
    times: random.int(times + 1),
  });
  return {
    crash: { chance: 0.012 * wild * (0.2 + random.next()), times: 1 + random.int(5) },
    pause: draw(0.01, 3),
    move: draw(0.01, 5),
    join: draw(0.01, 2),
    stop: draw(0.004, 1),
    unknown: draw(0.2, 3),
    refuse: draw(0.05, 3),
    half: draw(0.1, 2),
    read: draw(0.02, 3),
  };
}

/** Decides which faults occur and when, and records them. */
export class Chaos {
  readonly struck: Record<Fault, number> = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<
    Fault,
    number
  >;
  /** The number of faults so far, with those left out; it numbers them for `leaveOut`. */
  count = 0;
  /** The first violation, stored here because the runtime may lose the error in a task that nobody awaits. */
  violation: Violation | undefined;
  private quiet = false;
  private readonly story: string[] = [];
  private readonly left: Record<Fault, number>;

  constructor(
    private readonly random: Random,
    private readonly time: VirtualTime,
    private readonly temperament: Temperament,
    private readonly leaveOut: ReadonlySet<number>,
    private readonly slowness: number,
  ) {
    this.left = Object.fromEntries(faults.map((fault) => [fault, temperament[fault].times])) as Record<Fault, number>;
  }

  /** Whether a fault occurs here; `certain` if it is overdue. */
  strikes(fault: Fault, where: string, certain = false): boolean {
    if (this.quiet || this.left[fault] === 0) return false;
    if (!certain && !this.random.chance(this.temperament[fault].chance)) return false;
    this.left[fault] -= 1;
    const number = this.count++;
    if (this.leaveOut.has(number)) return false;
    this.struck[fault] += 1;
    this.tell(`fault ${number}: ${fault} at ${where}`);
    return true;
  }

  /** How long a call takes, in virtual milliseconds; usually 0. */
  delayMs(): number {
    return this.random.chance(this.slowness) ? this.random.int(40) : 0;
  }

  tell(event: string): void {
    this.story.push(`${String(this.time.nowMs).padStart(7)} ms  ${event}`);
  }

  violated(message: string): never {
    const violation = new Violation(message);
    this.tell(`VIOLATION: ${message}`);
    this.violation ??= violation;
    throw violation;
  }

  get trace(): readonly string[] {
    return this.story;
  }

  /** No faults occur from now on. */
  calmDown(): void {
    this.quiet = true;
  }
}

/** A broken promise, of the simulation itself or of its results. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

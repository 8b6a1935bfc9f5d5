import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** What may befall a run; every one is drawn from the seed. */
export const faults = [
  'crash', // a process is gone, in the middle of whatever it does
  'pause', // a process stands still, and later goes on as if nothing had happened
  'move', // the group deals out the tasks anew
  'join', // one more process
  'stop', // a process is asked to stop, and another takes its place
  'unknown', // a commit is answered with an error, whether it happened or not
  'refuse', // a sink refuses for a while
  'half', // a sink takes a part of what it is given, then fails
  'read', // a read fails
] as const;
export type Fault = (typeof faults)[number];

/** How likely each fault is at a place where it may strike, and how often it may at most. */
export type Temperament = Readonly<Record<Fault, { readonly chance: number; readonly times: number }>>;

/** A temperament: calm worlds find other errors than wild ones. */
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

/** Decides what goes wrong and when, and keeps the story of it. */
export class Chaos {
  readonly struck: Record<Fault, number> = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<
    Fault,
    number
  >;
  /** Faults so far, left out ones included: the numbers under which they can be left out. */
  count = 0;
  /** The first broken promise: kept here because the runtime may lose the error in a task that nobody waits for. */
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

  /** Whether this fault strikes here; `certain` where it is overdue. */
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

  /** How long a call takes, in virtual milliseconds; mostly no time at all. */
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

  /** From here on nothing goes wrong any more. */
  calmDown(): void {
    this.quiet = true;
  }
}

/** Something that must never happen did: in the simulated world itself, or in what came out of it. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

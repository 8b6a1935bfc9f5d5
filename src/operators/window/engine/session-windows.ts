import type { Accumulator } from '../../../aggregates/accumulator.js';
import { BEFORE_ALL_MS } from '../../../core/index.js';
import type { MapCell, TimerCell } from '../../../state/index.js';
import {
  changeKey,
  type EmitResult,
  type Outcome,
  type Row,
  timeOf,
  type WindowEngine,
  type WindowKey,
} from './engine.js';

/**
 * A session of a key: its first and last record, its accumulator, what was told of it, when it is to be told next, and
 * the time of its timer.
 */
export type Session = [
  startMs: number,
  lastMs: number,
  numbers: number[],
  values: unknown[],
  told: Row | null,
  tellMs: number | null,
  wakeMs: number,
];

/** What is held of a key: the time before which all is closed, and the sessions behind it by start. */
export type KeySessions = readonly [closedMs: number, sessions: Session[]];

export interface SessionParts<In> {
  readonly gapMs: number;
  readonly accumulator: Accumulator<In>;
  readonly sessions: MapCell<WindowKey, KeySessions>;
  /** A timer a session, not after it wants something; one that goes off too early is set again. */
  readonly due: TimerCell<WindowKey>;
  readonly keysMax: number;
  readonly latenessMs: number;
  readonly watermarkMs: number;
  /** `rows`: one a session, when it can change no more. A number: changes so often. `at-once`: with every record. */
  readonly tells: 'rows' | 'at-once' | number;
}

/**
 * Sessions of a key beyond which none is begun that is further ahead than so many gaps: records with absurd times would
 * begin one each, and the watermark never comes there.
 */
const SESSIONS_MAX = 1_000;

const NOTHING_CLOSED: KeySessions = [BEFORE_ALL_MS, []];

/**
 * Sessions: a record joins those that it is less than the gap away from, and makes one of several. A record that reaches a
 * closed session is late, so that sessions never overlap. Closed sessions are forgotten one gap later; so the first session
 * after that cannot grow back further than one gap behind the watermark of its beginning. State: the sessions that are open
 * or still taking late records, and for one gap more where the last one ended; a timer a session.
 */
export class SessionWindows<In> implements WindowEngine<In> {
  private watermarkMs: number;

  constructor(private readonly parts: SessionParts<In>) {
    this.watermarkMs = parts.watermarkMs;
  }

  add(key: WindowKey, value: In, timeMs: number, emit: EmitResult): Outcome {
    const { sessions, gapMs, latenessMs, keysMax, tells } = this.parts;
    const known = sessions.get(key);
    const [closedMs, held] = known ?? NOTHING_CLOSED;
    if (timeMs < closedMs) return 'late';
    const joined = held.filter(([startMs, lastMs]) => startMs - timeMs < gapMs && timeMs - lastMs < gapMs);
    if (joined.length === 0) {
      if (timeMs + gapMs + latenessMs <= this.watermarkMs) return 'late';
      if (!known && sessions.size >= keysMax) return 'too-many-keys';
      const isFar = timeMs - this.watermarkMs > SESSIONS_MAX * gapMs;
      if (isFar && held.length >= SESSIONS_MAX) return 'too-many-windows';
    }
    const before = tells === 'at-once' ? joined.map((each) => this.rowOf(key, each)) : [];
    const session = this.union(joined, timeMs);
    const { accumulator } = this.parts;
    accumulator.add(session[2], 0, session[3], 0, value, timeMs);
    const rest = held.filter((each) => !joined.includes(each));
    const place = rest.findIndex(([startMs]) => startMs > session[0]);
    rest.splice(place < 0 ? rest.length : place, 0, session);
    if (tells === 'at-once') this.tellUnion(key, joined, before, session, emit);
    else if (tells !== 'rows') this.note(key, joined, session, tells, emit);
    this.wake(key, session);
    // What ended earlier may be forgotten, and late records one after another could reach back to it.
    const floorMs = held.length === 0 ? Math.max(closedMs, this.watermarkMs - gapMs - latenessMs) : closedMs;
    sessions.set(key, [floorMs, rest]);
    return 'taken';
  }

  retract(): Outcome {
    return 'unmatched'; // refused where it is declared: what two sessions became one by cannot be told
  }

  advance(watermarkMs: number, emit: EmitResult): void {
    const { sessions, due, gapMs, latenessMs, tells } = this.parts;
    this.watermarkMs = watermarkMs;
    const horizonMs = tells === 'rows' ? watermarkMs - latenessMs : watermarkMs;
    due.takeDue(horizonMs, (key, nowMs) => {
      const known = sessions.get(key);
      if (!known) return;
      let [closedMs] = known;
      const kept = known[1].filter((session) => {
        if (!this.isOver(key, session, nowMs, emit)) return true;
        closedMs = Math.max(closedMs, this.endOf(session));
        return false;
      });
      for (const session of kept) {
        if (session[6] > nowMs) continue;
        session[6] = Number.POSITIVE_INFINITY;
        this.wake(key, session);
      }
      // One gap later, a record that reached the closed session would be late, unless an open session lies between.
      const forgetMs = closedMs + gapMs + (tells === 'rows' ? 0 : latenessMs);
      if (kept.length === 0 && forgetMs <= nowMs) {
        sessions.delete(key);
        return;
      }
      if (kept.length === 0) due.add(forgetMs, key);
      sessions.set(key, [closedMs, kept]);
    });
  }

  query(key: WindowKey): readonly Row[] {
    return this.parts.sessions.get(key)?.[1].map((session) => this.rowOf(key, session)) ?? [];
  }

  private endOf([, lastMs]: Session): number {
    return lastMs + this.parts.gapMs;
  }

  /** Says what is due; whether the session is over for good. */
  private isOver(key: WindowKey, session: Session, nowMs: number, emit: EmitResult): boolean {
    const { tells, latenessMs } = this.parts;
    const endMs = this.endOf(session);
    if (tells === 'rows') {
      if (endMs > nowMs) return false;
      emit(this.rowOf(key, session), timeOf(endMs));
      return true;
    }
    if (session[5] !== null && session[5] <= nowMs) this.tell(key, session, emit);
    return endMs + latenessMs <= nowMs;
  }

  /** Sees to it that a timer goes off when the session next wants something, or earlier. */
  private wake(key: WindowKey, session: Session): void {
    const { due, tells, latenessMs } = this.parts;
    const endMs = this.endOf(session);
    const wantedMs = tells === 'rows' ? endMs : Math.min(endMs + latenessMs, session[5] ?? Number.POSITIVE_INFINITY);
    if (session[6] <= wantedMs) return;
    session[6] = wantedMs;
    due.add(wantedMs, key);
  }

  /** What several sessions and a record at `timeMs` become; the earliest one takes in the others. */
  private union(joined: readonly Session[], timeMs: number): Session {
    const { accumulator } = this.parts;
    const [first, ...others] = joined;
    if (!first) {
      const fresh: Session = [timeMs, timeMs, [], [], null, null, Number.POSITIVE_INFINITY];
      accumulator.init(fresh[2], 0, fresh[3], 0);
      return fresh;
    }
    const union: Session = [...first];
    union[0] = Math.min(first[0], timeMs);
    union[1] = Math.max(first[1], timeMs);
    for (const other of others) {
      accumulator.merge(union[2], 0, union[3], 0, other[2], 0, other[3], 0);
      union[1] = Math.max(union[1], other[1]);
      union[6] = Math.min(union[6], other[6]);
    }
    return union;
  }

  private tellUnion(
    key: WindowKey,
    joined: readonly Session[],
    before: readonly Row[],
    session: Session,
    emit: EmitResult,
  ) {
    joined.forEach((each, i) => {
      if (each[0] !== session[0]) this.takeBack(key, each, before[i] as Row, emit);
    });
    const same = joined[0]?.[0] === session[0] ? (before[0] as Row) : null;
    this.change(key, session, same, this.rowOf(key, session), emit);
  }

  /** A session has changed: to be told of early or at its end; at once where that is over. */
  private note(key: WindowKey, joined: readonly Session[], session: Session, everyMs: number, emit: EmitResult): void {
    for (const each of joined) if (each[0] !== session[0] && each[4] !== null) this.takeBack(key, each, each[4], emit);
    if (joined[0]?.[0] !== session[0]) session[4] = null;
    const endMs = this.endOf(session);
    if (endMs <= this.watermarkMs) {
      this.tell(key, session, emit);
      return;
    }
    const fromMs = Math.max(this.watermarkMs, session[0]);
    session[5] ??= Math.min(endMs, (Math.floor(fromMs / everyMs) + 1) * everyMs);
  }

  private tell(key: WindowKey, session: Session, emit: EmitResult): void {
    const row = this.rowOf(key, session);
    this.change(key, session, session[4], row, emit);
    session[4] = row;
    session[5] = null;
  }

  private takeBack(key: WindowKey, session: Session, row: Row, emit: EmitResult): void {
    this.change(key, session, row, null, emit);
  }

  private change(key: WindowKey, session: Session, before: Row | null, after: Row | null, emit: EmitResult): void {
    emit({ key: changeKey(key, session[0]), before, after }, timeOf(this.endOf(session)));
  }

  private rowOf(key: WindowKey, session: Session): Row {
    const row: Row = { key, startMs: session[0], endMs: this.endOf(session) };
    this.parts.accumulator.results(row, session[2], 0, session[3], 0);
    return row;
  }
}

"""Windows: tumbling, hopping, session, sliding and counting, told when they close or as changes (docs/guide/windows.md)."""
import math
from fractions import Fraction

from case import Unjudged, check, same


def results(values):
    """What the aggregates of the case say of (time, arrival, value)s. Sums of whole numbers are exact."""
    by_time = sorted(values, key=lambda v: (v[0], v[1]))
    known = [v[2]["x"] for v in by_time if v[2]["x"] is not None]
    total = sum(known)
    mean = float(Fraction(total, len(known))) if known else None
    return {
        "n": len(values),
        "sum": total,
        "mean": mean,
        "min": min(known) if known else None,
        "max": max(known) if known else None,
        "first": known[0] if known else None,
        "last": known[-1] if known else None,
        "all": {"values": known[:6], "more": max(0, len(known) - 6)},
    }


def changed_results(values):
    known = [v[2]["x"] for v in values if v[2]["x"] is not None]
    total = sum(known)
    return {"n": len(values), "sum": total, "mean": float(Fraction(total, len(known))) if known else None}


def starts(spec, t):
    """Where the windows that hold a time begin: at multiples of `every` from the offset on."""
    first = (t - spec["offset"]) // spec["every"] * spec["every"] + spec["offset"]
    while first > t - spec["size"]:
        yield first
        first -= spec["every"]


class Window:
    def __init__(self, key, start, end):
        self.key, self.start, self.end, self.values = key, start, end, []

    @property
    def name(self):
        return f"{self.key}@{self.start}"

    def row(self, of):
        return {"key": self.key, "startMs": self.start, "endMs": self.end, **of(self.values)} if self.values else None


class Teller:
    """What was told of windows so far, and what must be told: at their close, with every record, or so often."""

    def __init__(self, case, of):
        self.case, self.of = case, of
        self.emit, self.every = case.options["emit"], case.options["every"]
        self.expected = []
        self.told = {}
        self.passed = {}
        self.since = {}
        self.at = case.emitted_at()

    def closed(self, place, window):
        if self.emit == "close" and window.values:
            self.expected.append((place, window.row(self.of), window.end - 1))

    def updated(self, place, before, after, name):
        self.passed.setdefault(name, []).append(after)
        if self.emit == "update" and before != after:
            self.expected.append((place, {"key": name, "before": before, "after": after}, None))

    def follow(self, place, rows, watermark):
        """Changes in intervals: each goes on from the last one, says what is so now, and none comes too late."""
        if self.emit != "interval":
            return
        for each in self.at.get(place, []):
            name, before, after = each["v"]["key"], each["v"]["before"], each["v"]["after"]
            same(f"before of {name} at {place}", before, self.told.get(name))
            now = rows.get(name)
            # A correction is told at once: a record that changes a window twice may tell both.
            check(after == now or after in self.passed.get(name, []), f"after of {name} at {place}: {after} instead of {now}")
            self.told[name] = after
            self.since.pop(name, None)
        for name, row in rows.items():
            if self.told.get(name) == row:
                self.since.pop(name, None)
                continue
            # What lies ahead of the watermark is not told before its time.
            since = self.since.setdefault(name, max(watermark, row["startMs"] if row else watermark))
            over = row is not None and row["endMs"] <= watermark
            check(not over, f"{name} is over at {place} and was not told: {row}")
            check(watermark < since + self.every, f"{name} has changed since {since} and was not told at {watermark}")

        self.passed.clear()

    def merged(self, names, into):
        """A session keeps the beat of its first record, also when an earlier one has joined it."""
        beats = [self.since[name] for name in names if name in self.since]
        if beats:
            self.since[into] = max(beats)

    def finish(self):
        if self.emit == "close":
            self.case.expect_emitted(self.expected)
        elif self.emit == "update":
            self.case.expect_emitted(self.expected, timed=False)


def refused(case, late, partly, others=()):
    dead = list(others)
    if case.options["late"] == "dead-letter":
        dead += [("late", place) for place in late]
    case.expect_dead(dead)
    case.expect_counter("late", len(late))
    case.expect_counter("partly_late", partly)


def judge(case):
    kind = case.options["window"]["kind"]
    {"session": judge_sessions, "sliding": judge_sliding, "counting": judge_counting}.get(kind, judge_sliced)(case)


def judge_sliced(case):
    values = lambda each: [("add", each["v"]["k"], each["t"], each["v"])]
    sliced(case, values, results)


def judge_changes(case):
    def halves(each):
        change = each["v"]
        for half, do in (("before", "retract"), ("after", "add")):
            if change[half] is not None:
                yield do, change[half]["k"], change[half]["at"], change[half]

    sliced(case, halves, changed_results)


def sliced(case, values, of):
    spec, lateness, keys_max = case.options["window"], case.options["lateness"], case.options["keysMax"]
    teller = Teller(case, of)
    windows, late, partly, others = {}, [], 0, []
    for place, each, before, after in case.steps():
        for do, key, t, value in values(each) if each else ():
            if key is None:
                others.append(("empty-key", place))
                continue
            of_time = list(starts(spec, t))
            open_now = [start for start in of_time if start + spec["size"] + lateness > before]
            if not open_now:
                late.append(place)
                continue
            if all((key, start) not in windows for start in open_now) and keys_max < 100:
                if len({k for k, start in windows if start == open_now[0]}) >= keys_max:
                    others.append(("too-many-keys", place))
                    continue
            partly += len(open_now) < len(of_time)
            for start in open_now:
                window = windows.setdefault((key, start), Window(key, start, start + spec["size"]))
                row = window.row(of)
                if do == "add":
                    window.values.append((t, place, value))
                else:
                    held = next((v for v in window.values if v[0] == t and v[2] == value), None)
                    if held is None:
                        raise Unjudged
                    window.values.remove(held)
                teller.updated(place, row, window.row(of), window.name)
        teller.follow(place, {w.name: w.row(of) for w in windows.values()}, after)
        for at, window in list(windows.items()):
            if window.end + lateness <= after:
                teller.closed(place, window)
                del windows[at]
    teller.finish()
    refused(case, late, partly, others)


def judge_sessions(case):
    gap, lateness = case.options["window"]["size"], case.options["lateness"]
    teller = Teller(case, results)
    sessions, floor, late, empty = [], {}, [], []
    for place, each, before, after in case.steps():
        merged_away = {}
        if each:
            key, t = each["v"]["k"], each["t"]
            own = [s for s in sessions if s.key == key]
            near = [s for s in own if s.start - gap < t < s.end]
            in_time = t + gap + lateness > before
            if key is None:
                empty.append(("empty-key", place))
            elif t < floor.get(key, -math.inf) or not (in_time or near):
                # What is closed stays closed, and what began before anything was known of the key is over.
                late.append(place)
            else:
                if not own:
                    floor[key] = max(floor.get(key, -math.inf), before - gap - lateness)
                session = Window(key, min([t, *(s.start for s in near)]), max([t + gap, *(s.end for s in near)]))
                session.values = [v for s in near for v in s.values] + [(t, place, each["v"])]
                was = {s.name: s.row(results) for s in near}
                for name, row in {**was, session.name: None}.items():
                    now = session.row(results) if name == session.name else None
                    teller.updated(place, was.get(name), now, name)
                teller.merged(was, session.name)
                merged_away = {name: None for name in was if name != session.name}
                sessions = [s for s in sessions if s not in near] + [session]
        teller.follow(place, {**merged_away, **{s.name: s.row(results) for s in sessions}}, after)
        for session in [s for s in sessions if s.end + lateness <= after]:
            teller.closed(place, session)
            sessions.remove(session)
            floor[session.key] = max(floor[session.key], session.end)
    teller.finish()
    refused(case, late, 0, empty)


def judge_sliding(case):
    size, lateness = case.options["window"]["size"], case.options["lateness"]
    teller = Teller(case, results)
    taken, open_ends, late, partly, empty = [], {}, [], 0, []
    for place, each, before, after in case.steps():
        if each:
            key, t = each["v"]["k"], each["t"]
            own_open = t + 1 + lateness > before
            if key is None:
                empty.append(("empty-key", place))
            elif t + size + lateness <= before:
                late.append(place)
            else:
                taken.append((key, t, place, each["v"]))
                partly += not own_open
                if own_open:
                    open_ends[(key, t)] = None
        for key, t in sorted(open_ends, key=lambda end: end[1]):
            if t + 1 + lateness <= after:
                window = Window(key, t + 1 - size, t + 1)
                window.values = [(at, p, v) for k, at, p, v in taken if k == key and t - size < at <= t]
                teller.closed(place, window)
                del open_ends[(key, t)]
    teller.finish()
    refused(case, late, partly, empty)


def judge_counting(case):
    size = case.options["window"]["size"]
    expected, held, empty = [], {}, []
    for place, each, _, _ in case.steps():
        if not each:
            continue
        key = each["v"]["k"]
        if key is None:
            empty.append(("empty-key", place))
            continue
        values = held.setdefault(key, [])
        values.append((each["t"], place, each["v"]))
        if len(values) == size:
            times = [t for t, _, _ in values]
            window = Window(key, min(times), max(times) + 1)
            window.values = values
            expected.append((place, window.row(results), max(times)))
            held[key] = []
    case.expect_emitted(expected)
    refused(case, [], 0, empty)

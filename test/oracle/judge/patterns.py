"""Patterns by searching all sequences of events that a pattern allows (docs/guide/patterns.md)."""
import itertools
from collections import defaultdict

from case import Unjudged, canonical, check, same


def judge(case):
    events, dead = defaultdict(list), []
    for place, each, before, _ in case.steps():
        if each and each["t"] < before:
            dead.append(("late", place))
        elif each:
            events[each["v"]["k"]].append((each["t"], place, each["v"]["is"], each["v"]["id"]))
    case.expect_dead(dead)
    case.expect_counter("refused", 0)
    got = defaultdict(list)
    for each in case.emitted:
        got[each["v"]["key"]].append(each)
    for key, of_key in events.items():
        found = Search(case.options, sorted(of_key)).matches()
        judge_key(case.options, key, found, got.pop(key, []))
    check(not got, f"matches of keys without events: {list(got)}")


class Search:
    """All matches over the events of one key, in order. A match: (events by place in the order, stage of each)."""

    def __init__(self, options, events):
        self.events, self.within = events, options["within"]
        self.stages, self.nots = [], []
        nots = []
        for part in options["parts"]:
            if part["how"].startswith("not"):
                nots.append(part)
            else:
                # What must not come on the way to this stage.
                self.nots.append(nots)
                self.stages.append(part)
                nots = []
        self.trailing = nots

    def fits(self, part, at):
        return self.events[at][2] in part["letters"]

    def matches(self):
        found = {}
        for first in range(len(self.events)):
            if self.fits(self.stages[0], first):
                self.grow(((first, 0),), 1, found)
        return list(found.values())

    def end_of(self, first):
        """Events before this one are less than `within` after the first."""
        limit = self.events[first][0] + self.within
        return next((i for i in range(first, len(self.events)) if self.events[i][0] >= limit), len(self.events))

    def grow(self, taken, count, found):
        at, stage = taken[-1]
        part = self.stages[stage]
        last, end = at, self.end_of(taken[0][0])
        if part["loop"] and count < part["max"]:
            for i in self.reach(part["inner"], part, at, end):
                self.grow(taken + ((i, stage),), count + 1, found)
        if count < part["min"]:
            return
        # A greedy loop takes every event that fits, up to its maximum, before the next stage begins.
        hungry = [(part, False)] if part["greedy"] and count < part["max"] else []
        nots = []
        for following in range(stage + 1, len(self.stages) + 1):
            if following == len(self.stages):
                self.finish(taken, hungry, nots + self.trailing, end, found)
                break
            into = self.stages[following]
            nots = nots + self.nots[following]
            for i in self.reach(HOW[into["how"]], into, at, end):
                passed = range(at + 1, i)
                if self.would_take(hungry, at, i + 1):
                    continue
                if any(self.excluded(n, at, passed, i) for n in nots):
                    continue
                self.grow(taken + ((i, following),), 1, found)
            if not into["optional"]:
                break
            if into["greedy"]:
                hungry = hungry + [(into, into["how"] == "next")]

    def would_take(self, hungry, at, end):
        """Whether a greedy stage could take an event before `end`: the very next one only, or any of them."""
        return any(
            self.fits(part, i) for part, only_next in hungry for i in range(at + 1, min(end, at + 2) if only_next else end)
        )

    def reach(self, how, part, at, end):
        """The events that a stage may take next, coming from `at`."""
        if how == "strict":
            return [at + 1] if at + 1 < end and self.fits(part, at + 1) else []
        later = [i for i in range(at + 1, end) if self.fits(part, i)]
        return later if how == "any" else later[:1]

    def excluded(self, negated, at, passed, target):
        if negated["how"] == "notNext":
            return at + 1 < len(self.events) and self.fits(negated, at + 1)
        # An event that fits both the negation and the next stage ends the way, as in Flink.
        return any(self.fits(negated, i) for i in (*passed, target))

    def finish(self, taken, hungry, nots, end, found):
        at, _ = taken[-1]
        if self.would_take(hungry, at, end):
            return
        for negated in nots:
            until = min(end, at + 2) if negated["how"] == "notNext" else end
            if any(self.fits(negated, i) for i in range(at + 1, until)):
                return
        over = self.events[taken[0][0]][0] + self.within
        follows = self.events[at + 1][0] if at + 1 < end else over
        certain = self.events[at][0]
        if not all(only_next for _, only_next in hungry) or any(n["how"] == "notFollowedBy" for n in nots):
            certain = over
        elif hungry or nots:
            certain = follows
        # In which order matches of one first event are certain: by the event, or after all events before that time.
        rank = (certain, 0 if certain == over else 1)
        found[taken] = {"taken": taken, "certain": certain, "rank": rank, "events": self.events, "stages": self.stages}


HOW = {"next": "strict", "followedBy": "relaxed", "followedByAny": "any"}


def shown(match, key):
    events = match["events"]
    of_stage = {stage["name"]: [] for stage in match["stages"]}
    for at, stage in match["taken"]:
        of_stage[match["stages"][stage]["name"]].append(events[at][3])
    first, last = match["taken"][0][0], match["taken"][-1][0]
    return canonical({"key": key, "startMs": events[first][0], "endMs": events[last][0], "stages": of_stage})


def judge_key(options, key, found, emitted):
    got = [canonical(each["v"]) for each in emitted]
    if options["skip"] == "none":
        same(f"matches of {key}", sorted(got), sorted(shown(m, key) for m in found))
        times = {shown(m, key): m["certain"] for m in found}
        for each in emitted:
            same(f"event time of {each['v']}", each["t"], times[canonical(each["v"])])
    else:
        check(len(set(got)) == len(got), f"a match of {key} is told twice")
        unknown = set(got) - {shown(m, key) for m in found}
        check(not unknown, f"no match of {key}: {list(unknown)[:3]}")
        judge_skipped(options["skip"], key, found, set(got))
    same("order of event times", [e["t"] for e in emitted], sorted(e["t"] for e in emitted))


def resumes(skip, match):
    """The first event at which another match may begin."""
    taken = match["taken"]
    if skip == "to-next":
        return taken[0][0] + 1
    if skip == "past-last":
        return taken[-1][0] + 1
    name = skip.get("toFirst") or skip.get("toLast")
    of_stage = [at for at, stage in taken if match["stages"][stage]["name"] == name]
    if not of_stage:
        return 0
    return of_stage[0] if "toFirst" in skip else of_stage[-1]


def judge_skipped(skip, key, found, got):
    """Matches in the order of their first events, then as they became certain; of those that tie any may be first."""
    groups = itertools.groupby(
        sorted(found, key=lambda m: (m["taken"][0][0], m["rank"])), key=lambda m: (m["taken"][0][0], m["rank"])
    )
    from_event = 0
    for (first, _), tied in groups:
        tied = list(tied)
        told = [m for m in tied if shown(m, key) in got]
        if first < from_event:
            check(not told, f"a match of {key} is told that another one discards: {[shown(m, key) for m in told][:2]}")
            continue
        # Each order in which they may be considered tells some; one of them must be what was told.
        orders = itertools.permutations(tied) if len(tied) <= 5 else [tied]
        outcomes = {}
        for order in orders:
            resume, chosen = from_event, []
            for match in order:
                if first >= resume:
                    chosen.append(shown(match, key))
                    resume = max(resume, resumes(skip, match))
            outcomes[tuple(sorted(chosen))] = resume
        names = tuple(sorted(shown(m, key) for m in told))
        # Too many tie to try every order.
        if len(tied) > 5 and names not in outcomes:
            raise Unjudged
        check(names in outcomes, f"of {len(tied)} matches of {key} that begin at {first}, told: {names}, not one of {list(outcomes)[:3]}")
        from_event = outcomes[names]

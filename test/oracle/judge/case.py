"""A case and how time passes in it: the watermark trails the greatest event time so far."""
import json
import math
from collections import defaultdict


class Wrong(Exception):
    """The operators did something else than the documentation says."""


class Unjudged(Exception):
    """The documentation leaves open what this case gives, or the case is none."""


class Case:
    def __init__(self, case):
        self.options = case["options"]
        self.inputs = case["inputs"]
        self.end = len(self.inputs)
        self.emitted = case["got"]["emitted"]
        self.dead = case["got"]["dead"]
        self.counters = case["got"]["counters"]
        self.disorder = case["disorderMs"]
        self.restarts = case["restarts"]

    def steps(self):
        """(place, input, watermark before it, watermark after it); the last one is the end of time, without an input."""
        watermark = -math.inf
        for place, each in enumerate(self.inputs):
            after = max(watermark, each["t"] - self.disorder)
            yield place, each, watermark, after
            watermark = after
        yield self.end, None, watermark, math.inf

    def expect_dead(self, expected):
        """`expected`: (reason, place) of each dead letter, in order."""
        got = [(each["reason"], each["o"]) for each in self.dead]
        same("dead letters", sorted(got), sorted(expected))

    def expect_emitted(self, expected, timed=True):
        """`expected`: (place, value, event time); what one place emits has no order."""
        form = lambda place, value, time: (place, canonical(value), time if timed else None)
        got = sorted((form(each["o"], each["v"], each["t"]) for each in self.emitted), key=str)
        same("emitted", got, sorted((form(*each) for each in expected), key=str))

    def expect_counter(self, name, expected):
        same(f"counter {name}", self.counters.get(name, 0), expected)

    def emitted_at(self):
        by_place = defaultdict(list)
        for each in self.emitted:
            by_place[each["o"]].append(each)
        return by_place


def canonical(value):
    return json.dumps(plain(value), sort_keys=True)


def plain(value):
    """JSON of JavaScript has no whole floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def same(what, got, expected):
    if got == expected:
        return
    if isinstance(got, list) and isinstance(expected, list):
        missing, more = list(expected), []
        for each in got:
            if each in missing:
                missing.remove(each)
            else:
                more.append(each)
        raise Wrong(f"{what}: missing {missing[:5]}, unexpected {more[:5]}")
    raise Wrong(f"{what}: {got} instead of {expected}")


def check(holds, why):
    if not holds:
        raise Wrong(why)

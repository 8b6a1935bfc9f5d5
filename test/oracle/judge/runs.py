"""Whole runs: records of several logs in the order of event time (ARCHITECTURE.md, docs/adr/0018), judged by their values."""
import math

from case import Case, canonical, same

# The third record of a log that agrees settles its clock; before that it raises no watermark.
SETTLED = 3


class MergedCase(Case):
    """The case in the order in which its step gets the records. Results have no place here, dead letters have their offset."""

    def __init__(self, case, order):
        self.options, self.disorder = case.options["options"], case.disorder
        self.inputs, self.offsets, self.watermarks = ([each[i] for each in order] for i in range(3))
        self.end = len(order)
        self.emitted, self.dead, self.counters = case.emitted, case.dead, case.counters

    def steps(self):
        before = -math.inf
        for place, each in enumerate(self.inputs):
            yield place, each, before, self.watermarks[place]
            before = self.watermarks[place]
        yield self.end, None, before, math.inf

    def expect_emitted(self, expected, timed=True):
        got = sorted(canonical(each["v"]) for each in self.emitted)
        same("emitted", got, sorted(canonical(value) for _, value, _ in expected))

    def expect_dead(self, expected):
        got = sorted((each["reason"], each["o"]) for each in self.dead)
        same("dead letters", got, sorted((reason, self.offsets[place]) for reason, place in expected))


def merged(case):
    ends = sorted({at for at in case.restarts if at > 0} | {case.end})
    order, watermark, begin = [], -math.inf, 0
    logs = [Log(), Log()]
    for end in ends:
        for each in case.inputs[begin:end]:
            logs[each["in"]].add(each)
        begin = end
        # A run ends with its logs: all that is there is taken.
        while any(log.waiting for log in logs):
            log = min((log for log in logs if log.waiting), key=lambda log: log.head_time)
            each, offset, time = log.take()
            if log.taken >= SETTLED:
                watermark = max(watermark, time - case.disorder)
            order.append((each, offset, watermark))
    return MergedCase(case, order)


class Log:
    """Records of one input: the time that a record is merged by never falls."""

    def __init__(self):
        self.waiting, self.taken, self.time = [], 0, -math.inf

    def add(self, each):
        self.waiting.append(each)

    @property
    def head_time(self):
        return max(self.time, self.waiting[0]["t"])

    def take(self):
        each, offset = self.waiting.pop(0), self.taken
        self.time = max(self.time, each["t"])
        self.taken += 1
        return each, offset, self.time

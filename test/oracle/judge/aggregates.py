"""Aggregates over values, each within the error that it states (docs/guide/windows.md)."""
import math
from collections import Counter
from fractions import Fraction

from case import check, same
from windows import Window, starts

UNIT = Fraction(1, 2**53)


def judge(case):
    windows = windows_of(case)
    got = {(each["v"]["startMs"], each["v"]["endMs"]): each["v"] for each in case.emitted}
    same("windows", sorted(got), sorted((w.start, w.end) for w in windows))
    same("rows", len(case.emitted), len(windows))
    case.expect_dead([])
    for window in windows:
        judge_row(case.options, [v[2] for v in sorted(window.values, key=lambda v: v[:2])], got[(window.start, window.end)])


def windows_of(case):
    spec = case.options["window"]
    values = [(each["t"], place, each["v"]) for place, each in enumerate(case.inputs)]
    found = {}

    def put(start, end, value):
        found.setdefault((start, end), Window("all", start, end)).values.append(value)

    if spec["kind"] in ("tumbling", "hopping"):
        for value in values:
            for start in starts(spec, value[0]):
                put(start, start + spec["size"], value)
    elif spec["kind"] == "sliding":
        for end in {t for t, _, _ in values}:
            for value in values:
                if end - spec["size"] < value[0] <= end:
                    put(end + 1 - spec["size"], end + 1, value)
    else:
        gap, group = spec["size"], []
        for value in sorted(values, key=lambda v: v[:2]) + [None]:
            if group and (value is None or value[0] - group[-1][0] >= gap):
                for each in group:
                    put(group[0][0], group[-1][0] + gap, each)
                group = []
            group.append(value)
    return list(found.values())


def judge_row(options, values, row):
    known = [Fraction(v["x"]) for v in values if v["x"] is not None]
    words = [v["w"] for v in values if v["w"] is not None]
    same("n", row["n"], len(values))
    same("known", row["known"], len(known))
    same("min", row["min"], float(min(known)) if known else None)
    same("max", row["max"], float(max(known)) if known else None)
    judge_sums(known, row)
    judge_variance(known, row)
    judge_quantiles(options, known, row)
    judge_distinct(words, row["distinct"])
    judge_top(options, Counter(words), row["top"])
    kept = [float(x) for x in known[: options["valuesMax"]]]
    same("collected", row["all"], {"values": kept, "more": len(known) - len(kept)})


def near(what, got, exact, error):
    check(got is not None, f"{what} is null instead of {float(exact)}")
    check(abs(Fraction(got) - exact) <= error, f"{what} is {got} instead of {float(exact)}, which is further than {float(error)}")


def judge_sums(known, row):
    total, magnitude, n = sum(known, Fraction(0)), sum(map(abs, known), Fraction(0)), len(known)
    # Neumaier's bound: some units of the last digit of the result, and of the second order in the terms.
    error = 4 * UNIT * abs(total) + 4 * (n + 2) ** 2 * UNIT**2 * magnitude
    near("sum", row["sum"], total, error)
    if n == 0:
        same("mean", row["mean"], None)
    else:
        near("mean", row["mean"], total / n, error / n + UNIT * abs(total / n))


def judge_variance(known, row):
    n = len(known)
    mean = sum(known, Fraction(0)) / max(1, n)
    squares = sum(((x - mean) ** 2 for x in known), Fraction(0))
    # Welford's bound: n units times the condition of the data.
    size = sum((x * x for x in known), Fraction(0))
    error = 8 * (n + 4) * UNIT * (squares + Fraction(math.sqrt(float(squares) * float(size)) if known else 0)) + (8 * (n + 4) * UNIT) ** 2 * size
    for name, free in (("sample", 1), ("population", 0)):
        if n <= free:
            same(name, row[name], None)
        else:
            near(name, row[name], squares / (n - free), error / (n - free))


def judge_quantiles(options, known, row):
    ordered = sorted(known)
    for name, qs, got in (("median", [0.5], [row["median"]]), ("quantiles", [0, 0.1, 0.9, 0.99, 1], row["quantiles"])):
        for q, value in zip(qs, got):
            if not ordered:
                same(name, value, None)
                continue
            exact = ordered[math.floor(q * (len(ordered) - 1))]
            near(f"{name} {q}", value, exact, Fraction(options["error"]) * abs(exact) * (1 + 10**6 * UNIT))


def judge_distinct(words, got):
    different = len(set(words))
    if different <= 512:
        same("distinct", got, different)
    else:
        # Six standard errors.
        near("distinct", got, different, Fraction(6 * 0.016) * different)


def judge_top(options, counts, got):
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0] if isinstance(item[0], (int, float)) else 0, str(item[0])))
    if len(counts) <= options["counters"]:
        exact = [{"value": word, "count": n, "error": 0} for word, n in order[: options["k"]]]
        same("top", got, exact)
        return
    same("length of top", len(got), options["k"] if options["k"] <= options["counters"] else options["counters"])
    same("order of top", [each["count"] for each in got], sorted((each["count"] for each in got), reverse=True))
    for each in got:
        true, most, error = counts[each["value"]], each["count"], each["error"]
        check(most - error <= true <= most, f"{each} came {true} times")
        check(error * options["counters"] <= sum(counts.values()), f"{each} is off by more than it may")

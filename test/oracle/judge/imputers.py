"""Missing values: what each rule fills in, from the values of the records before (docs/guide/data-quality.md)."""
import math
from collections import Counter
from fractions import Fraction
from itertools import combinations

from case import check, same

WINDOW, GROUP_WINDOW, NEAREST_WINDOW = 1001, 101, 501


def judge(case):
    options = case.options
    use = options["use"]
    seen, expected, dead, imputed = [], [], [], 0
    got = {each["o"]: each["v"] for each in case.emitted}
    for place, each in enumerate(case.inputs):
        record = each["v"]
        if record["x"] is not None:
            seen.append(record)
            expected.append((place, record, each["t"]))
            continue
        guess = guess_of(options, seen, record)
        if guess is None and options["fallback"] is not None and use != "constant":
            guess = {options["fallback"]}
        if guess is None:
            dead.append(("nothing-to-impute", place))
            continue
        imputed += 1
        filled = got.get(place, {}).get("x")
        if isinstance(guess, AnyBetween):
            check(guess[0] - 1 <= filled <= guess[1] + 1, f"{filled} at {place} is not among the values of the nearest")
            expected.append((place, {**record, "x": filled}, each["t"]))
            continue
        exact = use in ("median", "mode", "last", "constant")
        near = filled in map(float, guess) if exact else any(close(filled, g) for g in guess)
        check(near, f"{filled} at {place} instead of {[float(g) for g in guess][:5]}")
        expected.append((place, {**record, "x": filled}, each["t"]))
    case.expect_emitted(expected)
    case.expect_dead(dead)
    case.expect_counter("imputed", imputed)


def close(got, exact):
    return got is not None and math.isclose(got, float(exact), rel_tol=1e-9, abs_tol=1e-9)


def guess_of(options, seen, record):
    """The values that may be filled in: several where records are equally near in exact numbers; none where there is nothing to go by."""
    use = options["use"]
    if use == "constant":
        return {5}
    if use == "nearest":
        return nearest(options, seen[-(options["window"] or NEAREST_WINDOW):], record)
    group = [r for r in seen if r["g"] == record["g"]] if options["grouped"] and record["g"] is not None else []
    window = options["window"] or (GROUP_WINDOW if group else WINDOW)
    known = group or seen
    values = [Fraction(r["x"]) for r in (known if use == "mean" else known[-window:])]
    return {of(use, values)} if values else None


def of(use, values):
    if use == "mean":
        return sum(values) / len(values)
    if use == "last":
        return values[-1]
    if use == "median":
        ordered, middle = sorted(values), len(values) // 2
        return ordered[middle] if len(ordered) % 2 else Fraction(float((ordered[middle - 1] + ordered[middle]) / 2))
    counts = Counter(values)
    most = max(counts.values())
    return next(v for v in reversed(values) if counts[v] == most)


def nearest(options, rows, record):
    fields = ("a", "b")

    def span(field):
        known = [r[field] for r in rows if r[field] is not None]
        width = max(known) - min(known) if known else 0
        return Fraction(width) if options["scale"] == "range" and width else Fraction(1)

    spans = {field: span(field) for field in fields}
    near = []
    for age, row in enumerate(reversed(rows)):
        common = [f for f in fields if row[f] is not None and record[f] is not None]
        if common:
            squares = sum((Fraction(row[f] - record[f]) / spans[f]) ** 2 for f in common)
            near.append((squares * len(fields) / len(common), age, Fraction(row["x"])))
    if not near:
        return None
    near.sort(key=lambda n: n[:2])
    count = min(options["neighbors"], len(near))
    mean = lambda chosen: sum(n[2] for n in chosen) / count
    border = near[count - 1][0]
    tied = [n for n in near if n[0] == border]
    surely = [n for n in near if n[0] < border]
    if options["scale"] == "none" or len(tied) <= count - len(surely):
        return {mean(near[:count])}
    # Scaled distances are rounded: of equally near ones any may come first.
    if len(tied) > 12:
        return AnyBetween(min(n[2] for n in near), max(n[2] for n in near))
    return {mean(surely + list(chosen)) for chosen in combinations(tied, count - len(surely))}


class AnyBetween(list):
    """Too many possible values to list: judged by their range."""

    def __init__(self, low, high):
        super().__init__([low, high])

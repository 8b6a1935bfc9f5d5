"""Duplicates and samples (docs/guide/data-quality.md). Draws are hashes, so samples are judged by what they promise."""
import math
from collections import defaultdict
from fractions import Fraction

from case import Unjudged, check, same
from windows import starts


def judge_dedupe(case):
    retention, keys_max = case.options["retention"], case.options["keysMax"]
    seen, expected, dead, duplicates, evicted = {}, [], [], 0, 0
    now = -math.inf
    for place, each in enumerate(case.inputs):
        key = each["v"]["k"]
        if key is None:
            dead.append(("empty-key", place))
            continue
        now = max(now, each["t"])
        # The stream's time of its first record on, until `retention` later.
        seen = {k: at for k, at in seen.items() if now - at < retention}
        if key in seen:
            duplicates += 1
            continue
        seen[key] = now
        if len(seen) > keys_max:
            del seen[next(iter(seen))]
            evicted += 1
        expected.append((place, each["v"], each["t"]))
    case.expect_emitted(expected)
    case.expect_dead(dead)
    case.expect_counter("duplicates", duplicates)
    case.expect_counter("evicted", evicted)


def judge_sampling(case):
    {
        "sample": judge_sample,
        "stratify": judge_stratify,
        "windows": judge_sample_windows,
        "undersample": judge_undersample,
        "throttle": judge_throttle,
    }[case.options["kind"]](case)


def without_key(case):
    return [("empty-key", place) for place, each in enumerate(case.inputs) if each["v"]["k"] is None]


def identity(key):
    """The number 1 and the text '1' are two keys."""
    return (type(key).__name__, key)


def kept_places(case):
    return {each["o"] for each in case.emitted}


def judge_keys(draws, rate):
    """`draws`: (key, whether it was kept). All records of a key are, or none; and about the rate of the keys."""
    of_key = defaultdict(set)
    for key, kept in draws:
        of_key[key].add(kept)
    check(all(len(each) == 1 for each in of_key.values()), f"a key is kept and dropped: {dict(of_key)}")
    n, kept = len(of_key), sum(True in each for each in of_key.values())
    p = Fraction(rate)
    chance = lambda few: math.comb(n, few) * p**few * (1 - p) ** (n - few)
    if n:
        tail = min(sum(map(chance, range(kept + 1))), sum(map(chance, range(kept, n + 1))))
        check(tail > Fraction(1, 10**12), f"{kept} of {n} keys are kept at a rate of {rate}")


def judge_sample(case):
    kept = kept_places(case)
    judge_keys([(identity(e["v"]["k"]), o in kept) for o, e in enumerate(case.inputs) if e["v"]["k"] is not None], case.options["rate"])
    case.expect_emitted([(o, case.inputs[o]["v"], case.inputs[o]["t"]) for o in kept])
    case.expect_dead(without_key(case))
    case.expect_counter("unsampled", len(case.inputs) - len(kept) - len(case.dead))


def judge_stratify(case):
    options, kept = case.options, kept_places(case)
    every, counts, now = options["every"], {}, -math.inf
    dead, over = [], 0
    # A rate draws by key; only what it keeps counts for the quota. A key that was kept once tells what its draw was.
    drawn = {}
    for place, each in enumerate(case.inputs):
        key, stratum, t = each["v"]["k"], each["v"]["g"], each["t"]
        rate = options["rates"].get(stratum, 1)
        # A key is needed only where there is a draw.
        if key is None and rate < 1:
            dead.append(("empty-key", place))
            continue
        if rate == 0.5 and place not in kept and drawn.get(identity(key), None) is not True:
            # Either not drawn or over the quota; only a key that is kept elsewhere tells them apart.
            kept_elsewhere = any(
                o in kept and e["v"]["k"] is not None and identity(e["v"]["k"]) == identity(key) and e["v"]["g"] == stratum
                for o, e in enumerate(case.inputs)
            )
            if not kept_elsewhere:
                raise Unjudged
        if rate == 0:
            check(place not in kept, f"{place} is kept at a rate of 0")
            continue
        if rate == 0.5:
            drawn[identity(key)] = True
        now = max(now, t)
        start = min(t, now) // every * every
        if stratum not in counts and len(counts) >= options["strataMax"]:
            dead.append(("too-many-keys", place))
            continue
        newest, passed = counts.get(stratum, (start, 0))
        if start > newest:
            newest, passed = start, 0
        takes = passed < options["records"]
        counts[stratum] = (newest, passed + takes)
        over += not takes
        same(f"whether {place} passes", place in kept, takes)
    case.expect_dead(dead)
    case.expect_counter("over_quota", over)


def judge_sample_windows(case):
    options, spec = case.options, case.options["window"]
    windows, late, closed = defaultdict(list), [], []
    for place, each, before, after in case.steps():
        if each and each["v"]["k"] is not None:
            open_now = [s for s in starts(spec, each["t"]) if s + spec["size"] > before]
            if not open_now:
                late.append(("late", place))
            for start in open_now:
                windows[(start, each["v"]["g"] if options["grouped"] else None)].append((each["t"], place, each["v"]))
        for at in [at for at in windows if at[0] + spec["size"] <= after]:
            closed.append((place, at[0] + spec["size"] - 1, windows.pop(at)))
    case.expect_dead(without_key(case) + late)
    # Values at one time and place are not told apart; each is drawn from the candidates of its window.
    by_place = case.emitted_at()
    below = defaultdict(set)
    for place, end, records in closed:
        size = min(options["size"], len(records))
        groups = {r[2]["g"] for r in records} if options["grouped"] else None
        of_window = [e for e in by_place[place] if e["t"] == end and (groups is None or e["v"]["g"] in groups)]
        same(f"records drawn of the window that ends at {end}", len(of_window), size)
        left = list(records)
        for each in of_window:
            found = next((r for r in left if r[2] == each["v"]), None)
            check(found is not None, f"{each['v']} is not in the window that ends at {end}")
            left.remove(found)
        drawn = {identity(e["v"]["k"]) for e in of_window}
        for _, _, value in left:
            if identity(value["k"]) not in drawn:
                for key in drawn:
                    below[key].add(identity(value["k"]))
    same("emitted", len(case.emitted), sum(min(options["size"], len(records)) for _, _, records in closed))
    check(not has_cycle(below), "no draw of each key explains what was drawn of all windows")


def has_cycle(below):
    state = {}

    def visit(key):
        state[key] = "open"
        for other in below.get(key, ()):
            if state.get(other) == "open" or (other not in state and visit(other)):
                return True
        state[key] = "done"
        return False

    return any(key not in state and visit(key) for key in list(below))


def judge_undersample(case):
    shares, counts, dead = case.options["shares"], defaultdict(int), without_key(case)
    kept = {each["o"]: each["v"]["weight"] for each in case.emitted}
    draws = defaultdict(lambda: [Fraction(0), Fraction(1)])
    for place, each in enumerate(case.inputs):
        key, group = each["v"]["k"], each["v"]["g"]
        if key is None:
            continue
        if group not in shares:
            dead.append(("unknown-class", place))
            continue
        counts[group] += 1
        quotient = {c: Fraction(shares[c], n) for c, n in counts.items()}
        p = quotient[group] / max(quotient.values()) if len(counts) > 1 else Fraction(1)
        bounds = draws[identity(key)]
        if place in kept:
            check(math.isclose(kept[place], float(1 / p), rel_tol=1e-12), f"weight {kept[place]} at {place}, not {float(1 / p)}")
            bounds[1] = min(bounds[1], p)
        else:
            check(p < 1, f"{place} is dropped with probability 1")
            bounds[0] = max(bounds[0], p)
    # A key has one draw: what was kept was more probable than the draw, what was dropped was not.
    check(all(low < high for low, high in draws.values()), "no draw of a key explains what was kept of it")
    case.expect_dead(dead)


def judge_throttle(case):
    options, buckets, now, dead, expected = case.options, {}, -math.inf, [], []
    for place, each in enumerate(case.inputs):
        key = each["v"]["k"]
        if key is None:
            dead.append(("empty-key", place))
            continue
        now = max(now, each["t"])
        at, room = buckets.get(identity(key), (now, Fraction(options["burst"])))
        room = min(Fraction(options["burst"]), room + Fraction(options["records"] * (now - at), options["per"]))
        passes = room >= 1
        buckets[identity(key)] = (now, room - passes)
        if passes:
            expected.append((place, each["v"], each["t"]))
        else:
            dead.append(("rate-exceeded", place))
    case.expect_emitted(expected)
    case.expect_dead(dead)
    case.expect_counter("throttled", len(case.inputs) - len(expected) - len(without_key(case)))

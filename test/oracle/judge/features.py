"""Rolling features: means of outcomes that have arrived, which fade by a half-life (docstrings of `rolling` and `featurize`)."""
import math

from case import check, same


def judge(case):
    options = case.options
    low, high = options["clip"] or (-math.inf, math.inf)
    arrived, waiting, rows = [], {}, []
    counted = {"outcomes": 0, "outcomes_unmatched": 0}
    now = -math.inf
    for place, each in enumerate(case.inputs):
        now = max(now, each["t"])
        # A row waits for its outcome that long; the oldest makes room.
        waiting = {key: held for key, held in waiting.items() if now - held[0] < options["wait"]}
        value = each["v"]
        if each["in"] == 0:
            mean = lambda chosen: decayed(chosen, now, options)
            group = [a for a in arrived if value["g"] is not None and a[1] == value["g"]]
            rows.append((place, value["id"], [mean(group), mean(arrived)]))
            if len(waiting) >= options["pendingMax"]:
                del waiting[next(iter(waiting))]
            waiting[value["id"]] = (now, value["g"])
        elif value["id"] in waiting:
            arrived.append((now, waiting.pop(value["id"])[1], min(high, max(low, value["y"]))))
            counted["outcomes"] += 1
        else:
            counted["outcomes_unmatched"] += 1
    same("rows", [(each["o"], each["v"]["id"]) for each in case.emitted], [row[:2] for row in rows])
    for each, (place, _, dense) in zip(case.emitted, rows):
        for got, expected in zip(each["v"]["dense"], dense):
            # The vector is of single precision.
            near = math.isclose(got, expected, rel_tol=1e-5, abs_tol=1e-5)
            check(near, f"features at {place}: {each['v']['dense']} instead of {dense}")
    for name, expected in counted.items():
        case.expect_counter(name, expected)
    case.expect_dead([])


def decayed(outcomes, now, options):
    weights = [2.0 ** -((now - at) / options["halfLife"]) for at, _, _ in outcomes]
    total = options["priorWeight"] + math.fsum(weights)
    summed = options["priorWeight"] * options["prior"] + math.fsum(w * o[2] for w, o in zip(weights, outcomes))
    return (summed / total - options["center"]) / options["scale"]

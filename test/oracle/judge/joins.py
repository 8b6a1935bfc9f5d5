"""Two streams joined in event time (docs/guide/joins.md): pairs, and records without a partner."""
import math


def judge(case):
    options = case.options
    before, after, lateness = options["before"], options["after"], options["lateness"]
    # A right record matches from `before` before a left one to `after` after it.
    matches = lambda left, right: left["t"] - before <= right["t"] <= left["t"] + after
    # How long after a record of this side its partners may lie.
    ahead = (after, before)
    emits_alone = {"inner": (False, False), "left": (True, False), "outer": (True, True)}[options["kind"]]
    dead, expected, accepted, waiting = [], [], ([], []), []
    for place, each, earlier, now in case.steps():
        if each:
            side, key = each["in"], each["v"]["k"]
            if key is None:
                dead.append(("empty-key", place))
            elif each["t"] + lateness < earlier:
                dead.append(("late", place))
            else:
                record = {"t": each["t"], "k": key, "id": each["v"]["id"], "side": side, "matched": False}
                for other in accepted[1 - side]:
                    left, right = (record, other) if side == 0 else (other, record)
                    if other["k"] == key and matches(left, right):
                        record["matched"] = other["matched"] = True
                        expected.append((place, [left["id"], right["id"]], max(left["t"], right["t"])))
                accepted[side].append(record)
                waiting.append(record)
        for record in list(waiting):
            # A partner of the last possible moment is in time while the watermark is not beyond it by the lateness.
            last = record["t"] + max(0, ahead[record["side"]]) + lateness
            if now >= last + 1:
                waiting.remove(record)
                if not record["matched"] and emits_alone[record["side"]]:
                    alone = [record["id"], None] if record["side"] == 0 else [None, record["id"]]
                    expected.append((place, alone, last + 1))
    case.expect_emitted(expected)
    case.expect_dead(dead)

"""River as a side of the benchmark `learners`: answers orders from the standard input, one a line.

pip install river==0.26.1
"""

import json
import math
import sys
import time

import numpy as np
from river import (  # noqa: F401, orders name them
    anomaly,
    cluster,
    ensemble,
    facto,
    forest,
    linear_model,
    naive_bayes,
    neighbors,
    optim,
    preprocessing,
    tree,
)

NUMBERS = 30
LABELS = {"number": 30, "binary": 31, "class": 32}
KIND = {"number": float, "binary": bool, "class": int}

JUDGES = {
    "log loss": lambda said, label: -math.log(max(1e-15, said if label else 1 - said)),
    "accuracy": lambda said, label: said == label,
    "mean error": lambda said, label: abs(said - label),
    "mean score": lambda said, label: said,
    "nothing": lambda said, label: 0,
}


def rows_of(order):
    kind = KIND[order["label"]]
    count, columns = order["rows"], order["columns"]
    if order["data"] == "numbers":
        width = NUMBERS + len(LABELS)
        all_rows = np.fromfile(order["file"], dtype=np.float32, count=count * width).reshape(count, width)
        labels = all_rows[:, LABELS[order["label"]]].tolist()
        return [dict(enumerate(x)) for x in all_rows[:, :columns].tolist()], [kind(y) for y in labels]
    names = [f"f{i}" for i in range(columns)]
    with open(order["file"]) as lines:
        cells = [line.rstrip("\n").split("\t") for line, _ in zip(lines, range(count))]
    return [dict(zip(names, row[1:])) for row in cells], [row[0] == "1" for row in cells]


def progressive(model, xs, ys, judge):
    """What is said of each row before it is learnt."""
    said = []
    keep = said.append
    if judge == "log loss":
        for x, y in zip(xs, ys):
            keep(model.predict_proba_one(x))
            model.learn_one(x, y)
    elif judge == "mean score":
        for x in xs:
            keep(model.score_one(x))
            model.learn_one(x)
    elif judge == "nothing":
        for x in xs:
            keep(model.predict_one(x))
            model.learn_one(x)
    else:
        for x, y in zip(xs, ys):
            keep(model.predict_one(x))
            model.learn_one(x, y)
    return said


def run(order):
    xs, ys = rows_of(order)
    judge = JUDGES[order["judge"]]
    rows, seconds, score = 0, 0.0, None
    while seconds < order["seconds"]:
        model = eval(order["learner"])
        before = time.process_time()
        said = progressive(model, xs, ys, order["judge"])
        seconds += time.process_time() - before
        if score is None:
            if order["judge"] == "log loss":
                said = [shares.get(True, 0.5) for shares in said]
            score = sum(map(judge, said, ys)) / len(ys)
        rows += len(ys)
    return {"rows": rows, "cpuSeconds": seconds, "score": score}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)

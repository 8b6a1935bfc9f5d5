"""What scikit-learn measures of predictions that are made here: the golden file of the metrics' tests.

    pip install scikit-learn
    python benchmarks/peers/metrics.py > test/ml/metrics/peers.ndjson

One line a batch: the kind of its rows, the rows (prediction, label, weight), and each figure by name. Figures that scikit-learn does not
have (calibration error, normalized entropy, rankings but NDCG) are loops over the definition.
"""

import json
import math
import random
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics as sk

warnings.filterwarnings("ignore")
rng = random.Random(15)
BINS = 16


def figure(value):
    return None if value is None or math.isnan(value) else float(value)


def draw(kind):
    """A probability: spread out, rare, near both ends, or one of few."""
    if kind == "rare":
        return rng.betavariate(0.5, 20)
    if kind == "sure":
        return rng.betavariate(0.2, 0.2)
    if kind == "few":
        return rng.choice([0.05, 0.3, 0.55, 0.8])
    return rng.random()


def weights(n, weighted):
    return [round(rng.lognormvariate(0, 1.5), 3) + 0.001 if weighted else 1 for _ in range(n)]


def decisions(y, d, w):
    """Figures of true and false labels by decisions; undefined ones are null."""
    nan = {"sample_weight": w, "zero_division": np.nan}
    return {
        "accuracy": sk.accuracy_score(y, d, sample_weight=w),
        "balanced_accuracy": sk.balanced_accuracy_score(y, d, sample_weight=w),
        "precision": sk.precision_score(y, d, **nan),
        "recall": sk.recall_score(y, d, **nan),
        "f1": sk.f1_score(y, d, **nan),
        "f2": sk.fbeta_score(y, d, beta=2, **nan),
        "mcc": sk.matthews_corrcoef(y, d, sample_weight=w),
        "kappa": sk.cohen_kappa_score(y, d, sample_weight=w),
    }


def calibration(p, y, w, bins):
    """By the definition, over bins of equal width."""
    p, y, w = np.array(p), np.array(y, float), np.array(w, float)
    place = np.minimum((p * bins).astype(int), bins - 1)
    gaps, sums = [], []
    for b in set(place):
        at = place == b
        gaps.append(abs((w * p)[at].sum() - (w * y)[at].sum()) / w[at].sum())
        sums.append(w[at].sum())
    gaps, sums = np.array(gaps), np.array(sums)
    return {
        "ece": (gaps * sums).sum() / sums.sum(),
        "ece_l2": math.sqrt((gaps**2 * sums).sum() / sums.sum()),
        "ece_max": gaps.max(),
    }


def binary(n, kind, weighted, sharpness=1.0):
    p = [draw(kind) for _ in range(n)]
    y = [int(rng.random() < x**sharpness) for x in p]
    y[0], y[-1] = 1, 0
    w = weights(n, weighted)
    rate = np.average(y, weights=w)
    binned = [min(int(x * BINS), BINS - 1) for x in p]
    loss = sk.log_loss(y, p, sample_weight=w)
    figures = {
        **decisions(y, [int(x > 0.5) for x in p], w),
        "log_loss": loss,
        "brier": sk.brier_score_loss(y, p, sample_weight=w),
        "normalized_entropy": loss / -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate)),
        "roc_auc": sk.roc_auc_score(y, p, sample_weight=w),
        "roc_auc_binned": sk.roc_auc_score(y, binned, sample_weight=w),
        "pr_auc": sk.average_precision_score(y, p, sample_weight=w),
        "pr_auc_binned": sk.average_precision_score(y, binned, sample_weight=w),
        **calibration(p, y, w, 10),
    }
    low = {f"{name}_at_0.1": value for name, value in decisions(y, [int(x > 0.1) for x in p], w).items()}
    return "binary", list(zip(p, y, w)), {**figures, **low}


def classes(n, names, weighted, noise):
    rows, truth = [], []
    for _ in range(n):
        at = rng.randrange(len(names)) if rng.random() < 0.7 else 0
        scores = [rng.random() ** noise + (c == at) for c in range(len(names))]
        rows.append([s / sum(scores) for s in scores])
        truth.append(at)
    for c in range(len(names)):
        truth[c] = c
    w = weights(n, weighted)
    p = np.array(rows)
    decided = p.argmax(axis=1)
    of_class = {"sample_weight": w, "zero_division": 0}
    figures = {
        "accuracy": sk.accuracy_score(truth, decided, sample_weight=w),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, decided, sample_weight=w),
        "mcc": sk.matthews_corrcoef(truth, decided, sample_weight=w),
        "kappa": sk.cohen_kappa_score(truth, decided, sample_weight=w),
        "log_loss": sk.log_loss(truth, p, sample_weight=w, labels=range(len(names))),
        "brier": sk.brier_score_loss(truth, p, sample_weight=w, labels=range(len(names)), scale_by_half=False),
        "roc_auc": np.mean([sk.roc_auc_score(np.equal(truth, c), p[:, c], sample_weight=w) for c in range(len(names))]),
        "roc_auc_binned": np.mean(
            [
                sk.roc_auc_score(np.equal(truth, c), np.minimum((p[:, c] * BINS).astype(int), BINS - 1), sample_weight=w)
                for c in range(len(names))
            ]
        ),
        "pr_auc": np.mean(
            [sk.average_precision_score(np.equal(truth, c), p[:, c], sample_weight=w) for c in range(len(names))]
        ),
        "pr_auc_binned": np.mean(
            [
                sk.average_precision_score(
                    np.equal(truth, c), np.minimum((p[:, c] * BINS).astype(int), BINS - 1), sample_weight=w
                )
                for c in range(len(names))
            ]
        ),
        **calibration(p.max(axis=1), np.equal(truth, decided), w, 10),
    }
    for average in ["macro", "micro", "weighted"]:
        figures[f"precision_{average}"] = sk.precision_score(truth, decided, average=average, **of_class)
        figures[f"recall_{average}"] = sk.recall_score(truth, decided, average=average, **of_class)
        figures[f"f1_{average}"] = sk.f1_score(truth, decided, average=average, **of_class)
    for c, name in enumerate(names):
        only = {"labels": [c], "average": None, "sample_weight": w, "zero_division": np.nan}
        figures[f"precision_of_{name}"] = sk.precision_score(truth, decided, **only)[0]
        figures[f"recall_of_{name}"] = sk.recall_score(truth, decided, **only)[0]
    kept = [dict(zip(names, row)) for row in rows]
    matrix = sk.confusion_matrix(truth, decided, sample_weight=w, labels=range(len(names))).tolist()
    return "class", list(zip(kept, [names[t] for t in truth], w)), figures, {"classes": names, "matrix": matrix}


def numbers(n, mean, spread, weighted):
    y = [rng.gauss(mean, spread) for _ in range(n)]
    p = [x + rng.gauss(0, spread / 2) for x in y]
    w = weights(n, weighted)
    figures = {
        "mae": sk.mean_absolute_error(y, p, sample_weight=w),
        "rmse": sk.root_mean_squared_error(y, p, sample_weight=w),
        "r2": sk.r2_score(y, p, sample_weight=w),
        "quantile_0.9": sk.mean_pinball_loss(y, p, alpha=0.9, sample_weight=w),
        "quantile_0.2": sk.mean_pinball_loss(y, p, alpha=0.2, sample_weight=w),
        "regret": math.fsum(c * (b - a) for a, b, c in zip(p, y, w)),
    }
    return "number", list(zip(p, y, w)), figures


def rankings(n, items, k, weighted):
    names = [f"i{i}" for i in range(items)]
    rows, figures = [], {name: [] for name in ["ndcg", "map", "mrr", "hit_rate"]}
    w = weights(n, weighted)
    for _ in range(n):
        gains = {name: rng.choice([1, 2, 3]) for name in rng.sample(names, rng.randint(1, items // 2))}
        scores = {name: rng.random() + 0.3 * gains.get(name, 0) for name in names}
        ranked = sorted(names, key=lambda name: -scores[name])
        given = ranked[: rng.randint(1, items)]
        rows.append((given, gains))
        # Items that were not ranked come last, without a gain that counts.
        asked = [[gains.get(name, 0) for name in names]]
        shown = [[scores[name] if name in given else -1 - names.index(name) for name in names]]
        if len(given) >= k:
            figures["ndcg"].append(sk.ndcg_score(asked, shown, k=k))
        else:
            best = sorted(gains.values(), reverse=True)[:k]
            dcg = lambda values: sum(g / math.log2(i + 2) for i, g in enumerate(values))
            figures["ndcg"].append(dcg([gains.get(name, 0) for name in given]) / dcg(best))
        hits = [name in gains for name in given[:k]]
        precise = [sum(hits[: i + 1]) / (i + 1) for i, hit in enumerate(hits) if hit]
        figures["map"].append(sum(precise) / min(k, len(gains)))
        figures["mrr"].append(1 / (1 + hits.index(True)) if any(hits) else 0)
        figures["hit_rate"].append(float(any(hits)))
    rows = [(given, gains, weight) for (given, gains), weight in zip(rows, w)]
    return "ranking", rows, {name: np.average(values, weights=w) for name, values in figures.items()}, {"k": k}


batches = [
    binary(2, "even", False),
    binary(12, "few", True),
    binary(40, "even", False),
    binary(90, "sure", True),
    binary(150, "rare", False, 0.7),
    binary(120, "even", True, 3.0),
    classes(9, ["a", "b", "c"], False, 1),
    classes(80, ["a", "b", "c"], True, 2),
    classes(60, ["sun", "rain", "snow", "fog", "hail"], True, 0.5),
    numbers(2, 0, 1, False),
    numbers(50, 12, 30, True),
    numbers(60, 1e6, 0.5, True),
    rankings(6, 8, 3, False),
    rankings(25, 12, 5, True),
]
print(f"scikit-learn {sklearn.__version__}", file=sys.stderr)
for kind, rows, figures, *more in batches:
    line = {"kind": kind, **(more[0] if more else {}), "figures": {k: figure(v) for k, v in figures.items()}, "rows": rows}
    print(json.dumps(line))

"""What River's trees and ensembles predict over rows that are made here: the golden file of the trees' tests.

    pip install river
    python benchmarks/peers/trees.py > test/ml/peer-trees.json

`test/ml/tree-rows.ts` makes the same rows. Each model predicts a row, then learns it. Of a tree without chance, the file has every
50th prediction; of all, the accuracy or, for numbers, the mean absolute error: that of seeded ensembles is the mean over 20 seeds.
"""

import json
from importlib.metadata import version

from river import datasets, ensemble, forest, preprocessing, stats, tree
from river.tree.nodes.htr_nodes import LeafMean
from river.tree.splitter import EBSTSplitter
from river.tree.splitter.nominal_splitter_classif import NominalSplitterClassif

ROWS = 6_000
NUMBERS = 5
KINDS = 4
SEEDS = 20


def uniform(seed):
    """Numbers from 0 to 1 of 24 bits, by a linear congruential generator."""
    state = seed
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield (state >> 8) / 2**24


def numbers(seed=1):
    """Five numbers; three classes by thresholds of three of them, one label in twelve at random."""
    draw = uniform(seed)
    for _ in range(ROWS):
        x = [next(draw) for _ in range(NUMBERS)]
        kind = (0 if x[1] < 0.5 else 1) if x[0] < 0.6 else (2 if x[2] < 0.7 else 0)
        noise, other = next(draw), next(draw)
        yield x, int(other * 3) if noise < 1 / 12 else kind


def mixed(seed=2):
    """Two categories of four values and two numbers; two classes by a category and a number, one label in ten at random."""
    draw = uniform(seed)
    for _ in range(ROWS):
        kinds = [int(next(draw) * KINDS) for _ in range(2)]
        x = [next(draw) for _ in range(2)]
        truth = int(x[0] > 0.3 if kinds[0] < 2 else kinds[1] == 1)
        noise, other = next(draw), next(draw)
        yield kinds + x, int(other * 2) if noise < 0.1 else truth


def drifting(seed=3):
    """Five numbers; two classes by a line that turns in the middle of the rows, one label in twenty at random."""
    draw = uniform(seed)
    for i in range(ROWS // 2):
        x = [next(draw) for _ in range(NUMBERS)]
        truth = int(x[0] + x[1] > 1 if i < ROWS / 4 else x[2] > x[1])
        noise, other = next(draw), next(draw)
        yield x, int(other * 2) if noise < 0.05 else truth


def phishing():
    for x, y in datasets.Phishing():
        yield [x[name] for name in sorted(x)], int(y)


def levels(seed=6):
    """Four numbers of sixteen values each, exact in float32; a number by thresholds of two of them and the size of a third."""
    draw = uniform(seed)
    for _ in range(ROWS):
        x = [int(next(draw) * 16) / 16 for _ in range(4)]
        jump = (10 if x[1] < 0.25 else 6) if x[0] > 0.4 else 0
        yield x, jump + 3 * x[2] + 2 * next(draw)


def priced(seed=7):
    """Two categories of four values and two numbers of sixteen; a number by both categories and the size of a number."""
    draw = uniform(seed)
    for _ in range(ROWS):
        kinds = [int(next(draw) * KINDS) for _ in range(2)]
        x = [int(next(draw) * 16) / 16 for _ in range(2)]
        yield kinds + x, (4 * x[0] if kinds[0] == 2 else kinds[1]) + next(draw)


def bending(seed=8):
    """Five numbers; a number by a product, a square and two sizes of them, whose places are exchanged after half of the rows."""
    draw = uniform(seed)
    for i in range(ROWS // 2):
        x = [next(draw) for _ in range(NUMBERS)]
        a, b, c, d, e = x if i < ROWS / 4 else x[::-1]
        yield x, 20 * a * b + 20 * (c - 0.5) * (c - 0.5) + 10 * d + 2 * next(draw)


def approval():
    for x, y in datasets.TrumpApproval():
        yield [x[name] for name in sorted(x)], y


NUMBER_STREAMS = {"levels": levels, "priced": priced, "bending": bending, "approval": approval}
STREAMS = {"numbers": numbers, "mixed": mixed, "drifting": drifting, "phishing": phishing}


def named(stream, x):
    """Features by name; categories as text."""
    return {i: str(v) if stream in ("mixed", "priced") and i < 2 else v for i, v in enumerate(x)}


def progressive(stream, model):
    right = count = 0
    sampled = []
    for i, (x, y) in enumerate(STREAMS[stream]()):
        x = named(stream, x)
        shares = model.predict_proba_one(x)
        if i % 50 == 49:
            sampled.append([float(f"{shares.get(c, 0.0):.12g}") for c in range(3 if stream == "numbers" else 2)])
        right += bool(shares) and max(shares, key=shares.get) == y
        count += 1
        model.learn_one(x, y)
    return {"accuracy": right / count, "sampled": sampled}


def progressive_error(stream, model):
    error = count = 0
    sampled = []
    for i, (x, y) in enumerate(NUMBER_STREAMS[stream]()):
        x = named(stream, x)
        said = model.predict_one(x)
        if i % 50 == 49:
            sampled.append(float(f"{said:.12g}"))
        error += abs(said - y)
        count += 1
        model.learn_one(x, y)
    return {"error": error / count, "sampled": sampled}


def smoothed(self, value, kind):
    """A value of a category counts one row more than it had, as in MOA: River leaves out a value that a class never had."""
    counts = self._att_dist_per_class[kind]
    return (counts.get(value, 0.0) + 1) / (sum(counts.values()) + KINDS)


NominalSplitterClassif.cond_proba = smoothed


def hoeffding(**options):
    # Splits in two, and a leaf that is nearly pure goes on as all others do.
    return tree.HoeffdingTreeClassifier(binary_split=True, max_share_to_split=1.0, **options)


trees = {
    f"{stream} {leaf}": progressive(stream, hoeffding(grace_period=99.5, delta=0.01, tau=0.1, leaf_prediction=leaf))
    for stream in STREAMS
    for leaf in ("mc", "nb", "nba")
}


new_leaf = LeafMean.__init__


def with_observed(self, stats_before, depth, splitter, **options):
    self._observed = stats.Var()
    new_leaf(self, stats_before, depth, splitter, **options)


def observe(self, y, w):
    self.stats.update(y, w)
    self._observed.update(y, w)


def suggestions(self, criterion, tree):
    inherited, self.stats = self.stats, self._observed
    try:
        return super(LeafMean, self).best_split_suggestions(criterion, tree)
    finally:
        self.stats = inherited


def judge_by_observed_rows():
    """Splits are judged by the rows that a leaf observed: River adds those that it took over from its parent to the right side."""
    LeafMean.__init__ = with_observed
    LeafMean.update_stats = observe
    LeafMean.best_split_suggestions = suggestions
    LeafMean.total_weight = property(lambda self: self._observed.n)


def regression(leaf):
    return tree.HoeffdingTreeRegressor(leaf_prediction=leaf, binary_split=True, splitter=EBSTSplitter())


def mean_error(stream, make):
    return sum(progressive_error(stream, make(seed))["error"] for seed in range(SEEDS)) / SEEDS


def scaled_forest_of(seed):
    return preprocessing.StandardScaler() | forest.ARFRegressor(n_models=5, seed=seed, binary_split=True)


as_shipped = {stream: progressive_error(stream, regression("mean"))["error"] for stream in ("levels", "priced", "bending")}
judge_by_observed_rows()
number_trees = {
    f"{stream} {leaf}": progressive_error(stream, regression(leaf))
    for stream, leaves in (("levels", ("mean", "model", "adaptive")), ("priced", ("mean",)))
    for leaf in leaves
}


def mean_accuracy(stream, make):
    return sum(progressive(stream, make(seed))["accuracy"] for seed in range(SEEDS)) / SEEDS


def forest_of(seed):
    return forest.ARFClassifier(n_models=5, seed=seed, binary_split=True, max_share_to_split=1.0)


def bagging_of(seed):
    return ensemble.LeveragingBaggingClassifier(hoeffding(), n_models=3, seed=seed)


def adaptive_tree(**options):
    return lambda seed: tree.HoeffdingAdaptiveTreeClassifier(
        binary_split=True, max_share_to_split=1.0, seed=seed, **options
    )


QUICK = {"grace_period": 50, "delta": 0.01}
ensembles = {
    "adaptive tree drifting": mean_accuracy("drifting", adaptive_tree()),
    "adaptive tree phishing": mean_accuracy("phishing", adaptive_tree()),
    "quick adaptive tree drifting": mean_accuracy("drifting", adaptive_tree(**QUICK)),
    "quick adaptive tree phishing": mean_accuracy("phishing", adaptive_tree(**QUICK)),
    "forest drifting": mean_accuracy("drifting", forest_of),
    "forest phishing": mean_accuracy("phishing", forest_of),
    "bagging phishing": mean_accuracy("phishing", bagging_of),
    "number forest bending": mean_error("bending", scaled_forest_of),
    "number forest approval": mean_error("approval", scaled_forest_of),
}
print(
    json.dumps(
        {
            "river": version("river"),
            "trees": trees,
            "ensembles": ensembles,
            "asShipped": as_shipped,
            "numberTrees": number_trees,
        }
    )
)

"""What SciPy and scikit-learn say of samples that are made here: the golden file of the tests of distances and calibrations.

    pip install scipy scikit-learn
    python benchmarks/peers/distributions.py > test/ml/distributions/peers.json

Of two samples of numbers the distances of Kolmogorov and Smirnov and of Wasserstein; of two counts of bins PSI, that of Jensen and Shannon
and the chi-squared test. PSI is a loop over its definition. Then isotonic regressions, and the log-odds that logistic regression finds.
"""

import json
import math
import random
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")
rng = random.Random(15)


def sample(kind, n):
    if kind == "ties":
        return [rng.choice([-2, 0, 0, 1, 3, 7]) for _ in range(n)]
    if kind == "skewed":
        return [round(math.exp(rng.gauss(1, 1)), 3) for _ in range(n)]
    return [round(rng.gauss(0, 1), 3) for _ in range(n)]


numbers = []
for kind, other, n, m in [
    ("ties", "ties", 40, 60),
    ("skewed", "skewed", 200, 130),
    ("normal", "normal", 300, 300),
    ("normal", "skewed", 100, 20),
    ("ties", "normal", 1, 50),
]:
    a, b = sample(kind, n), sample(other, m)
    numbers.append(
        {
            "a": a,
            "b": b,
            "kolmogorovSmirnov": float(ks_2samp(a, b).statistic),
            "wasserstein": float(wasserstein_distance(a, b)),
        }
    )


def psi(a, b):
    p, q = np.maximum(1e-4, np.array(a) / sum(a)), np.maximum(1e-4, np.array(b) / sum(b))
    return float(np.sum((q - p) * np.log(q / p)))


counts = []
for bins, zeros in [(2, 0), (3, 0), (6, 1), (7, 0), (12, 3), (61, 0), (400, 20)]:
    a = [rng.randrange(1, 60) for _ in range(bins)]
    b = [max(1, x + rng.randrange(-20, 40)) for x in a]
    for _ in range(zeros):
        rng.choice([a, b])[rng.randrange(bins)] = 0
    kept = [(x, y) for x, y in zip(a, b) if x + y > 0]
    statistic, probability, freedom, _ = chi2_contingency(np.array(kept).T, correction=False)
    counts.append(
        {
            "a": a,
            "b": b,
            "psi": psi(a, b),
            "jensenShannon": float(jensenshannon(a, b, base=2)),
            "chiSquared": [float(statistic), int(freedom), float(probability)],
        }
    )

isotonic = []
for n in [1, 5, 30, 100]:
    heights = [round(i / n + rng.gauss(0, 0.4), 3) for i in range(n)]
    weights = [rng.randrange(1, 9) for _ in range(n)]
    fitted = IsotonicRegression().fit_transform(range(n), heights, sample_weight=weights)
    isotonic.append({"heights": heights, "weights": weights, "fitted": [float(x) for x in fitted]})

platt = []
for slope, intercept in [(0.4, -1), (1, 0), (2, 0.5)]:
    said = [min(0.999, max(0.001, rng.random())) for _ in range(4_000)]
    odds = [math.log(p / (1 - p)) for p in said]
    labels = [int(rng.random() < 1 / (1 + math.exp(-(slope * x + intercept)))) for x in odds]
    model = LogisticRegression(C=1e9, tol=1e-10, max_iter=1_000).fit(np.array(odds)[:, None], labels)
    platt.append(
        {
            "said": [round(p, 6) for p in said],
            "labels": labels,
            "slope": float(model.coef_[0][0]),
            "intercept": float(model.intercept_[0]),
        }
    )

versions = {"scipy": scipy.__version__, "scikit-learn": sklearn.__version__, "numpy": np.__version__}
json.dump({"versions": versions, "numbers": numbers, "counts": counts, "isotonic": isotonic, "platt": platt}, sys.stdout)
print()

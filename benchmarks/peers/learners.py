"""What River and scikit-learn predict over rows that are made here: the golden file of the learners' tests.

    pip install river scikit-learn
    python benchmarks/peers/learners.py > test/ml/peers.ndjson

Each model predicts a row, then learns it. Features are rounded to float32 first, as feature vectors hold them.
"""

import json
import math
import random
import struct
import warnings
from importlib.metadata import version

import numpy as np
from river import cluster, facto, linear_model, naive_bayes, neighbors, optim, preprocessing, reco
from sklearn import linear_model as sk_linear
from sklearn import naive_bayes as sk_bayes

warnings.filterwarnings("ignore")
ROWS, DENSE, HASHED = 150, 4, 8
CLASSES = ["a", "b", "c"]


def float32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def make_rows():
    rng = random.Random(14)
    rows = []
    for _ in range(ROWS):
        kind = rng.choice(CLASSES)
        at = CLASSES.index(kind)
        dense = [float32(rng.gauss(at * (1 if i % 2 else -0.5), 1 + i / 2)) for i in range(DENSE)]
        counts = [rng.choice([0, 0, 1, 2, 3 if i == at else 1]) for i in range(DENSE)]
        number = 3 * dense[0] - 2 * dense[1] + rng.gauss(0, 0.5) + (40 if rng.random() < 0.03 else 0)
        rows.append(
            {
                "dense": dense,
                "indices": sorted(rng.sample(range(HASHED), 2)),
                "counts": counts,
                "binary": dense[0] + dense[1] + rng.gauss(0, 1) > 0.5,
                "number": round(number, 6),
                "class": kind,
                "weight": rng.choice([0.5, 1, 2, 3]),
            }
        )
    return rows


rows = make_rows()


def features(row, parts):
    x = {f"d{i}": v for i, v in enumerate(row["counts" if "counts" in parts else "dense"])}
    if "hashed" in parts:
        x.update({f"h{i}": 1.0 for i in row["indices"]})
    return x


def shown(prediction, kind):
    if prediction == {}:
        return None
    if kind == "binary":
        return [prediction.get(True, 0.0)]
    if kind == "class":
        return [prediction.get(c, 0.0) for c in CLASSES]
    return [prediction]


def river(model, kind, parts=("dense",), weighted=False, scaler=None):
    """The predictions of a River model, behind a scaler if there is one."""
    out = []
    for row in rows:
        x = features(row, parts)
        seen = scaler.transform_one(x) if scaler else x
        predict = model.predict_one if kind == "number" else model.predict_proba_one
        out.append(shown(predict(seen), kind))
        if scaler:
            scaler.learn_one(x)
            x = scaler.transform_one(x)
        if weighted:
            model.learn_one(x, row[kind], w=row["weight"])
        else:
            model.learn_one(x, row[kind])
    return out


def sklearn(model, kind, parts=("dense",), weighted=False):
    """The predictions of a scikit-learn model, one `partial_fit` a row; none before the first."""
    out = []
    for i, row in enumerate(rows):
        x = np.array([list(features(row, parts).values())])
        if i == 0:
            out.append(None)
        else:
            out.append([float(p) for p in (model.predict(x) if kind == "number" else model.predict_proba(x)[0])])
        more = {"sample_weight": [row["weight"]]} if weighted else {}
        if kind == "class":
            more["classes"] = CLASSES
        model.partial_fit(x, [row[kind]], **more)
    return out


def k_means(centres, halflife):
    """The distances to the centres of River's k-means, which begin where they are told to."""
    model = cluster.KMeans(n_clusters=len(centres), halflife=halflife)
    for i, centre in enumerate(centres):
        model.centers[i].update({f"d{n}": float(x) for n, x in enumerate(centre)})
    out = []
    for row in rows:
        x = features(row, ("dense",))
        out.append([math.sqrt(sum((centre[k] - x[k]) ** 2 for k in x)) for centre in model.centers.values()])
        assert model.predict_one(x) == out[-1].index(min(out[-1]))
        model.learn_one(x)
    return out


def chance(seed, member, update):
    """Our only chance, see src/ml/chance.ts: a hash, as a share of 1."""
    mask = 0xFFFFFFFF
    h = seed & mask
    for word in (member, update & mask, update >> 32):
        k = word * 0xCC9E2D51 & mask
        k = (k << 15 | k >> 17) & mask
        h ^= k * 0x1B873593 & mask
        h = ((h << 13 | h >> 19) * 5 + 0xE6546B64) & mask
    h = (h ^ h >> 16) * 0x85EBCA6B & mask
    h = (h ^ h >> 13) * 0xC2B2AE35 & mask
    return (h ^ h >> 16) / 2**32


FACTORS, SPREAD, SEED = 3, 0.1, 1


def first_factors(coordinate):
    """Where our factors begin, which River draws by a generator."""
    return np.array([SPREAD * (2 * chance(SEED, f, coordinate) - 1) for f in range(FACTORS)])


def machine(kind, **options):
    model = kind(n_factors=FACTORS, intercept_lr=0.01, **options)
    for i in range(DENSE):
        model.latents[f"d{i}"] = first_factors(i)
    for i in range(HASHED):
        model.latents[f"h{i}"] = first_factors(DENSE + i)
    return model


def ratings(**options):
    """The predictions of River's biased matrix factorization of four users and four items."""
    model = reco.BiasedMF(n_factors=FACTORS, **options)
    for i in range(4):
        model.u_latents[i] = first_factors(i)
        model.i_latents[4 + i] = first_factors(4 + i)
    out = []
    for row in rows:
        user, item = row["indices"][0] % 4, 4 + row["indices"][1] % 4
        out.append([model.predict_one(user, item)])
        model.learn_one(user, item, row["number"])
    return out


def softmax(optimizer):
    model = linear_model.SoftmaxRegression(optimizer)
    for c in CLASSES:
        model.weights[c]  # it knows all classes from the start
    return model


def logistic(optimizer, **options):
    return linear_model.LogisticRegression(optimizer, intercept_lr=0.01, **options)


def linear(optimizer, **options):
    return linear_model.LinearRegression(optimizer, intercept_lr=0.01, **options)


def nearest(model, **options):
    """The nearest neighbours among the last forty rows."""
    return model(n_neighbors=4, engine=neighbors.LazySearch(window_size=40), **options)


BOTH = ("dense", "hashed")
LOSSES = optim.losses
predictions = {
    "logistic sgd": river(logistic(optim.SGD(0.1)), "binary", BOTH),
    "logistic sgd l2": river(logistic(optim.SGD(0.1), l2=0.05), "binary", BOTH),
    "logistic sgd slopeMax": river(logistic(optim.SGD(0.1), clip_gradient=0.3), "binary", BOTH),
    "logistic sgd weighted": river(logistic(optim.SGD(0.1)), "binary", BOTH, weighted=True),
    "logistic sgd inverse scaling": river(
        logistic(optim.SGD(optim.schedulers.InverseScaling(0.5, 0.3))), "binary", BOTH
    ),
    "logistic momentum": river(logistic(optim.Momentum(0.05, 0.8)), "binary", BOTH),
    "logistic adaGrad": river(logistic(optim.AdaGrad(0.2)), "binary", BOTH),
    "logistic rmsProp": river(logistic(optim.RMSProp(0.05, 0.8)), "binary", BOTH),
    "logistic adam": river(logistic(optim.Adam(0.05)), "binary", BOTH),
    "linear squared": river(linear(optim.SGD(0.01)), "number", BOTH),
    "linear absolute": river(linear(optim.SGD(0.05), loss=LOSSES.Absolute()), "number", BOTH),
    "linear huber": river(linear(optim.SGD(0.05), loss=LOSSES.Huber(1.5)), "number", BOTH),
    "linear adam weighted": river(linear(optim.Adam(0.1)), "number", BOTH, weighted=True),
    "perceptron": river(linear_model.Perceptron(), "binary", BOTH),
    "passive-aggressive I": river(linear_model.PAClassifier(0.3, 1), "binary", BOTH),
    "passive-aggressive II": river(linear_model.PAClassifier(0.3, 2), "binary", BOTH),
    "passive-aggressive regression I": sklearn(
        sk_linear.PassiveAggressiveRegressor(C=0.3, epsilon=0.2, loss="epsilon_insensitive", shuffle=False), "number"
    ),
    "passive-aggressive regression II": sklearn(
        sk_linear.PassiveAggressiveRegressor(C=0.3, epsilon=0.2, loss="squared_epsilon_insensitive", shuffle=False),
        "number",
    ),
    "softmax sgd": river(softmax(optim.SGD(0.1)), "class", BOTH),
    "softmax adaGrad": river(softmax(optim.AdaGrad(0.2)), "class", BOTH),
    "gaussian": river(naive_bayes.GaussianNB(), "class"),
    "multinomial": sklearn(sk_bayes.MultinomialNB(alpha=0.5), "class", ("counts",)),
    "multinomial weighted": sklearn(sk_bayes.MultinomialNB(), "class", ("counts",), weighted=True),
    "bernoulli": sklearn(sk_bayes.BernoulliNB(alpha=0.5, binarize=0.25), "class"),
    "bernoulli weighted": sklearn(sk_bayes.BernoulliNB(binarize=0.0), "class", weighted=True),
    "k-means": k_means([[-1, 0, 0, 0], [0, 1, 0, 0], [1, 0, -1, 0]], 0.5),
    "k-means slow": k_means([[-1, 0, 0, 0], [0, 1, 0, 0], [1, 0, -1, 0]], 1 - 2 ** (-1 / 20)),
    "factorization machine": river(
        machine(facto.FMClassifier, weight_optimizer=optim.SGD(0.05), latent_optimizer=optim.SGD(0.02)), "binary", BOTH
    ),
    "factorization machine weighted": river(
        machine(
            facto.FMClassifier,
            weight_optimizer=optim.AdaGrad(0.1),
            latent_optimizer=optim.SGD(0.05),
            l2_weight=0.01,
            l2_latent=0.02,
        ),
        "binary",
        BOTH,
        weighted=True,
    ),
    "factorization machine regression": river(
        machine(
            facto.FMRegressor,
            weight_optimizer=optim.SGD(0.01),
            latent_optimizer=optim.SGD(0.005),
            clip_gradient=3,
        ),
        "number",
        BOTH,
    ),
    "matrix factorization": ratings(bias_optimizer=optim.SGD(0.025), latent_optimizer=optim.SGD(0.02)),
    "matrix factorization l2": ratings(
        bias_optimizer=optim.AdaGrad(0.1), latent_optimizer=optim.SGD(0.01), l2_bias=0.01, l2_latent=0.02
    ),
    "nearest by distance": river(nearest(neighbors.KNNClassifier), "class"),
    "nearest alike": river(nearest(neighbors.KNNClassifier, weighted=False), "class"),
    "nearest numbers alike": river(nearest(neighbors.KNNRegressor), "number"),
    "nearest numbers by distance": river(nearest(neighbors.KNNRegressor, aggregation_method="weighted_mean"), "number"),
    "nearest counts": river(nearest(neighbors.KNNClassifier), "class", ("counts",)),
    "nearest numbers of counts": river(nearest(neighbors.KNNRegressor), "number", ("counts",)),
    "standard scaler": river(logistic(optim.SGD(0.1)), "binary", scaler=preprocessing.StandardScaler()),
    "min-max scaler": river(logistic(optim.SGD(0.1)), "binary", scaler=preprocessing.MinMaxScaler()),
    "robust scaler": river(logistic(optim.SGD(0.1)), "binary", scaler=preprocessing.RobustScaler()),
}


def rounded(prediction):
    """To 12 digits; none where the peer had no answer yet."""
    if prediction is None or not all(map(math.isfinite, prediction)):
        return None
    return [float(f"{p:.12g}") for p in prediction]


print(json.dumps({"river": version("river"), "scikit-learn": version("scikit-learn")}))
for row in rows:
    print(json.dumps({"row": row}))
for name, out in predictions.items():
    print(json.dumps({"name": name, "predictions": [rounded(p) for p in out]}))

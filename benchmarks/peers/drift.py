"""Where River finds drift in sequences that are made here: the golden file of the detectors' tests.

    pip install river
    python benchmarks/peers/drift.py > test/ml/drift/peers.json

The first three sequences are those of River's documentation. `found` has the places of drifts, `warned` those where a warning begins.
"""

import json
import random
import sys
from importlib.metadata import version

from river import drift
from river.drift import binary


def jump(rng, values, count=1_000):
    return rng.choices(values, k=count)


def rates(seed, parts):
    rng = random.Random(seed)
    return [int(rng.random() < rate) for rate, count in parts for _ in range(count)]


def gauss(seed, parts):
    rng = random.Random(seed)
    return [round(rng.gauss(mean, spread), 3) for mean, spread, count in parts for _ in range(count)]


rng_r, rng_m, rng_b = random.Random(12345), random.Random(42), random.Random(42)
streams = {
    "jump": jump(rng_r, [0, 1]) + jump(rng_r, range(4, 8)),
    "jumps": [x for _ in range(2) for x in jump(rng_m, [0, 1]) + jump(rng_m, range(4, 8))],
    "errors": rng_b.choices([0, 1], k=1_000) + rng_b.choices([0, 1], k=1_000, weights=[0.3, 0.7]),
    "rates": rates(3, [(0.1, 1_500), (0.2, 1_500), (0.05, 1_500)]),
    "slow": rates(4, [(0.05 + i / 200, 40) for i in range(60)]),
    "levels": gauss(5, [(0, 1, 800), (1, 1, 800), (1, 3, 800), (-2, 0.5, 400)]),
}
numbers = [
    ("adwin", {}, lambda: drift.ADWIN()),
    ("adwin", {"delta": 0.05}, lambda: drift.ADWIN(delta=0.05)),
    ("pageHinkley", {}, lambda: drift.PageHinkley()),
    (
        "pageHinkley",
        {"threshold": 20, "delta": 0.05, "fading": 0.999, "warmUp": 100, "direction": "up"},
        lambda: drift.PageHinkley(threshold=20, delta=0.05, alpha=0.999, min_instances=100, mode="up"),
    ),
    ("pageHinkley", {"threshold": 30, "direction": "down"}, lambda: drift.PageHinkley(threshold=30, mode="down")),
]
errors = [
    ("ddm", {}, lambda: binary.DDM()),
    ("ddm", {"driftAt": 2.5, "warningAt": 1.5, "warmUp": 60}, lambda: binary.DDM(60, 1.5, 2.5)),
    ("eddm", {}, lambda: binary.EDDM()),
    ("eddm", {"warningAt": 0.8, "driftAt": 0.75}, lambda: binary.EDDM(alpha=0.8, beta=0.75)),
    ("hddmA", {}, lambda: binary.HDDMA()),
    ("hddmA", {"driftAt": 0.01, "warningAt": 0.05, "direction": "both"}, lambda: binary.HDDMA(0.01, 0.05, True)),
    ("hddmW", {}, lambda: binary.HDDMW()),
    (
        "hddmW",
        {"driftAt": 0.005, "warningAt": 0.01, "rate": 0.02, "direction": "both"},
        lambda: binary.HDDMW(0.005, 0.01, 0.02, True),
    ),
]


def places(detector, stream):
    found, warned, before = [], [], False
    for i, x in enumerate(stream):
        detector.update(x)
        warns = getattr(detector, "warning_detected", False) and not detector.drift_detected
        if warns and not before:
            warned.append(i)
        if detector.drift_detected:
            found.append(i)
        before = warns
    return found, warned


cases = []
for name, stream in streams.items():
    for kind, options, make in numbers + (errors if set(stream) == {0, 1} else []):
        found, warned = places(make(), stream)
        cases.append({"kind": kind, "options": options, "stream": name, "found": found, "warned": warned})
print(f"River {version('river')}", file=sys.stderr)
print(json.dumps({"streams": streams, "cases": cases}, separators=(",", ":")))

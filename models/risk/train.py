"""Trains the risk model on what export.ts wrote, and says how good it is on later rows.

    python train.py FOLDER

Reads FOLDER/dense.npy and FOLDER/facts.npy; writes risk.onnx and risk.json beside this file.
"""

import hashlib
import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

# Sums of floats depend on how many threads share them: with one, the same rows give the same model.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
from skl2onnx import to_onnx  # noqa: E402
from sklearn.metrics import log_loss, roc_auc_score  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

HERE = Path(__file__).resolve().parent


def at(day):
    """Midnight UTC of a day of January 2001, in milliseconds."""
    return datetime(2001, 1, day, tzinfo=timezone.utc).timestamp() * 1_000


def classifier():
    # Chosen on 12 to 14 January after training on the days before; 15 January and later had no say.
    mlp = MLPClassifier((32, 16), alpha=0.01, batch_size=512, max_iter=15, random_state=1)
    return make_pipeline(StandardScaler(), mlp)


def quality(late, probability):
    return {
        "rows": len(late),
        "lateShare": round(float(late.mean()), 4),
        "rocAuc": round(float(roc_auc_score(late, probability)), 4),
        "logLoss": round(float(log_loss(late, probability)), 4),
        "meanProbability": round(float(probability.mean()), 4),
    }


def main():
    folder = Path(sys.argv[1])
    export = json.loads((folder / "export.json").read_text())
    dense = np.load(folder / "dense.npy")
    flight, departed, arrived, late = np.load(folder / "facts.npy").T

    # What had not arrived by the 15th was not known by then.
    known = arrived < at(15)
    chosen_on = (departed >= at(12)) & known
    later = departed >= at(15)

    choice = classifier().fit(dense[arrived < at(12)], late[arrived < at(12)])
    model = classifier().fit(dense[known], late[known])
    onnx = to_onnx(model, dense[:1], options={"zipmap": False}, target_opset=17)
    # The converter names the graph at random and lists operator sets in the order of a hash set.
    onnx.graph.name = "risk"
    operators = sorted(onnx.opset_import, key=lambda opset: opset.domain)
    del onnx.opset_import[:]
    onnx.opset_import.extend(operators)
    path = HERE / "risk.onnx"
    path.write_bytes(onnx.SerializeToString(deterministic=True))

    # Quality of the file as it stands, not of the model in memory.
    session = onnxruntime.InferenceSession(path)
    probability = session.run(["probabilities"], {session.get_inputs()[0].name: dense})[0][:, 1]
    report = {
        "view": export["view"],
        "features": export["names"],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "chosenOn": quality(late[chosen_on], choice.predict_proba(dense[chosen_on])[:, 1]),
        "training": quality(late[known], probability[known]),
        "later": quality(late[later], probability[later]),
    }
    (HERE / "risk.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()

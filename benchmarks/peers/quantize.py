"""What int8 costs in quality, and what it gains in speed: on the flights of January 2001 that no model has seen.

    pip install onnx onnxruntime scikit-learn skl2onnx
    node --conditions=millrace-source --import tsx models/risk/export.ts /tmp/flights
    python3 benchmarks/peers/quantize.py /tmp/flights

Quantizes two networks that score flights, models/risk/risk.onnx and a wider one that is trained here, and prints a line for each of
their forms. The files are left in FOLDER/int8. `static`: the scales of numbers in between come from flights before, so an answer depends
on its row alone. `dynamic`: they come from the batch, and so do answers.
"""

import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from skl2onnx import to_onnx
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

RISK = Path(__file__).resolve().parents[2] / "models/risk/risk.onnx"
BATCH = 256
CALIBRATION_ROWS = 4_096
ROUNDS = 300


def at(day):
    """Midnight UTC of a day of January 2001, in milliseconds."""
    return datetime(2001, 1, day, tzinfo=timezone.utc).timestamp() * 1_000


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def probabilities(session, rows):
    name = session.get_inputs()[0].name
    parts = [session.run(["probabilities"], {name: part})[0] for part in np.array_split(rows, len(rows) // BATCH)]
    return np.concatenate(parts)[:, 1]


class Batches(CalibrationDataReader):
    def __init__(self, name, rows):
        self.batches = iter([{name: part} for part in np.array_split(rows, len(rows) // BATCH)])

    def get_next(self):
        return next(self.batches, None)


def quantize(path, folder, rows):
    """The files of a model as it is, with static and with dynamic int8."""
    files = {kind: folder / f"{path.stem}-{kind}.onnx" for kind in ("static", "dynamic")}
    prepared = folder / f"{path.stem}-prepared.onnx"
    quant_pre_process(path, prepared, skip_symbolic_shape=True)
    name = open_session(path).get_inputs()[0].name
    quantize_static(
        prepared,
        files["static"],
        Batches(name, rows),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        calibrate_method=CalibrationMethod.Entropy,
        op_types_to_quantize=["MatMul", "Gemm"],
    )
    quantize_dynamic(prepared, files["dynamic"], weight_type=QuantType.QInt8, per_channel=True)
    prepared.unlink()
    return {"float32": path, **files}


def fastest(sessions, rows):
    """The fastest run of a batch of each, in microseconds: they take turns, so what disturbs one disturbs all."""
    best = dict.fromkeys(sessions, float("inf"))
    for _ in range(ROUNDS):
        for kind, session in sessions.items():
            feed = {session.get_inputs()[0].name: rows}
            started = time.perf_counter()
            session.run(["probabilities"], feed)
            best[kind] = min(best[kind], time.perf_counter() - started)
    return {kind: round(seconds * 1e6, 1) for kind, seconds in best.items()}


def main():
    source = Path(sys.argv[1])
    folder = source / "int8"
    folder.mkdir(exist_ok=True)
    dense = np.load(source / "dense.npy")
    _, departed, arrived, late = np.load(source / "facts.npy").T
    known = arrived < at(15)
    later = departed >= at(15)

    wide = folder / "wide.onnx"
    if not wide.exists():
        network = MLPClassifier((512, 512), alpha=0.01, batch_size=512, max_iter=3, random_state=1)
        fitted = make_pipeline(StandardScaler(), network).fit(dense[known], late[known])
        wide.write_bytes(to_onnx(fitted, dense[:1], options={"zipmap": False}, target_opset=17).SerializeToString())

    calibration = dense[known][np.random.default_rng(1).permutation(known.sum())[:CALIBRATION_ROWS]]
    print(json.dumps({"rows": int(later.sum()), "onnxruntime": onnxruntime.__version__}))
    for path in (RISK, wide):
        files = quantize(path, folder, calibration)
        sessions = {kind: open_session(file) for kind, file in files.items()}
        times = fastest(sessions, dense[later][:BATCH])
        reference = None
        for kind, session in sessions.items():
            probability = probabilities(session, dense[later])
            reference = probability if reference is None else reference
            alone = session.run(["probabilities"], {session.get_inputs()[0].name: dense[later][:1]})[0][0, 1]
            result = {
                "model": path.stem,
                "kind": kind,
                "bytes": files[kind].stat().st_size,
                "rocAuc": round(float(roc_auc_score(late[later], probability)), 4),
                "logLoss": round(float(log_loss(late[later], probability)), 4),
                "meanChange": round(float(np.abs(probability - reference).mean()), 5),
                "maxChange": round(float(np.abs(probability - reference).max()), 4),
                "microsecondsABatch": times[kind],
                "dependsOnBatch": bool(alone != probability[0]),
            }
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()

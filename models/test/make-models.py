"""Makes the small ONNX models of test/inference/models.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 skl2onnx==1.20.0 scikit-learn==1.9.1
    venv/bin/python models/test/make-models.py

Each one is there for one behaviour: what is accepted, what is refused, and what goes wrong while running.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

FOLDER = Path(__file__).resolve().parents[2] / "test" / "inference" / "models"
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def constant(name, value, dtype):
    return numpy_helper.from_array(np.asarray(value, dtype=dtype), name)


def save(name, nodes, inputs, outputs, constants=()):
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(op, list(ins), [out], **attributes) for op, ins, out, attributes in nodes],
        name,
        [info(n, t, s) for n, t, s in inputs],
        [info(n, t, s) for n, t, s in outputs],
        initializer=list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, FOLDER / f"{name}.onnx")


def by_hand():
    # sigmoid(0.5 a - 0.25 b + 2 c - 1): a result that a test can compute for itself.
    save(
        "sigmoid",
        [("Gemm", ["x", "w", "b"], "z", {}), ("Sigmoid", ["z"], "p", {})],
        [("x", FLOAT, ["N", 3])],
        [("p", FLOAT, ["N", 1])],
        [constant("w", [[0.5], [-0.25], [2]], np.float32), constant("b", [-1], np.float32)],
    )
    # Gives back what it gets: shows where each row went.
    save("identity", [("Identity", ["x"], "y", {})], [("x", FLOAT, ["N", 4])], [("y", FLOAT, ["N", 4])])
    # Looks its input up in a table of eight: a row outside fails, alone.
    save(
        "table",
        [("Cast", ["x"], "i", {"to": INT64}), ("Gather", ["t", "i"], "g", {}), ("Reshape", ["g", "s"], "y", {})],
        [("x", FLOAT, ["N", 1])],
        [("y", FLOAT, ["N", 1])],
        [constant("t", np.arange(8) * 10, np.float32), constant("s", [-1, 1], np.int64)],
    )
    # Asks for 2^44 numbers a row as soon as a batch has more than 32 rows; gives back its input otherwise.
    save(
        "hungry",
        [
            ("Shape", ["x"], "n", {"end": 1}),
            ("Div", ["n", "limit"], "q", {}),
            ("Min", ["q", "one"], "over", {}),
            ("Mul", ["over", "huge"], "extra", {}),
            ("Add", ["extra", "one"], "width", {}),
            ("Concat", ["n", "width"], "shape", {"axis": 0}),
            ("Expand", ["x", "shape"], "wide", {}),
            ("ReduceMax", ["wide"], "y", {"axes": [1], "keepdims": 1}),
        ],
        [("x", FLOAT, ["N", 1])],
        [("y", FLOAT, ["N", 1])],
        [constant("limit", [33], np.int64), constant("one", [1], np.int64), constant("huge", [2**44], np.int64)],
    )
    # The same for any batch, even of a single row, whose first number is above 1,000.
    save(
        "starving",
        [
            ("ReduceMax", ["x"], "m", {"keepdims": 0}),
            ("Greater", ["m", "limit"], "above", {}),
            ("Where", ["above", "huge", "one"], "width", {}),
            ("Shape", ["x"], "n", {"end": 1}),
            ("Concat", ["n", "width"], "shape", {"axis": 0}),
            ("Expand", ["x", "shape"], "wide", {}),
            ("ReduceMax", ["wide"], "y", {"axes": [1], "keepdims": 1}),
        ],
        [("x", FLOAT, ["N", 1])],
        [("y", FLOAT, ["N", 1])],
        [constant("limit", 1000, np.float32), constant("one", [1], np.int64), constant("huge", [2**44], np.int64)],
    )
    # A row's result depends on its company.
    save(
        "batch-mean",
        [("ReduceMean", ["x"], "m", {"axes": [0], "keepdims": 1}), ("Sub", ["x", "m"], "y", {})],
        [("x", FLOAT, ["N", 2])],
        [("y", FLOAT, ["N", 2])],
    )
    save("two-inputs", [("Add", ["a", "b"], "y", {})], [(n, FLOAT, ["N", 2]) for n in "ab"], [("y", FLOAT, ["N", 2])])
    save("fixed-batch", [("Identity", ["x"], "y", {})], [("x", FLOAT, [1, 2])], [("y", FLOAT, [1, 2])])
    save("any-width", [("Identity", ["x"], "y", {})], [("x", FLOAT, ["N", "K"])], [("y", FLOAT, ["N", "K"])])
    save(
        "label-only",
        [("ArgMax", ["x"], "y", {"axis": 1, "keepdims": 0})],
        [("x", FLOAT, ["N", 2])],
        [("y", INT64, ["N"])],
    )


def trained():
    random = np.random.default_rng(1)
    x = random.normal(size=(2_000, 20)).astype(np.float32)
    y = (x[:, 0] - x[:, 1] * x[:, 2] + random.normal(size=2_000) > 0).astype(np.int64)
    mlp = MLPClassifier((32, 16), max_iter=20, random_state=1).fit(x, y)
    forest = RandomForestClassifier(20, max_depth=6, random_state=1).fit(x, y)
    logistic = LogisticRegression().fit(x[:, :4], y)
    save_trained("mlp", mlp, x, zipmap=False)
    save_trained("forest", forest, x, zipmap=False)
    save_trained("zipmap", logistic, x[:, :4], zipmap=True)


def save_trained(name, classifier, x, zipmap):
    model = to_onnx(classifier, x[:1], options={id(classifier): {"zipmap": zipmap}}, target_opset=17)
    onnx.save(model, FOLDER / f"{name}.onnx")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    by_hand()
    trained()

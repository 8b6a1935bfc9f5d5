"""Makes the models, tokenizers and expected numbers of the tests of tensors, texts and embeddings.

    python3 -m venv venv && venv/bin/pip install onnx==1.23.2 onnxruntime==1.32.0 tokenizers==0.23.3
    venv/bin/python models/test/make-unstructured.py

Weights are drawn, not trained: what matters is that two runtimes give the same numbers. Expected numbers come from Python's
onnxruntime and tokenizers, each text alone.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

TEST = Path(__file__).resolve().parents[2] / "test"
MODELS, TOKENIZERS, GOLDEN = TEST / "inference" / "models", TEST / "operators" / "text" / "tokenizers", TEST / "golden"
FLOAT, INT64, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8

SENTENCES = [
    "The flight to Chicago is late again.",
    "late",
    "",
    "Gate B12 has changed; please walk to gate C3, it's 900 m!",
    "Übergepäck kostet 45,50 € – naïve façade, ÇA VA?",
    "荷物はどこですか。 在哪里取行李？",
    "مرحبا بالعالم שלום עולם नमस्ते สวัสดี",
    "👩‍👩‍👧‍👦 🇩🇪 e\u0301 ﬁ ½ \u00a0x\u200by\tz\n[CLS] [SEP] <s>",
    "don't stop " * 30,
]


def made(draw, *shape):
    return (draw.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)


def save(name, nodes, inputs, outputs, constants):
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(op, ins, [out], **attributes) for op, ins, out, attributes in nodes],
        name,
        [info(n, t, s) for n, t, s in inputs],
        [info(n, t, s) for n, t, s in outputs],
        initializer=[numpy_helper.from_array(np.asarray(value), n) for n, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, MODELS / f"{name}.onnx")


def tiny_encoder(vocabulary, size=32):
    """A layer of self-attention over tokens, with a mask: what a sentence model is, small."""
    draw = np.random.default_rng(1)
    save(
        "tiny-encoder",
        [
            ("Gather", ["words", "input_ids"], "e", {}),
            ("MatMul", ["e", "q"], "qs", {}),
            ("MatMul", ["e", "k"], "ks", {}),
            ("MatMul", ["e", "v"], "vs", {}),
            ("Transpose", ["ks"], "kt", {"perm": [0, 2, 1]}),
            ("MatMul", ["qs", "kt"], "dots", {}),
            ("Cast", ["attention_mask"], "mask", {"to": FLOAT}),
            ("Sub", ["mask", "one"], "hidden", {}),
            ("Mul", ["hidden", "far"], "bias2", {}),
            ("Unsqueeze", ["bias2", "axis"], "bias", {}),
            ("Add", ["dots", "bias"], "logits", {}),
            ("Softmax", ["logits"], "weights", {"axis": -1}),
            ("MatMul", ["weights", "vs"], "context", {}),
            ("Add", ["context", "e"], "sum", {}),
            ("Tanh", ["sum"], "last_hidden_state", {}),
        ],
        [("input_ids", INT64, ["N", "length"]), ("attention_mask", INT64, ["N", "length"])],
        [("last_hidden_state", FLOAT, ["N", "length", size])],
        {
            "words": draw.normal(size=(vocabulary, size)).astype(np.float32),
            **{name: made(draw, size, size) for name in "qkv"},
            "one": np.float32(1),
            "far": np.float32(10_000),
            "axis": np.array([1], np.int64),
        },
    )


def tiny_cnn():
    draw = np.random.default_rng(2)
    save(
        "tiny-cnn",
        [
            ("Conv", ["pixels", "w1", "b1"], "c1", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
            ("Relu", ["c1"], "r1", {}),
            ("Conv", ["r1", "w2", "b2"], "c2", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
            ("Relu", ["c2"], "r2", {}),
            ("GlobalAveragePool", ["r2"], "features", {}),
        ],
        [("pixels", FLOAT, ["N", 3, 32, 32])],
        [("features", FLOAT, ["N", 16, 1, 1])],
        {
            "w1": (draw.normal(size=(8, 3, 3, 3)) / 5).astype(np.float32),
            "b1": draw.normal(size=8).astype(np.float32),
            "w2": (draw.normal(size=(16, 8, 3, 3)) / 8).astype(np.float32),
            "b2": draw.normal(size=16).astype(np.float32),
        },
    )


def odd_ones():
    # Each row's bytes as floats, and their mean: shows where each row went.
    save(
        "bytes-mean",
        [("Cast", ["bytes"], "x", {"to": FLOAT}), ("ReduceMean", ["x"], "y", {"axes": [1], "keepdims": 1})],
        [("bytes", UINT8, ["N", 4])],
        [("y", FLOAT, ["N", 1])],
        {},
    )
    # Looks tokens up in a table of eight: a row with another one fails, alone.
    save(
        "token-table",
        [("Gather", ["t", "input_ids"], "y", {})],
        [("input_ids", INT64, ["N", "length"])],
        [("y", FLOAT, ["N", "length", 2])],
        {"t": np.arange(16, dtype=np.float32).reshape(8, 2)},
    )
    # A position's vector depends on the other rows.
    save(
        "token-mean",
        [
            ("Cast", ["input_ids"], "x", {"to": FLOAT}),
            ("ReduceMean", ["x"], "m", {"axes": [0], "keepdims": 1}),
            ("Sub", ["x", "m"], "d", {}),
            ("Unsqueeze", ["d", "axis"], "y", {}),
        ],
        [("input_ids", INT64, ["N", "length"])],
        [("y", FLOAT, ["N", "length", 1])],
        {"axis": np.array([2], np.int64)},
    )


def tokenizers():
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    texts = SENTENCES[:4] * 20 + ["the gate is late", "a flight changed gate", "walk to the flight please"] * 20

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = byte_level
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=320, special_tokens=["<s>", "<pad>", "</s>"], initial_alphabet=byte_level.alphabet(), show_progress=False
        ),
    )
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])

    # As BERT's uncased one: pieces of words, without accents, Chinese sign by sign.
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.train_from_iterator(
        texts + ["abcdefghijklmnopqrstuvwxyz 0123456789", "在哪里取行李"],
        trainers.WordPieceTrainer(vocab_size=250, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"], show_progress=False),
    )
    pieces.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return {"bpe": bpe, "word-piece": pieces}


def padded(tokenizer, pad_id, text, lengths=(16, 32)):
    tokenizer.encode_special_tokens = True  # those that a text spells are text
    tokenizer.enable_truncation(lengths[-1])
    ids = tokenizer.encode(text).ids
    length = next(length for length in lengths if length >= len(ids))
    return ids + [pad_id] * (length - len(ids)), [1] * len(ids) + [0] * (length - len(ids))


def session(name):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(MODELS / f"{name}.onnx", options, providers=["CPUExecutionProvider"])


def embedding(encoder, ids, mask):
    feeds = {"input_ids": np.array([ids], np.int64), "attention_mask": np.array([mask], np.int64)}
    (hidden,) = encoder.run(None, feeds)
    mean = hidden[0][np.array(mask) == 1].astype(np.float64).mean(axis=0)
    return (mean / np.linalg.norm(mean)).tolist()


def image(seed):
    """Pixels that a test can make for itself, from 0 to 1."""
    at = np.arange(3 * 32 * 32, dtype=np.float64)
    return ((at * (seed * 7 + 13)) % 256 / 255).astype(np.float32).reshape(1, 3, 32, 32)


if __name__ == "__main__":
    for folder in (MODELS, TOKENIZERS, GOLDEN):
        folder.mkdir(parents=True, exist_ok=True)
    golden = {"texts": [], "images": []}
    made_tokenizers = tokenizers()
    for name, tokenizer in made_tokenizers.items():
        tokenizer.save(str(TOKENIZERS / f"{name}.json"), pretty=False)
    tiny_encoder(max(t.get_vocab_size() for t in made_tokenizers.values()))
    tiny_cnn()
    odd_ones()
    encoder = session("tiny-encoder")
    for text in SENTENCES:
        entry = {"text": text}
        for name, tokenizer in made_tokenizers.items():
            pad_id = tokenizer.token_to_id("<pad>" if name == "bpe" else "[PAD]")
            ids, mask = padded(tokenizer, pad_id, text)
            entry[name] = {"ids": ids, "tokens": sum(mask), "embedding": embedding(encoder, ids, mask)}
        golden["texts"].append(entry)
    for seed in range(3):
        (features,) = session("tiny-cnn").run(None, {"pixels": image(seed)})
        golden["images"].append({"seed": seed, "features": features.reshape(-1).tolist()})
    (GOLDEN / "embeddings.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")

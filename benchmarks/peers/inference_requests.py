"""Records what NVIDIA's client sends to an inference server, byte by byte.

    pip install tritonclient[http] numpy
    python3 benchmarks/peers/inference_requests.py > test/inference/remote/golden/tritonclient.json

The requests are those of `test/inference/remote/protocol.test.ts`, in its order.
"""

import base64
import importlib.metadata
import json
import socket
import threading

import numpy as np
import tritonclient.http as http

ANSWER = {
    "model_name": "risk",
    "model_version": "3",
    "outputs": [{"name": "scores", "datatype": "FP32", "shape": [1, 1], "data": [0.5]}],
}


def serve(listener, recorded):
    """Answers one request after another, each on a connection of its own or on a kept one, and records it."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=talk, args=(connection, recorded), daemon=True).start()


def talk(connection, recorded):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
        head, data = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        length = int(headers.get("content-length", 0))
        while len(data) < length:
            data += connection.recv(65536)
        body, data = data[:length], data[length:]
        recorded.append({"request": first, "headers": headers, "body": base64.b64encode(body).decode()})
        answer = json.dumps(ANSWER).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))


def tensor(name, array, datatype, binary):
    value = http.InferInput(name, list(array.shape), datatype)
    value.set_data_from_numpy(array, binary_data=binary)
    return value


def cases():
    floats = (np.arange(6, dtype=np.float32) / 8 - 0.25).reshape(2, 3)
    ids = np.array([[1, 2**40, -3, 0]], dtype=np.int64)
    mask = np.array([[1, 1, 0, 0]], dtype=np.int32)
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    words = np.array(["nein", 'F\u00fcchsin "a"', ""], dtype=np.object_)
    amounts = np.array([[1 / 3], [-2.0], [1e300]])
    flags = np.array([[True, False, True]])
    for binary in (True, False):
        yield [tensor("x", floats, "FP32", binary)], binary
        yield [tensor("input_ids", ids, "INT64", binary), tensor("attention_mask", mask, "INT32", binary)], binary
        yield [tensor("ein Bild", pixels, "UINT8", binary)], binary
        yield [tensor("word", words, "BYTES", binary), tensor("amount", amounts, "FP64", binary)], binary
        yield [tensor("on", flags, "BOOL", binary)], binary


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    recorded = []
    threading.Thread(target=serve, args=(listener, recorded), daemon=True).start()
    client = http.InferenceServerClient(f"127.0.0.1:{listener.getsockname()[1]}")
    for inputs, binary in cases():
        client.infer("risk", inputs, "3", outputs=[http.InferRequestedOutput("scores", binary_data=binary)])
    print(json.dumps({"tritonclient": importlib.metadata.version("tritonclient"), "requests": recorded}, indent=2))


main()

"""NVIDIA's client against an inference server: rows a second, for some sizes of a batch and numbers of requests at once.

    python client.py HOST:PORT MODEL INPUT WIDTH OUTPUT SECONDS ['SIZE x AT ONCE']

One line of JSON: each `SIZE x AT ONCE` with its rate.
"""

import json
import sys
import time

import numpy as np
import tritonclient.http as http

address, model, name, width, output, seconds, *only = sys.argv[1:]


def rate(client, size, at_once):
    tensor = http.InferInput(name, [size, int(width)], "FP32")
    tensor.set_data_from_numpy(np.random.rand(size, int(width)).astype(np.float32), binary_data=False)
    wanted = [http.InferRequestedOutput(output, binary_data=False)]
    began = time.time()
    rows = 0
    pending = []
    while time.time() - began < float(seconds):
        while len(pending) < at_once:
            pending.append(client.async_infer(model, [tensor], outputs=wanted))
        pending.pop(0).get_result().as_numpy(output)
        rows += size
    for request in pending:
        request.get_result()
    return rows / (time.time() - began)


rates = {}
for at_once in (1, 4):
    client = http.InferenceServerClient(address, concurrency=at_once)
    for size in (16, 64, 256, 1024):
        label = f"{size} x {at_once}"
        if not only or label in only:
            rates[label] = rate(client, size, at_once)
print(json.dumps(rates))

"""Vowpal Wabbit as a side of the benchmark `learners`: reads rows from its own text format, predicts and learns each.

pip install vowpalwabbit==9.11.9
"""

import json
import sys
import time

from vowpalwabbit import Workspace


def run(order):
    rows, seconds = 0, 0.0
    while seconds < order["seconds"]:
        before = time.process_time()
        vw = Workspace(f"{order['learner']} --quiet -d {order['file']}")
        seconds += time.process_time() - before
        rows += int(vw.get_weighted_examples())
        score = vw.get_sum_loss() / vw.get_weighted_examples()
        vw.finish()
    return {"rows": rows, "cpuSeconds": seconds, "score": score}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)

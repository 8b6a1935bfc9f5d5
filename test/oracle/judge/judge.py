"""Judges what Millrace's operators did with random cases: one JSON case a line in, one verdict a line out.

Written from the documentation (docs/guide, docstrings), never from the code that it judges. Numbers are exact fractions.
"""
import json
import sys
import traceback

import aggregates
import features
import imputers
import joins
import patterns
import quality
import runs
import tables
import windows
from case import Case, Unjudged, Wrong

FAMILIES = {
    "windows": windows.judge,
    "changes": windows.judge_changes,
    "joins": joins.judge,
    "table-joins": tables.judge_join,
    "tables": tables.judge,
    "dedupe": quality.judge_dedupe,
    "sampling": quality.judge_sampling,
    "imputers": imputers.judge,
    "patterns": patterns.judge,
    "features": features.judge,
    "aggregates": aggregates.judge,
}
FAMILIES["runs"] = lambda case: FAMILIES[case.options["of"]](runs.merged(case))


def number(text):
    """Beyond 2^53 JavaScript prints other digits than the number has."""
    return int(text) if len(text) < 16 else float(text)


def verdict(line):
    case = json.loads(line, parse_int=number)
    try:
        if "failure" in case["got"]:
            raise Wrong(f"the operator failed: {case['got']['failure']}")
        FAMILIES[case["family"]](Case(case))
        return None
    except Unjudged:
        return "unjudged"
    except Wrong as wrong:
        return str(wrong)
    except Exception:
        return "the judge failed: " + traceback.format_exc()


for each in sys.stdin:
    print(json.dumps(verdict(each)), flush=True)

"""The rows that our side can be timed on alone, as C++ for the command `tenon bench`: one table of workloads for both."""

import json
from pathlib import Path

from .rows import ROWS


def text():
    lines = ["// Written by ./tools/bench --cases from bench/harness/rows.py."]
    for row in ROWS:
        if row.kind != "steps":
            continue
        for case in row.cases:
            if case.ours:  # the same of ours beside another peer
                continue
            strings = [row.id, row.what, row.unit, case.id, case.what]
            averaged = case.judged and case.averaged
            flags = [str(flag).lower() for flag in (case.judged, averaged)]
            lines.append("{" + ", ".join([*map(json.dumps, strings), *flags, repr(float(case.work)), json.dumps(case.bound)]) + "},")
    return "\n".join(lines) + "\n"


def write(path):
    Path(path).write_text(text(), encoding="utf-8")
    return 0

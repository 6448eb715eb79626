"""The table on the terminal, at most 80 columns, and the JSON file."""

import json
import sys
import textwrap

WIDTHS = {"id": 2, "what": 27, "ours": 9, "theirs": 9, "peer": 14, "ratio": 6, "spread": 4}


LARGER = {"ns": ("us", 1e3), "us": ("ms", 1e3), "ms": ("s", 1e3), "KB": ("MB", 1e3)}


def figure(value, unit=""):
    """Three significant digits, never an exponent; in a larger unit where it would not fit."""
    if value is None:
        return "-"
    while value >= 99999.5 and unit in LARGER:
        unit, factor = LARGER[unit]
        value /= factor
    if value >= 99.95:
        text = f"{value:,.0f}"
    elif value >= 9.995:
        text = f"{value:.1f}"
    elif value >= 0.9995:
        text = f"{value:.2f}"
    else:
        text = f"{value:.3f}"
    return f"{text} {unit}".strip()


def times(ratio):
    if ratio is None:
        return "-"
    return f"{figure(ratio)}x" if ratio < 999.5 else ">999x"


def percent(value):
    if value is None:
        return ""
    return f"{100 * value:.0f}%" if value < 9.99 else ">9x"


def cut(text, width):
    return text if len(text) <= width else text[: width - 2] + ".."


def line(cells):
    left = ("id", "what", "peer")
    parts = []
    for key, width in WIDTHS.items():
        text = cut(cells.get(key) or "", width)
        parts.append(text.ljust(width) if key in left else text.rjust(width))
    return (" ".join(parts) + " " + cells.get("verdict", "")).rstrip()


def verdict(result):
    if not result["goal"] or result["ours"] is None or not result.get("judged", True):
        return ""
    return "ok" if result["met"] else "no"


def cells(result, label, what):
    return {
        "id": label,
        "what": what,
        "ours": figure(result["ours"], result["unit"]),
        "theirs": figure(result["theirs"], result["unit"]) if result["peer"] else "-",
        "peer": result["peer"] or "-",
        "ratio": times(result["ratio"]),
        "spread": percent(result["spread"]),
        "verdict": verdict(result),
    }


def peer_cells(peer, unit):
    return {
        "theirs": figure(peer["theirs"], unit),
        "peer": peer["peer"],
        "ratio": times(peer["ratio"]),
        "spread": percent(peer["spread"]),
    }


def result_lines(result, label, what):
    lines = [line(cells(result, label, what))]
    for peer in result["peers"]:
        if peer["peer"] != result["peer"]:
            lines.append(line(peer_cells(peer, result["unit"])))
    return lines


def row_lines(row):
    cases = row.get("cases")
    if not cases:
        head, _, _ = row["what"].partition(":")
        return result_lines(row, row["id"], head)
    averaged = [case for case in cases if case["averaged"]]
    if len(averaged) == 1:
        lines = result_lines(averaged[0], row["id"], row["what"])
        cases = [case for case in cases if case is not averaged[0]]
    else:
        lines = [line(cells(row, row["id"], row["what"]))]
    for case in cases:
        lines += result_lines(case, "", "  " + case["what"])
    return lines


def heading():
    names = {"id": "id", "what": "workload", "ours": "tenon", "theirs": "peer's", "peer": "peer",
             "ratio": "ratio", "spread": "+-", "verdict": "goal"}  # fmt: skip
    text = line({**names, "verdict": ""}) + " ok"
    return text + "\n" + "-" * 80


def remarks(rows):
    """What the table has no room for, each with the id it belongs to."""
    seen = {}
    for row in rows:
        for result in [row, *row.get("cases", [])]:
            where = result["id"] if "/" in result["id"] else row["id"]
            if result["ceiling"] and result is not row:
                seen[f"{where}: {percent(result['ceiling'])} of the machine's ceiling"] = None
            single = result is not row or "cases" not in row
            if result["undecided"] and single and result.get("judged", True):
                seen[f"{where}: within 10 % of {result['peer']}: undecided"] = None
            for peer in result["peers"]:
                if "prepare_s" in peer:
                    took = f"{peer['prepare_s']:.1f} s to compile, apart"
                    seen[f"{where}: {peer['peer']} needs {took}"] = None
            for note in result["notes"]:
                seen[f"{row['id']}: {note}"] = None
        if row.get("holds") is False and row["ours"] is not None:
            seen[f"{row['id']}: below the floor ({row['floor']})"] = None
    return list(seen)


def print_remarks(rows):
    lines = remarks(rows)
    if lines:
        print()
    for text in lines:
        print(textwrap.fill(text, 80, subsequent_indent="    "))


def write_json(path, machine, rows):
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"machine": machine, "rows": rows}, out, indent=1)
        out.write("\n")


def emit(text):
    print(text)
    sys.stdout.flush()

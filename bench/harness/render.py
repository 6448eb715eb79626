"""docs/performance.md and its picture from the kept results: of each row the newest one. What bounds a row that misses its goal is
told in bench/misses.md, a heading and a paragraph for each."""

import json
import math
import re
import sys
from xml.sax.saxutils import escape

from . import paths, report
from .rows import ROWS
from .verdicts import by_mean, cases_of, every, goals_of, missed, ratio_to, with_goal

PAGE = paths.ROOT / "docs" / "performance.md"
PICTURE = paths.ROOT / "docs" / "performance.svg"
MISSES = paths.BENCH / "misses.md"

HEAD = """# Speed

Written by `./tools/bench --render` from `bench/results/` and `bench/misses.md`: change those; all three are in the source
tree, not in what is installed. How rows are measured and what both sides do stands in `bench/README.md` there.

A ratio above 1 means that Tenon is faster (or smaller) than the best peer of the case; `±` is how far the rounds of a run differ; the
ceiling is the fraction of what the machine can do at most, where that is known: of products in bf16 that of AMX tiles, of all others that
of f32 multiply-adds or of memory; above 100 % where part of the data stays in a cache, or where products in f32 go by tiles, which the
ceiling of multiply-adds leaves out. Within 10 % of 1 nothing is decided. Cases without a goal are there to compare.

A row meets its goal when the geometric mean of its cases' ratios does, where all its cases have one goal; else when each case meets its
own. Both verdicts are told below, and both are in the results: `met` (by the mean) and `every` (in every case) of a row, `met` of a case.

![ratio of each case to its best peer](performance.svg)
"""


def newest(results):
    """Row id -> (number of its run, row); the runs that are used, newest first."""
    runs = sorted(results, key=lambda run: run["machine"]["date"], reverse=True)
    rows, used = {}, []
    for run in runs:
        fresh = [row for row in run["rows"] if row["id"] not in rows]
        if fresh and not run["machine"]["quick"]:
            used.append(run["machine"])
            rows.update({row["id"]: (len(used), row) for row in fresh})
    return rows, used


def verdict(case):
    if not case["judged"] or not case["goal"]:
        return ""
    return "yes" if case["met"] else "**no**"


def cells(case, run):
    spread, ceiling = report.percent(case["spread"]), report.percent(case["ceiling"])
    theirs = report.figure(case["theirs"], case["unit"]) if case["peer"] else "-"
    return [case["what"], report.figure(case["ours"], case["unit"]), theirs, case["peer"] or "-", report.times(case["ratio"]),
            spread, ceiling, case["goal"] if case["judged"] else "", verdict(case), str(run)]  # fmt: skip


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def row_text(row, run):
    title = row["what"].partition(":")[0]
    heads = ["case", "Tenon", "peer's", "best peer", "ratio", "±", "ceiling", "goal", "met", "run"]
    text = f"### {row['id']}: {title}\n\n" + table(heads, [cells(case, run) for case in cases_of(row)])
    remarks = [case["notes"][-1] for case in cases_of(row) if case.get("step")]
    without = absent(row, next((known for known in ROWS if known.id == row["id"]), None))
    remarks += [f"Peers without a figure: {', '.join(without)}"] if without else []
    return text + "".join(f"\n{remark}.\n" for remark in remarks)


def absent(row, known):
    """Peers that the table wants and these results lack, with the number of cases where it is not all."""
    wanted = {case.id if "cases" in row else row["id"]: case.peers for case in (known.cases if known else [])}
    lacks = {}
    for case in cases_of(row):
        have = {peer["peer"] for peer in case["peers"]}
        for peer in wanted.get(case["id"], []):
            lacks.setdefault(peer.name, []).append(peer.name not in have)
    return [name if all(lack) else f"{name} in {sum(lack)} of {len(lack)} cases" for name, lack in lacks.items() if any(lack)]


def summary(rows):
    judged = [row for _, row in rows.values() if row["goal"]]
    good = [row["id"] for row in judged if every(row)]
    mean = [row["id"] for row in judged if by_mean(row)]
    cases = [case for row in judged for case in with_goal(row)]
    behind = [case["id"] for case in cases if case["ratio"] and case["ratio"] < 1 and "points" not in case]
    absent = [row.id for row in ROWS if row.id not in rows]
    text = (f"Of {len(judged)} rows with a goal {len(mean)} meet it by the geometric mean of their cases ({', '.join(mean)}), {len(good)} in "
            f"every case ({', '.join(good)}); of {len(cases)} cases {sum(bool(case['met']) for case in cases)}. Behind the best peer: {', '.join(behind) or 'none'}.")  # fmt: skip
    return text + (f" Not measured yet: {', '.join(absent)}." if absent else "") + "\n"


def machines(used):
    heads = ["run", "date", "processor", "system", "threads", "f32 multiply-adds", "bf16 tiles", "stream", "update", "reads", "revision"]
    rows = []
    for number, m in enumerate(used, 1):
        top = m["ceilings"]
        rows.append([str(number), m["date"][:10], f"{m['cpu']}, {m['cores']} cores, {top['isa']}",
                     f"{m['os']}, {m['compiler'].rpartition(' ')[2]}", str(m["threads"]), f"{top['fma_gflops']:.0f} GFLOP/s",
                     f"{top['amx_bf16_gflops']:,.0f} GFLOP/s" if "amx_bf16_gflops" in top else "",
                     f"{top['stream_gbs']:.0f} GB/s", f"{top['update_gbs']:.0f} GB/s", f"{top['read_gbs']:.0f} GB/s",
                     m["revision"]])  # fmt: skip
    return table(heads, rows)


def read_misses(text):
    parts = re.split(r"^## (\S+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2])))


def miss_texts(rows, told):
    """A paragraph for each row that misses; SystemExit where one is absent or not needed any more."""
    lost = {row_id: missed(row) for row_id, (_, row) in rows.items() if row["goal"] and not every(row)}
    wrong = [f"no paragraph on {name}" for name in lost if not told.get(name)]
    wrong += [f"{name} misses nothing" for name in told if name not in lost]
    if wrong:
        raise SystemExit(f"bench: {MISSES.relative_to(paths.ROOT)}: {'; '.join(wrong)}")
    texts = []
    for name, cases in sorted(lost.items()):
        which = ", ".join(f"{case['what']} {report.times(case['ratio']) if case['ratio'] else ''}".strip() for case in cases)
        texts.append(f"**{name}** ({which or 'by the mean of its cases'}). {told[name]}\n")
    return "\n".join(texts)


# ---- the picture

LEFT, WIDE, LINE, TOP, LOW, HIGH = 300, 480, 16, 58, 0.5, 64
LEAST = 4  # pixels: what is as fast as its peer has a bar too
MET, MISSED, NONE = "#2a8f7d", "#d9703a", "#8a8f98"
LEGEND = [(MET, "goal met"), (MISSED, "missed; beside another peer: told behind it"), (NONE, "no goal as a ratio")]


def place(ratio):
    return LEFT + WIDE * math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)


def goal_of(case):
    """The least ratio to the best peer that meets the goal, or None."""
    fitting = [least for least, peer in goals_of(case["goal"]) if peer in ("best", case["peer"])]
    return max(fitting, default=None)


def missed_beside(case):
    """What is missed beside another peer than the one shown, where the mark does not tell it."""
    others = [(least, peer, ratio_to(case, peer)) for least, peer in goals_of(case["goal"]) if peer not in ("best", case["peer"])]
    return "; ".join(f"{report.times(ratio)} {peer}, goal {least:g}x" for least, peer, ratio in others if ratio and ratio < least)


def bar(case, label, y):
    goal, beside = goal_of(case), missed_beside(case)
    colour = NONE if goal is None else MET if case["met"] else MISSED
    one, end = place(1), place(case["ratio"])
    width = max(abs(end - one), LEAST)
    name = escape(report.cut(label, 44))
    more = f'<tspan dx="8" fill="{MISSED}">{escape(beside)}</tspan>' if beside else ""
    parts = [f'<text x="{LEFT - 8}" y="{y + 11}" text-anchor="end">{name}</text>',
             f'<rect x="{one if end >= one else one - width:.1f}" y="{y + 3}" width="{width:.1f}" height="{LINE - 6}" fill="{colour}"/>',
             f'<text x="{max(one + LEAST, end, place(goal or LOW)) + 6:.1f}" y="{y + 11}">{report.times(case["ratio"])}'
             f'<tspan dx="4" fill="#777">{escape(case["peer"])}</tspan>{more}</text>']  # fmt: skip
    if goal is not None:
        parts.append(f'<path d="M{place(goal):.1f} {y + 1}v{LINE - 2}" stroke="#111" stroke-width="2"/>')
    return "\n".join(parts)


def legend():
    """Its squares and words, a line below the title."""
    out, x = [], LEFT
    for colour, words in LEGEND:
        out.append(f'<rect x="{x}" y="22" width="10" height="10" fill="{colour}"/><text x="{x + 15}" y="31">{words}</text>')
        x += 40 + 6 * len(words)
    return out


def picture(rows):
    lines = []
    for row_id, (_, row) in sorted(rows.items()):
        lines += [(case, f"{row_id} {case['what']}") for case in cases_of(row) if case["ratio"] and case["judged"]]
    height = TOP + LINE * len(lines) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDE + 170}" height="{height}" '
           'font-family="sans-serif" font-size="11" fill="#222">',
           '<rect width="100%" height="100%" fill="#fff"/>',
           f'<text x="{LEFT}" y="14" font-size="12">Ratio to the best peer; the black mark is the goal beside that peer</text>', *legend()]  # fmt: skip
    for tick in (0.5, 1, 2, 4, 8, 16, 32, 64):
        colour = "#444" if tick == 1 else "#ddd"
        out.append(f'<path d="M{place(tick):.1f} {TOP - 4}V{height - 24}" stroke="{colour}"/>')
        out.append(f'<text x="{place(tick):.1f}" y="{TOP - 10}" text-anchor="middle" fill="#555">{tick:g}x</text>')
    out += [bar(case, label, TOP + LINE * k) for k, (case, label) in enumerate(lines)]
    return "\n".join([*out, "</svg>"]) + "\n"


# ---- the files


def rendered(results, misses):
    """Path -> text."""
    rows, used = newest(results)
    parts = [HEAD, summary(rows), "## Rows\n"]
    parts += [row_text(row, run) for _, (run, row) in sorted(rows.items())]
    parts += ["## What is missed, and why\n", miss_texts(rows, read_misses(misses)), "## Machines\n", machines(used)]
    return {PAGE: "\n".join(parts), PICTURE: picture(rows)}


def render(check):
    """Writes the files; with `check` says which are not as they would be written. The exit status."""
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((paths.BENCH / "results").glob("*.json"))]
    stale = []
    for path, text in rendered(results, MISSES.read_text(encoding="utf-8")).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(str(path.relative_to(paths.ROOT)))
        if not check:
            path.write_text(text, encoding="utf-8")
    if stale and check:
        print(f"bench: not up to date: {', '.join(stale)}; ./tools/bench --render writes them", file=sys.stderr)
    return 1 if stale and check else 0

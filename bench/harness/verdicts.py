"""Whether a row meets its goal, from its results alone: by the mean of its cases, and in every case. One rule for `met` and
`every` in the JSON and for docs/performance.md, kept results of before included."""

import math
import re

MOST_SPREAD = 0.5  # above it a case is noise
DIFFER = "outputs of"  # how the note on sides that do not agree begins


def cases_of(row):
    return row.get("cases") or [{**row, "judged": True, "what": row["what"].partition(": ")[2]}]


def with_goal(row):
    return [case for case in cases_of(row) if case["judged"] and case["goal"]]


def missed(row):
    return [case for case in with_goal(row) if not case["met"]]


def goals_of(text):
    """[(least ratio, peer)] of ">= 1x best, >= 5x libtorch"; none where a figure of our own is asked for."""
    return [(float(least), peer) for least, peer in re.findall(r">= ([0-9.]+)x ([^,;]+)", text)]


def ratio_to(case, peer):
    ratios = {p["peer"]: p["ratio"] for p in case["peers"]}
    return min(ratios.values()) if peer == "best" and ratios else ratios.get(peer)


def sound(case):
    """Steady, and its sides agree."""
    steady = case["spread"] is None or case["spread"] <= MOST_SPREAD
    return steady and not any(note.startswith(DIFFER) for note in case.get("notes", []))


def every(row):
    """Each case with a goal meets it, and so does the mean where one is asked for."""
    return not missed(row) and (not row["goal"].startswith("mean: ") or by_mean(row))


def by_mean(row):
    """The geometric mean of the ratios of the cases, where several share one goal (of a row with a goal for the mean: that); else every case.
    A row of sweeps has no mean: it is judged by its worst."""
    judged = with_goal(row)
    least_mean = re.match(r"mean: >= ([0-9.]+)x best", row["goal"])
    shared = len(judged) > 1 and len({case["goal"] for case in judged}) == 1 and "points" not in judged[0]
    if not judged or not (least_mean or shared and goals_of(judged[0]["goal"])):
        return not missed(row)
    goals = [(float(least_mean[1]), "best")] if least_mean else goals_of(judged[0]["goal"])
    ratios = {peer: [ratio_to(case, peer) for case in judged] for _, peer in goals}
    return all(map(sound, judged)) and all(
        all(ratios[peer]) and math.prod(ratios[peer]) ** (1 / len(judged)) >= least
        for least, peer in goals
    )

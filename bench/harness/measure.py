"""Measures a row: its sides alternately, round by round, and what follows from the figures."""

import sys
from dataclasses import dataclass, replace
from statistics import median

from . import programs, sides, stats, sweep, verdicts
from .pace import Pace, Patience
from .programs import Unavailable
from .sides import WorkerError

UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "KB": 1e3, "MB": 1e6}


@dataclass
class Options:
    rounds: int = 15
    warmups: int = 5
    target_ns: float = 30e6  # of one sample
    patience_s: float = 60  # for the machine to be at its full rate, of one case
    pace: Pace = None
    ceilings: dict = None


class Workers:
    """The workers of one row, each started once."""

    def __init__(self, extra_env):
        self.extra_env = extra_env
        self.running = {}

    def get(self, kind, env):
        key = (kind, tuple(sorted(env.items())))
        if key not in self.running:
            self.running[key] = programs.start(kind, {**env, **self.extra_env})
        return self.running[key]

    def close(self):
        for worker in self.running.values():
            worker.close()


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


# ---- taking samples ------------------------------------------------------------------------------


def make_side(row, case, name, kind, case_id, env, workers):
    if row.kind == "start":
        return sides.StartSide(name, programs.first_op_command(kind), env)
    if row.kind == "memory":
        return sides.MemorySide(name, kind, case_id, env, case.id.endswith("/whole"))
    worker = workers.get(kind, env)
    if row.kind == "file":
        path = workers.extra_env["BENCH_FILE"]
        return sides.FileSide(name, worker, case_id, path, case.id.endswith("/cold"))
    return sides.StepsSide(name, worker, case_id)


def available_sides(row, case, workers, notes):
    """Our side first, or None, then the peers that are there."""
    wanted = [("tenon", "tenon", case.ours or case.id, {})]
    wanted += [(p.name, p.worker, p.case, p.env) for p in case.peers]
    found = []
    for name, kind, case_id, env in wanted:
        progress(f"{row.id} {case.what}: {name}")
        try:
            found.append(make_side(row, case, name, kind, case_id, env, workers))
        except (Unavailable, WorkerError) as error:
            text = str(error) if isinstance(error, Unavailable) else f"{name}: {error}"
            if text not in notes:
                notes.append(text)
            if name == "tenon":
                found.append(None)
    return found[0], found[1:]


def take_samples(row, case, everyone, options, notes):
    """{name: [value per round]}, taken A B A B."""
    timed = row.kind != "memory"
    patience = Patience(options.pace, options.patience_s if timed else 0)
    for side in everyone:
        if hasattr(side, "calibrate"):
            patience.wait()
            side.calibrate(options.target_ns)
    samples = {side.name: [] for side in everyone}
    for turn in range(-options.warmups, options.rounds):
        progress(f"{row.id} {case.what}: round {max(turn + 1, 0)} of {options.rounds}")
        for side in everyone:
            if turn < 0 or not timed:
                value = side.sample()
            else:
                value = patience.sample(side)
            if turn >= 0:
                samples[side.name].append(value)
    if patience.remark():
        notes.append(f"{case.what}: {patience.remark()}")
    return samples


# ---- results -------------------------------------------------------------------------------------


def own_text(row, case):
    return "" if case.own is None else f"<= {case.own:g} {row.unit}"


def goal_text(row, case):
    """What the verdict goes by: the ratios, or where there are none the figure of our own."""
    return ", ".join(f">= {v:g}x {k}" for k, v in case.goal.items()) or own_text(row, case)


def note_own(result, row, case):
    """Says how a figure of our own stands beside ratios that are judged."""
    if case.goal and case.own is not None and result["ours"] is not None:
        how = "holds" if result["ours"] <= case.own else "does not hold here"
        text = f"on a machine in its fast state {own_text(row, case)}: {how} (not judged)"
        result["notes"].append(f"{case.what}: {text}")


def holds(goals, ratios):
    """Every peer of `goals` was measured and its ratio is reached."""
    return all(peer in ratios and ratios[peer] >= least for peer, least in goals.items())


def verdict(case, ours, ratios):
    """By the goal: the ratios where there are any, for a time says little without its machine; else a figure of our own."""
    if ours is None:
        return False
    if case.goal:
        return holds(case.goal, ratios)
    return case.own is None or ours <= case.own


def fill_figures(result, row, case, samples, people, options):
    """Puts medians, ratios, spread, ceiling and verdict into `result`."""
    scale = UNITS[row.unit]
    ours_samples = samples.get("tenon")
    ours = median(ours_samples) / scale if ours_samples else None
    result["ours"] = ours
    result["spread_ours"] = stats.spread(ours_samples) if ours_samples else None
    ratios = {}
    for side in people:
        theirs = median(samples[side.name]) / scale
        peer = {"peer": side.name, "theirs": theirs, "ratio": None, "about": side.about}
        peer["spread"] = stats.spread(samples[side.name])
        if side.prepare_seconds > 0.5:
            peer["prepare_s"] = round(side.prepare_seconds, 2)
        if ours_samples:
            peer["ratio"] = ratios[side.name] = theirs / ours
            peer["spread"] = stats.ratio_spread(ours_samples, samples[side.name])
        result["peers"].append(peer)
    if result["peers"]:
        best = min(result["peers"], key=lambda peer: peer["theirs"])
        if best["ratio"] is not None:
            ratios["best"] = best["ratio"]
        shown = best if "best" in case.goal else result["peers"][0]
        result.update({key: shown[key] for key in ("peer", "theirs", "ratio", "spread")})
        result["undecided"] = shown["ratio"] is not None and abs(shown["ratio"] - 1) < 0.1
    most = (options.ceilings or {}).get(case.bound)
    if ours and most and case.work:
        result["ceiling"] = case.work / (ours * scale) / most
    result["met"] = verdict(case, ours, ratios)
    if case.floor:
        result["holds"] = ours is not None and holds(case.floor, ratios)


def empty_result(row, case):
    return {
        "id": case.id, "what": case.what, "ours": None, "unit": row.unit, "peer": None,
        "theirs": None, "ratio": None, "spread": None, "ceiling": None,
        "goal": goal_text(row, case), "own": own_text(row, case), "met": False,
        "judged": case.judged, "averaged": case.judged and case.averaged, "undecided": False,
        "floor": ", ".join(f">= {v:g}x {k}" for k, v in case.floor.items()),
        "peers": [], "notes": [],
    }  # fmt: skip


def compare_outputs(everyone, tolerance, notes):
    """Whether all sides agree. A difference is a note and takes away the verdict."""
    first, agreed = everyone[0], True
    for side in everyone[1:]:
        if not stats.close(first.check, side.check, tolerance):
            names = f"{first.name} and {side.name}"
            notes.append(f"{verdicts.DIFFER} {names} differ by more than {tolerance:g}")
            agreed = False
    return agreed


def measure_case(row, case, workers, options):
    result = empty_result(row, case)
    notes = result["notes"]
    if case.sizes:
        alike = replace(row, kind="steps")
        short = replace(options, target_ns=sweep.SAMPLE_NS, patience_s=options.patience_s / len(case.sizes))
        measured = [measure_case(alike, point, workers, short) for point in sweep.points(case)]
        return sweep.joined(result, case, measured)
    if row.kind == "size":
        try:
            result["ours"] = sides.stripped_bytes(case.id) / UNITS[row.unit]
        except Unavailable as error:
            notes.append(str(error))
        result["met"] = verdict(case, result["ours"], {})
        return result
    ours, people = available_sides(row, case, workers, notes)
    everyone = ([ours] if ours else []) + people
    if not everyone:
        return result
    agreed = compare_outputs(everyone, case.tolerance, notes)
    try:
        samples = take_samples(row, case, everyone, options, notes)
    except (WorkerError, Unavailable) as error:
        notes.append(str(error))
        return result
    fill_figures(result, row, case, samples, people, options)
    note_own(result, row, case)
    steady = result["spread"] is None or result["spread"] <= verdicts.MOST_SPREAD
    if not steady:
        notes.append(f"{case.what}: rounds differ by {result['spread']:.0%}: measure again, alone")
    result["met"] = result["met"] and agreed and steady
    if "holds" in result:
        result["holds"] = result["holds"] and agreed and steady
    return result


def mean_of(results, key):
    values = [r[key] for r in results]
    return stats.geometric_mean(values) if all(values) else None


def join_cases(row, results):
    """The row: the figures of its one averaged case, or the geometric means of those (of sweeps: the worst); `met` and `every`
    by verdicts.py."""
    judged = [r for r in results if r["judged"]]
    averaged = [r for r in results if r["averaged"]]
    whole = dict(averaged[0])
    if len(judged) > 1:
        for key in ("ours", "theirs", "ratio", "ceiling"):
            whole[key] = mean_of(averaged, key)
        spreads = [r["spread"] for r in averaged if r["spread"] is not None]
        whole["spread"] = max(spreads) if spreads else None
        names = sorted({r["peer"] for r in averaged if r["peer"]})
        whole["peer"] = names[0] if len(names) == 1 else ("best of each" if names else None)
        whole["goal"] = "; ".join(f"{r['what']}: {r['goal']}" for r in judged if r["goal"])
        whole["own"] = "; ".join(f"{r['what']}: {r['own']}" for r in judged if r["own"])
        if row.goal:
            whole["goal"] = f"mean: >= {row.goal:g}x best; {whole['goal']}"
        if row.kind == "sweep":
            whole.update(sweep.worst(averaged))
        whole["floor"] = "; ".join(f"{r['what']}: {r['floor']}" for r in judged if r["floor"])
        if any("holds" in r for r in judged):
            whole["holds"] = all(r.get("holds", True) for r in judged)
        whole["undecided"] = whole["ratio"] is not None and abs(whole["ratio"] - 1) < 0.1
        for key in ("points", "step"):  # each sweep has its own
            whole.pop(key, None)
        whole["notes"], whole["peers"] = [], averaged[0]["peers"] if len(averaged) == 1 else []
    whole["id"] = row.id
    whole["what"] = row.what if len(results) > 1 else f"{row.what}: {judged[0]['what']}"
    whole.pop("judged"), whole.pop("averaged")
    if len(results) > 1:
        whole["cases"] = results
    measured = whole["ours"] is not None
    whole["met"] = measured and verdicts.by_mean(whole)
    whole["every"] = measured and verdicts.every(whole)
    return whole


def measure_row(row, options):
    """The row's JSON object."""
    extra = {}
    if row.kind == "file":
        progress(f"{row.id}: writing the file")
        extra["BENCH_FILE"] = str(sides.safetensors_file())
        try:
            extra["BENCH_SUM_LIBRARY"] = str(programs.sum_library())
        except Unavailable:
            pass  # the peers' worker says what it lacks
    workers = Workers(extra)
    try:
        results = [measure_case(row, case, workers, options) for case in row.cases]
    finally:
        workers.close()
        progress("")
    return join_cases(row, results)

#!/usr/bin/env python3
"""What ./tools/bench makes of figures: which are judged, which are notes. Nothing is measured."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from harness import measure, render, report  # noqa: E402
from harness.rows import ROWS, Case, Row  # noqa: E402


def measured(case, ours, ratios, row):
    """The result of a case as if measured."""
    result = measure.empty_result(row, case)
    result["ours"], result["met"] = ours, measure.verdict(case, ours, ratios)
    result["ratio"] = next(iter(ratios.values()), None)
    result["theirs"] = result["ratio"] and ours * result["ratio"]
    measure.note_own(result, row, case)
    return result


class Verdicts(unittest.TestCase):
    ratio = Case("a", "beside a peer", [], goal={"libtorch": 25}, own=25)
    alone = Case("b", "alone", [], own=80, averaged=False)
    row = Row("D1", "add", "ns", [ratio, alone])

    def join(self, ours, ratio, alone):
        return measure.join_cases(self.row, [measured(self.ratio, ours, {"libtorch": ratio}, self.row),
                                             measured(self.alone, alone, {}, self.row)])

    def test_a_row_may_ask_more_of_the_mean_than_of_each_case(self):
        each = [Case(name, name, [], goal={"best": 1}) for name in "ab"]
        for goal, met in ((None, True), (1.9, True), (2.1, False)):
            row = Row("G1", "matmul", "us", each, goal=goal)
            results = [measured(c, 10, {"best": r}, row) for c, r in zip(each, (1, 4))]
            self.assertEqual(measure.join_cases(row, results)["met"], met)
        self.assertIn("mean: >= 2.1x best", measure.join_cases(row, results)["goal"])

    def test_ratios_are_judged_and_an_own_figure_is_a_note(self):
        slow = measured(self.ratio, 60, {"libtorch": 26}, self.row)
        self.assertTrue(slow["met"])
        self.assertEqual((slow["goal"], slow["own"]), (">= 25x libtorch", "<= 25 ns"))
        self.assertIn("does not hold here (not judged)", slow["notes"][0])
        self.assertFalse(measured(self.ratio, 20, {"libtorch": 24}, self.row)["met"])
        self.assertFalse(measured(self.ratio, 20, {}, self.row)["met"], "a peer that is missing")

    def test_an_own_figure_alone_is_judged(self):
        self.assertTrue(measured(self.alone, 80, {}, self.row)["met"])
        self.assertFalse(measured(self.alone, 81, {}, self.row)["met"])
        self.assertEqual(measured(self.alone, 81, {}, self.row)["notes"], [])

    def test_a_row_is_met_where_all_judged_cases_are(self):
        self.assertTrue(self.join(60, 26, 79)["met"])
        self.assertFalse(self.join(60, 26, 81)["met"])
        self.assertFalse(self.join(60, 24, 79)["met"])

    def test_only_averaged_cases_are_averaged(self):
        row = self.join(60, 26, 79)
        self.assertAlmostEqual(row["ours"], 60)
        self.assertAlmostEqual(row["ratio"], 26)
        self.assertEqual(len(report.row_lines(row)), 2)

    def test_every_row_can_be_judged_and_shown(self):
        for row in ROWS:
            results = [measured(case, 1.0, {}, row) for case in row.cases]
            self.assertTrue(any(r["averaged"] for r in results), row.id)
            report.row_lines(measure.join_cases(row, results))
        cases = {c.id: c for r in ROWS for c in r.cases}
        self.assertTrue(cases["D1/shapes"].judged and cases["D1/shapes"].own == 80)


def run_of(date, **rows):
    """A run as a results file has it: row id -> (ratio, met)."""
    machine = {"date": date, "quick": False}
    base = {"what": "w", "unit": "ns", "ours": 1, "goal": ">= 2x best", "spread": 0, "ceiling": None}
    made = [{**base, "id": name, "ratio": ratio, "met": met, "peers": [{"peer": "p", "ratio": ratio}]} for name, (ratio, met) in rows.items()]
    return {"machine": machine, "rows": made}


class Rendered(unittest.TestCase):
    runs = [run_of("2026-01-01", A=(1, False), B=(3, True)), run_of("2026-01-02", A=(2, True))]

    def test_each_row_is_of_the_newest_run_that_has_it(self):
        rows, used = render.newest(self.runs)
        self.assertEqual({name: (run, row["ratio"]) for name, (run, row) in rows.items()}, {"A": (1, 2), "B": (2, 3)})
        self.assertEqual([m["date"] for m in used], ["2026-01-02", "2026-01-01"])

    def test_a_miss_needs_its_paragraph_and_nothing_else_has_one(self):
        rows, _ = render.newest(self.runs[:1])
        self.assertIn("slow", render.miss_texts(rows, {"A": "It is slow."}))
        for told in ({}, {"A": ""}, {"A": "It is slow.", "B": "It is not."}):
            with self.assertRaises(SystemExit):
                render.miss_texts(rows, told)

    def test_a_row_whose_cases_do_well_but_not_their_mean_is_a_miss(self):
        case = {"id": "G/1", "what": "a product", "judged": True, "goal": ">= 1x best", "met": True, "spread": 0.1,
                "ratio": 1.5, "peer": "libtorch", "peers": [{"peer": "libtorch", "ratio": 1.5}]}  # fmt: skip
        for goal, told in (("mean: >= 2x best", {"G": "It is slow."}), ("mean: >= 1.2x best", {})):
            rows = {"G": (1, {"id": "G", "goal": goal, "cases": [case]})}
            self.assertEqual(bool(render.miss_texts(rows, told)), bool(told))
            self.assertIn(f"{1 - len(told)} in every case", render.summary(rows))

    def test_the_mark_is_the_goal_beside_the_peer_shown(self):
        goals = [{"goal": ">= 1.5x best, >= 4x libtorch", "peer": peer} for peer in ("jax.jit", "libtorch")]
        self.assertEqual([render.goal_of(goal) for goal in goals], [1.5, 4])
        self.assertIsNone(render.goal_of({"goal": "<= 80 ns", "peer": "libtorch"}))


unittest.main(argv=sys.argv[:1])

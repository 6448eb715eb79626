#!/usr/bin/env python3
"""What ./tools/bench makes of figures: which are judged, which are notes. Nothing is measured."""

import pathlib
import sys
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from harness import measure, render, report, stats, sweep, verdicts  # noqa: E402
from harness.rows import ROWS, Case, Peer, Row  # noqa: E402


def measured(case, ours, ratios, row):
    """The result of a case as if measured."""
    result = measure.empty_result(row, case)
    result["ours"], result["met"] = ours, measure.verdict(case, ours, ratios)
    result["ratio"] = next(iter(ratios.values()), None)
    result["theirs"] = result["ratio"] and ours * result["ratio"]
    result["peers"] = [{"peer": peer, "theirs": ours * value, "ratio": value, "spread": 0} for peer, value in ratios.items()]
    result["peer"] = next(iter(ratios), None)
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

    def test_by_the_mean_and_in_every_case_are_told_apart(self):
        each = [Case(name, name, [], goal={"best": 1.3}) for name in "ab"]
        row = Row("E2", "ops", "us", each)
        for ratios, met, every in (((1.4, 1.5), True, True), ((1.2, 1.5), True, False), ((1.2, 1.3), False, False)):
            results = [measured(c, 10, {"best": r}, row) for c, r in zip(each, ratios)]
            whole = measure.join_cases(row, results)
            self.assertEqual((whole["met"], whole["every"]), (met, every), ratios)
            self.assertEqual((verdicts.by_mean(whole), verdicts.every(whole)), (met, every), "the page says the same")
        results = [measured(c, 10, {"best": 2}, row) for c in each]
        results[1]["notes"].append(f"{verdicts.DIFFER} a and b differ by more than 1")
        self.assertFalse(measure.join_cases(row, results)["met"], "a mean of what does not agree")
        results[1]["ours"] = None
        self.assertFalse(measure.join_cases(row, results)["every"], "a case without a figure")

    def test_every_row_can_be_judged_and_shown(self):
        for row in ROWS:
            results = [measured(case, 1.0, {}, row) for case in row.cases]
            self.assertTrue(any(r["averaged"] for r in results), row.id)
            report.row_lines(measure.join_cases(row, results))
        cases = {c.id: c for r in ROWS for c in r.cases}
        self.assertTrue(cases["D1/shapes"].judged and cases["D1/shapes"].own == 80)


class Sweeps(unittest.TestCase):
    alone = Peer("one thread", "tenon", "P/op")
    case = Case("P/op", "op", [alone], goal={"one thread": 0.909}, sizes=(10, 20, 40), power=2)
    row = Row("P", "sweep", "us", [case], kind="sweep")

    def join(self, *figures):
        """Of (ours, ratio) for each size."""
        made = [measured(point, ours, {"one thread": ratio} if ratio else {}, self.row) for point, (ours, ratio) in zip(sweep.points(self.case), figures)]
        for point in made:
            point["spread"] = 0
        return sweep.joined(measure.empty_result(self.row, self.case), self.case, made)

    def test_each_size_is_a_case_of_its_own(self):
        points = sweep.points(self.case)
        self.assertEqual([(p.id, p.peers[0].case, p.work) for p in points],
                         [(f"P/op-{n}", f"P/op-{n}", n * n) for n in (10, 20, 40)])  # fmt: skip

    def test_the_worst_size_is_shown_and_the_worst_step_told(self):
        case = self.join((1, 1.0), (4, 0.95), (32, 1.9))
        self.assertEqual((case["ours"], case["ratio"], case["met"], case["step"]), (4, 0.95, True, 2))
        self.assertIn("op: 20 of 10 to 40", case["what"])
        self.assertIn("2.00 times as long as the one before it (20 and 40)", case["notes"][-1])
        self.assertFalse(self.join((1, 1.0), (4, 0.9), (16, 1.9))["met"], "slower by more than a tenth")
        shown = render.row_text(measure.join_cases(self.row, [case, case]), 1)
        self.assertEqual(shown.count("as the one before it"), 2)

    def test_a_row_is_its_worst_case_and_not_a_mean(self):
        for least, met in ((0.92, True), (0.8, False)):
            cases = [self.join((1, 3), (4, 3), (16, 3)), self.join((1, 3), (4, least), (16, 3))]
            whole = measure.join_cases(self.row, cases)
            self.assertEqual((whole["ratio"], whole["met"], whole["every"]), (least, met, met))
            self.assertEqual(whole["goal"], ">= 0.909x one thread")
            self.assertFalse({"points", "step"} & set(whole))
            self.assertIn("none", render.summary({"P": (1, whole)}).partition("Behind the best peer: ")[2][:5])

    def test_a_size_without_a_figure_is_a_miss(self):
        case = self.join((1, 1.0), (4, None), (16, 1.9))
        self.assertEqual((case["met"], case["ratio"], case["step"]), (False, None, None))
        self.assertFalse(measure.join_cases(self.row, [case, case])["met"])


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

    def test_peers_that_a_run_lacks_are_told(self):
        known = Row("A", "w", "ns", [Case(f"A/{k}", "", [Peer("p", "torch", ""), Peer("q", "jax", "")]) for k in range(3)])
        cases = [{"id": f"A/{k}", "peers": [{"peer": "p"}] + [{"peer": "q"}] * (k > 1)} for k in range(3)]
        self.assertEqual(render.absent({"id": "A", "cases": cases}, known), ["q in 2 of 3 cases"])
        alone = {"id": "A", "what": "w: x", "peers": [{"peer": "q"}]}
        self.assertEqual(render.absent(alone, Row("A", "w", "ns", known.cases[:1])), ["p"])
        self.assertEqual(render.absent(alone, None), [])

    def test_the_mark_is_the_goal_beside_the_peer_shown(self):
        goals = [{"goal": ">= 1.5x best, >= 4x libtorch", "peer": peer} for peer in ("jax.jit", "libtorch")]
        self.assertEqual([render.goal_of(goal) for goal in goals], [1.5, 4])
        self.assertIsNone(render.goal_of({"goal": "<= 80 ns", "peer": "libtorch"}))


unittest.main(argv=sys.argv[:1])

"""The command: ./tools/bench [ids] [--json FILE] [--list] [--quick] [--render [--check]]."""

import argparse
import sys

from . import cases, machine, measure, pace, paths, programs, render, report, setup_peers
from .rows import ROWS

EXAMPLE = """example:
  ./tools/bench --setup-peers          once: torch and the like into build/peers
  ./tools/bench D1 D2 --json out.json
"""


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measures Tenon against its peers, alternately, in one run.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="rows to measure; default: all")
    parser.add_argument("--json", metavar="FILE", help="write the results there too")
    parser.add_argument("--list", action="store_true", help="say which rows there are")
    parser.add_argument("--quick", action="store_true", help="few short rounds: a test, no result")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="at least 15 (default)")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are")
    parser.add_argument("--setup-peers", action="store_true", help="install the peers and stop")
    parser.add_argument("--cases", metavar="FILE",
                        help="write what `tenon bench` measures as C++ and stop")  # fmt: skip
    parser.add_argument("--render", action="store_true",
                        help="write docs/performance.md from the kept results and stop")  # fmt: skip
    parser.add_argument("--check", action="store_true",
                        help="with --render: only say whether it is up to date")  # fmt: skip
    return parser.parse_args(arguments)


def chosen_rows(ids):
    known = {row.id.upper(): row for row in ROWS}
    unknown = [name for name in ids if name.upper() not in known]
    if unknown:
        print(f"bench: no row {', '.join(unknown)}; there are {' '.join(known)}", file=sys.stderr)
        return None
    return [known[name.upper()] for name in ids] or ROWS


def print_list(rows):
    for row in rows:
        peers = dict.fromkeys(peer.name for case in row.cases for peer in case.peers)
        print(f"{row.id}  {row.what} ({row.unit})")
        for case in row.cases:
            goal = measure.goal_text(row, case)
            print(f"      {case.what}" + (f": {goal}" if goal else ""))
        if peers:
            print(f"      beside {', '.join(peers)}")


def options_of(arguments):
    if arguments.quick:
        return measure.Options(rounds=3, warmups=1, target_ns=10e6, patience_s=0)
    return measure.Options(rounds=max(15, arguments.rounds))


def main(arguments=None):
    arguments = parse(arguments)
    if arguments.setup_peers:
        return setup_peers.setup()
    if arguments.cases:
        return cases.write(arguments.cases)
    if arguments.render:
        return render.render(arguments.check)
    rows = chosen_rows(arguments.ids)
    if rows is None:
        return 2
    if arguments.list:
        print_list(rows)
        return 0
    if not arguments.no_build and not programs.build_ours():
        print("bench: the build failed; --no-build measures what there is", file=sys.stderr)
        return 1
    options = options_of(arguments)
    described = machine.describe(arguments.quick, options.rounds, options.warmups)
    options.ceilings = described["ceilings"]
    for text in machine.summary(described):
        report.emit(text)
    if arguments.quick:
        report.emit("quick: a test that everything runs; the figures mean little")
    if not paths.peers_python():
        report.emit("no peers installed: our figures only (./tools/bench --setup-peers)")
    report.emit("")
    report.emit(report.heading())
    results = []
    options.pace = pace.Pace(not arguments.quick)
    try:
        for row in rows:
            results.append(measure.measure_row(row, options))
            report.emit("\n".join(report.row_lines(results[-1])))
            if arguments.json:
                report.write_json(arguments.json, described, results)
    finally:
        options.pace.close()
    report.print_remarks(results)
    return 0 if all(result["ours"] is not None for result in results) else 1

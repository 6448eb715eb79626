#!/usr/bin/env python3
"""Every planted fault must be caught by `tenon verify` under the name of its check, and its clean twin must pass.

Usage: planted_faults.py TENON PLUGIN_FOLDER [FAULT]...
A row: library, fault (TENON_FAULT; "" where the file itself is the fault), what verify is asked for, the check that must fail,
and, where a message matters, words of its first failure or of what is printed. No check: what stands there is allowed, and must pass.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

NEGOTIATE, FILE, ERRORS, LIFE, MEMORY, QUEUE = (
    ["--level", "L0", "--check", group + "."] for group in ("negotiate", "file", "errors", "life", "memory", "queue"))


def op(name, level="L2"):
    return ["--level", level, "--op", name, "--brief"]


def only(check, level="L3"):
    return ["--level", level, "--check", check, "--brief"]


FAULTS = [
    # the file
    ("exports", "", FILE, "file.stray_symbols"),
    ("stray_symbols", "", FILE, "file.stray_symbols"),
    ("run_path", "", FILE, "file.run_path"),
    ("needs_tenon", "", FILE, "file.needed"),
    ("executable_stack", "", FILE, "file.executable_stack"),
    ("other_manifest", "", FILE, "file.manifest_agrees"),
    # the query and its tables
    ("backend", "no_id", NEGOTIATE, "negotiate.id"),
    ("backend", "short_info", NEGOTIATE, "negotiate.tables"),
    ("backend", "table_short", NEGOTIATE, "negotiate.tables"),
    ("backend", "table_longer", NEGOTIATE, "negotiate.tables"),
    ("backend", "table_size_zero", NEGOTIATE, "negotiate.tables"),
    ("backend", "kernel_stride_wrong", NEGOTIATE, "negotiate.runtime"),
    ("backend", "stride_of_interfaces", NEGOTIATE, "negotiate.tables"),
    ("backend", "slot_missing", NEGOTIATE, "negotiate.slots"),
    ("backend", "newer_revision", NEGOTIATE, "negotiate.versions"),
    ("backend", "other_major", NEGOTIATE, "negotiate.versions"),
    ("backend", "interface_twice", NEGOTIATE, "negotiate.runtime"),
    ("backend", "query_changes", NEGOTIATE, "negotiate.constant"),
    ("backend", "query_allocates", NEGOTIATE, "negotiate.pure"),
    ("backend", "query_starts_thread", NEGOTIATE, "negotiate.pure"),
    ("backend", "query_throws", NEGOTIATE, "negotiate.open"),
    ("backend", "open_throws", NEGOTIATE, "negotiate.open"),
    ("backend", "host_size_ignored", NEGOTIATE, "negotiate.older_host"),
    ("optimizer", "op_stride_wrong", NEGOTIATE, "negotiate.tables"),
    # errors
    ("backend", "failure_touches_out", ERRORS, "errors.out_untouched"),
    ("backend", "failure_says_nothing", ERRORS, "errors.messages"),
    ("backend", "error_leaks", ERRORS, "errors.released"),
    ("backend", "allocate_throws", ERRORS, "errors.exceptions"),
    ("backend", "copy_throws", MEMORY, "memory.zero_size"),
    # life
    ("backend", "thread_stays", LIFE, "life.threads_end"),
    ("backend", "device_memory_leaks", LIFE, "life.leaks"),
    ("backend", "plan_leaks", only("life.plans", "L1"), "life.plans"),
    # memory
    ("backend", "block_misaligned", MEMORY, "memory.allocate"),
    ("backend", "block_twice", MEMORY, "memory.allocate"),
    ("backend", "alignment_no_power", NEGOTIATE, "negotiate.runtime"),
    ("backend", "too_large_granted", MEMORY, "memory.too_large"),
    ("backend", "empty_copy_fails", MEMORY, "memory.zero_size"),
    ("backend", "copy_rounds_size", MEMORY, "memory.copy"),
    ("backend", "copy_rounds_offset", MEMORY, "memory.copy"),
    ("backend", "copy_loses_last", MEMORY, "memory.copy"),
    # queues
    ("queue", "event_missed", QUEUE, "queue.event"),
    ("queue", "event_waits_for_less", QUEUE, "queue.event"),
    ("queue", "completes_early", QUEUE, "queue.completion"),
    ("queue", "wait_returns_at_once", QUEUE, "queue.completion"),
    ("queue", "timeout_ignored", QUEUE, "queue.timeout"),
    # kernels
    ("backend", "wrong_in_f64", op("add"), "op.add", "; add(f64[3,5], f64[3,5]); look at"),
    ("backend", "wrong_at_end", op("mul"), "op.mul"),
    ("backend", "nan_lost", op("maximum"), "op.maximum"),
    ("backend", "stride_ignored", op("exp"), "op.exp"),
    ("backend", "offset_ignored", op("floor"), "op.floor"),
    ("backend", "write_past_end", only("memory.guard", "L1"), "memory.guard",
     "of tanh writes 4 bytes behind output 0"),
    ("backend", "write_before_start", only("memory.guard", "L1"), "memory.guard",
     "of sin writes 4 bytes before output 0"),
    ("backend", "false_inplace", only("kernels.inplace", "L1"), "kernels.inplace",
     "with output 0 in the memory of input 0"),
    ("backend", "input_overwritten", op("sqrt"), "op.sqrt"),
    ("backend", "empty_crashes", op("sum", "L3"), "op.sum", "died of SIGSEGV; a call that returns; sum(f32[0",
     "look at the kernel: tenon --plugin "),
    ("backend", "rank_0_wrong", op("abs"), "op.abs"),
    ("backend", "cast_cuts", op("cast"), "op.cast"),
    ("backend", "sort_not_stable", op("sort"), "op.sort"),
    ("backend", "integers_saturate", ["--level", "L1", "--op", "neg"], "op.neg"),
    ("backend", "run_throws", op("erf"), "op.erf"),
    ("backend", "run_fails", op("log"), "op.log"),
    ("backend", "prepare_throws", op("expm1"), "op.expm1"),
    ("backend", "carry_lost", ["--level", "L2", "--check", "op.", "--brief"], "op.philox",
     "also fail, perhaps only because op.philox does: op.uniform (", " ops more have nothing of their own"),
    ("backend", "base_op_missing", op("philox"), "op.philox"),
    ("backend", "axis_ignored", op("cumsum", "L3"), "op.cumsum",
     "of op.cumsum\nalso fail, perhaps only because op.cumsum does: grad.cumsum ("),
    ("backend", "attributes_not_in_key", op("cumsum"), "op.cumsum",
     "axis=", "in a runtime of its own the same call is right"),
    ("backend", "duplicates_lost", op("scatter"), "op.scatter"),
    ("backend", "layer_norm_unbiased", ["--level", "L2", "--op", "layer_norm"], "op.layer_norm"),
    ("backend", "plan_keeps_dims", op("layer_norm"), "op.layer_norm",
     "in a runtime of its own the same call is right", "TN_DEPENDS_DIMS"),
    ("backend", "plan_keeps_dims_late", op("layer_norm"), "op.layer_norm",
     "in a runtime of its own the same call is right", "TN_DEPENDS_DIMS"),
    ("backend", "many_axes_wrong", op("window_reduce"), "op.window_reduce"),
    ("backend", "stride_cut", op("conv"), "op.conv"),
    ("backend", "kernel_without_name", only("kernels.declarations", "L1"), "kernels.declarations"),
    ("backend", "kernel_of_no_op", only("kernels.declarations", "L1"), "kernels.declarations"),
    ("backend", "kernel_without_prepare", NEGOTIATE, "negotiate.runtime"),
    ("backend", "not_reentrant", only("threads.kernels", "L1"), "threads.kernels"),
    # training
    ("backend", "gradient_corner_lost", op("max_pool2d", "L3"), "grad.max_pool2d"),
    ("backend", "not_deterministic", op("matmul", "L1"), "op.matmul",
     "differs when the call is repeated; the same bits each time; "),
    # programs
    ("backend", "not_reentrant", only("capture.threads", "L4"), "capture.threads", "one program in four threads at once"),
    ("backend", "region_contracts", only("capture.regions", "L4"), "capture.regions", "what its ops give one by one", "-ffp-contract=off"),
    ("backend", "region_fold_short", only("capture.regions", "L4"), "capture.regions", "a reduction, ", "what comes of its definition"),
    ("backend", "packed_cut", op("matmul", "L4"), "capture.matmul", ", captured with constants"),
    # compilers
    ("compiler", "compiler_slot_missing", NEGOTIATE, "negotiate.slots", "the slot load is NULL"),
    ("compiler", "claim_without_reason", only("compiler.claims", "L4"), "compiler.claims", "is not claimed, and no reason is given"),
    ("compiler", "claim_wavers", only("compiler.claims", "L4"), "compiler.claims", "asked again it gives other answers"),
    ("compiler", "claims_unknown", only("compiler.claims", "L4"), "compiler.claims", "is claimed as an op that nobody has",
     "is claimed as a version that nobody has"),
    ("compiler", "compiled_wrong", only("compiler.training", "L4"), "compiler.training"),
    ("compiler", "compiled_wrong", op("tanh", "L4"), "capture.tanh"),
    ("compiler", "compiled_wrong", only("compiler.graphs", "L4"), "compiler.graphs", "what the calls give", ", captured; compile the graph's nodes"),
    ("compiler", "compiled_past_end", only("compiler.results", "L4"), "compiler.results", "it writes behind the end of result 0"),
    ("compiler", "compiled_past_end", op("tanh", "L4"), "compiler.graphs", "it writes behind the end of result 0"),
    ("compiler", "compiled_changes_input", only("compiler.results", "L4"), "compiler.results", "it changes input "),
    ("compiler", "workspace_exceeded", only("compiler.results", "L4"), "compiler.results", "it writes behind the end of its workspace of 64 bytes"),
    ("compiler", "compiles_differently", only("compiler.results", "L4"), "compiler.results", "compiled"),
    ("compiler", "inplace_cleared", only("compiler.inplace", "L4"), "compiler.inplace", "in the memory of the inputs that it names"),
    ("compiler", "compatibility_empty", only("compiler.forms", "L4"), "compiler.forms", "compatibility is empty"),
    ("compiler", "compatibility_changes", only("compiler.forms", "L4"), "compiler.forms", "compatibility changes"),
    ("compiler", "load_differs", only("compiler.forms", "L4"), "compiler.forms", "saved and loaded: element"),
    ("compiler", "load_crashes", only("compiler.damaged", "L4"), "compiler.damaged", "died of SIGSEGV", "a graph of "),
    ("compiler", "load_trusts", only("compiler.damaged", "L4"), "compiler.damaged", "load takes it, and: element"),
    ("compiler", "compile_not_reentrant", only("compiler.threads", "L4"), "compiler.threads", "four threads compile graphs"),
    ("compiler", "run_not_reentrant", only("compiler.threads", "L4"), "compiler.threads", "four threads"),
    # optimizers, ops, formats
    ("optimizer", "slot_lost", only("optimizer.adam"), "optimizer.adam"),
    ("optimizer", "parameter_stays", only("optimizer.sgd"), "optimizer.sgd"),
    ("optimizer", "fused_disagrees", only("optimizer."), "optimizer.rmsprop"),
    ("optimizer", "default_out_of_range", only("optimizer."), "optimizer.adagrad"),
    ("op", "rule_reads_a_number_as_whole", only("op_rule.hard_shrink"), "op_rule.hard_shrink",
     'its rule reads attribute "lambda", an f64, as a whole number', "tn_attr_get_f64(c->v->attr(c, 0))"),
    ("op", "rule_shows_a_whole_as_number", only("op_rule.cubic"), "op_rule.cubic",
     'its rule reads attribute "times", an i64, as an f64'),
    ("op", "rule_reads_a_whole_as_number", only("op_rule.cubic"), "op_rule.cubic",
     'its rule reads attribute "times", an i64, as an f64', "c->v->attr(c, 0)->bits"),
    ("op", "rule_reads_sizes", only("op_rule.hard_shrink"), "op_rule.hard_shrink"),
    ("op", "value_wrong_in_f16", only("op_value.hard_shrink"), "op_value.hard_shrink"),
    ("op", "value_wrong_in_f64", only("op_value.hard_shrink"), "op_value.hard_shrink", "what f32, f16, bf16 agree on"),
    ("op", "value_in_bf16", op("hard_shrink", "L3"), "op_value.hard_shrink", "it computes with those of bf16",
     "perhaps only because op_value.hard_shrink does: op_gradient.hard_shrink"),
    ("op", "input_in_f16", only("op_value.hard_shrink"), "op_value.hard_shrink", "it computes with those of f16"),
    ("op", "value_in_f32", only("op_value.hard_shrink"), "op_value.hard_shrink", "it computes with those of f32"),
    ("op", "value_in_even_steps", only("op_value.cubic"), ""),
    ("op", "attribute_renamed", op("hard_shrink", "L3"), "op_rule.hard_shrink",
     'hard_shrink, sample 1: there is no attribute "lambda"; nearest lambd', "must follow where a name changes",
     ", 0 expected to fail, 1 failed"),
    ("op", "rule_crashes", op("hard_shrink", "L3"), "op_rule.hard_shrink", "died of SIGABRT",
     "perhaps only because op_rule.hard_shrink does: op_value.hard_shrink (1), op_gradient.hard_shrink (1), op_gradient2.hard_shrink (1)"),
    ("op", "rule_starts_process", only("op_rule.hard_shrink"), ""),  # what lives on keeps nobody waiting
    ("op", "rule_writes_elsewhere", op("hard_shrink", "L3"), "op_rule.hard_shrink",
     "writes to descriptors that are not its own", "perhaps only because op_rule.hard_shrink does: op_value.hard_shrink (1)"),
    ("op", "gradient_crashes", only("op_gradient.hard_shrink"), "op_gradient.hard_shrink", "died of SIGABRT",
     "given:    hard_shrink(f64[3,4])"),
    ("op", "gradient_of_bias_missing", op("scaled_add", "L3"), "op_gradient.scaled_add",
     'the gradient of input "bias" is missing, or 0 everywhere', "r.set(1, ...)"),
    ("op", "gradient_through_a_rounding", only("op_gradient2.cubic"), "op_gradient2.cubic",
     "the gradient of the gradient is 0, being 0 everywhere"),
    ("op", "gradient_through_a_rounding", only("op_gradient.cubic"), ""),
    ("op", "gradient_wrong_below_zero", only("op_gradient.hard_shrink"), "op_gradient.hard_shrink"),
    ("op", "gradient_missing", only("op_gradient.hard_shrink"), "op_gradient.hard_shrink",
     'the gradient of input "x" is missing, or 0 everywhere'),
    ("op", "accepts_nothing", op("hard_shrink"), "op_value.hard_shrink"),
    ("op", "decomposition_missing", op("hard_shrink"), "op_value.hard_shrink"),
    ("op", "gradient_ignores_attribute", only("op_gradient.hard_shrink"), "op_gradient.hard_shrink"),
    ("op", "value_wrong_everywhere", only("op_value.hard_shrink"), "op_value.hard_shrink"),
    ("op", "attribute_ignored", only("op_value.scaled_add"), "op_value.scaled_add"),
    ("op", "value_is_no_number", only("op_value.scaled_add"), "op_value.scaled_add"),
    ("op", "attribute_missing", only("op_value.hard_shrink"), "op_value.hard_shrink"),
    ("op", "attribute_of_another_type", only("op_value.hard_shrink"), "op_value.hard_shrink"),
    ("op", "attribute_key_wrong", only("op_declaration", "L1"), "op_declaration"),
    ("op", "rule_attribute_missing", only("op_rule.hard_shrink"), "op_rule.hard_shrink"),
    ("op", "input_missing", only("op_value.hard_shrink"), "op_value.hard_shrink"),
    ("op", "result_missing", only("op_value.hard_shrink"), "op_value.hard_shrink"),
    ("op", "absent_input_used", op("scaled_add"), "op_value.scaled_add"),
    ("op", "gradient_not_summed", op("scaled_add", "L3"), "op_gradient.scaled_add"),
    ("taken", "", only("optimizer."), "optimizer.adagrad"),
    ("own_optimizer", "momentum_from_its_neighbour", only("optimizer."), "optimizer.momentum_of_mine"),
    ("own_optimizer", "wrong_in_f64", only("optimizer."), "optimizer.momentum_of_mine",
     " in f64; ", "as in f32, f16 and bf16", "look for what the update does in f64 only"),
    ("own_optimizer", "option_renamed", only("optimizer."), "optimizer.momentum_of_mine",
     'momentum_of_mine, sample 1: there is no hyper-parameter "lr"', "one of rate, momentum, decay", ", 0 expected to fail, 1 failed"),
    ("own_optimizer", "rate_is_double", only("optimizer."), "optimizer.momentum_of_mine"),
    ("own_optimizer", "decay_is_no_number", only("optimizer."), "optimizer.momentum_of_mine"),
    ("format", "truncation_accepted", only("format."), "format.truncation"),
    ("format", "damage_crashes", only("format."), "format.mutation"),
    ("format", "limits_ignored", only("format."), "format.limits"),
    ("format", "metadata_lost", only("format."), "format.round_trip", "expected: \"\"\n"),
    ("format", "dims_lost", only("format."), "format.round_trip"),
    ("format", "tensors_swapped", only("format."), "format.round_trip"),
    ("format", "last_not_saved", only("format."), "format.round_trip"),
    ("format", "many_are_too_many", only("format."), "format.round_trip"),
    ("format", "long_metadata_cut", only("format."), "format.round_trip"),
    ("format", "missing_file_touches_out", ERRORS, "errors.out_untouched"),
    ("format", "metadata_refused", only("format."), "", "unsupported  format.round_trip: metadata; there is no place for metadata\n"),
    ("format", "few_dtypes", only("format."), "",
     "unsupported  format.round_trip: 12 dtypes (bf16 bool f16 f64 i16 i32 i64 i8 u16 u32 u64 u8), f32[0,4]; it has f32 only\n",
     "only format.*, in "),
    ("format", "probe_always_sure", only("format."), "format.probe"),
    ("format", "probe_claims_any_bytes", only("format."), "format.probe"),
    ("format", "probe_claims_less_of_any", only("format."), "format.probe", "64 of 64 heads"),
    ("format", "probe_looks_for_a_brace", only("format."), "format.probe", "for the head of a NumPy file"),
    ("format", "name_twice_accepted", only("format."), "format.names"),
    ("format", "damage_is_bad_argument", only("format."), "format.mutation", "refused with INVALID_ARGUMENT", "DATA_LOSS or OUT_OF_RANGE"),
    ("format", "cut_is_io", only("format."), "format.truncation", "it is refused with IO: ", "; DATA_LOSS; "),
    ("format", "save_in_place", only("format."), "format.failed_save", "that are not the same"),
    ("format", "save_full_says_nothing", only("format."), "format.failed_save", "save gives no error"),
]
# The file itself is the fault: their twin is the library that differs in nothing else.
TWIN = dict.fromkeys(("exports", "stray_symbols", "run_path", "needs_tenon", "executable_stack", "other_manifest"), "backend")
TWIN["taken"] = "own_optimizer"


def verify(tenon, folder, library, fault, what):
    """(exit status, {check: first failure}, number of cases, standard error, what was printed)"""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TENON_")}
    if fault:
        env["TENON_FAULT"] = fault
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        run = subprocess.run([tenon, "verify", folder / f"tenon_faulty_{library}.so", *what, "--json", out.name],
                             env=env, capture_output=True, text=True, timeout=300)
        if run.returncode not in (0, 1):
            return run.returncode, {}, 0, run.stderr, ""
        cases = json.load(open(out.name))["cases"]
    failed = {}
    for c in cases:
        if c["result"] == "fail":
            failed.setdefault(c["check"], "; ".join(c[k] for k in ("found", "expected", "given", "advice") if k in c))
            if c["check"].startswith("op.") and "died" in c["found"] and not c["where"]:
                failed = {"a death without its place": c["check"]}
                break
    for case in cases:
        advice = case.get("advice", "")
        if "tenon --plugin" in advice:  # a command to be pasted
            words = shlex.split(advice[advice.index("tenon --plugin"):])
            done = subprocess.run([tenon, *words[1:]], capture_output=True, text=True, timeout=60)
            if done.returncode != 0 or done.stderr:
                failed = {"an advice that fails": f"{advice}: {done.stderr}"}
            break
    return run.returncode, failed, len(cases), run.stderr, run.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tenon")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("faults", nargs="*")
    args = parser.parse_args()
    rows = [r for r in FAULTS if not args.faults or r[1] in args.faults or r[0] in args.faults]
    if not rows:
        sys.exit(f"planted_faults: no such fault: {' '.join(args.faults)}")
    twins = sorted({(TWIN.get(library, library), tuple(what)) for library, _, what, *_ in rows})
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        caught = list(pool.map(lambda r: verify(args.tenon, args.folder, r[0], r[1], r[2]), rows))
        clean = list(pool.map(lambda t: verify(args.tenon, args.folder, t[0], "", list(t[1])), twins))
    for (library, fault, _, check, *words), (status, failed, _, error, printed) in zip(rows, caught):
        if check:
            good = status == 1 and check in failed
        else:
            good = status == 0 and not failed
        good = good and all(w in failed.get(check, "") or w in printed for w in words)
        bad += not good
        others = failed.get(check) or ", ".join(sorted(failed)) or error.strip() or "nothing"
        print(f"{'MISSED' if not good else 'caught' if check else 'clean '}  {library:16} {fault:26} {check:26} "
              f"{failed.get(check, '')[:90] if good else 'instead: ' + others[:200]}")
    for (library, what), (status, failed, cases, error, _) in zip(twins, clean):
        good = status == 0 and not failed and cases > 0
        bad += not good
        print(f"{'clean ' if good else 'FAULTY'}  {library:16} {' '.join(what)} "
              f"{f'{cases} cases' if good else error.strip() or failed or 'no case ran'}")
    print(f"{len(rows)} faults, {len(twins)} twins, {bad} of them not as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

// What a run of a program costs, by counting.
#include <cmath>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "op/recorder.hpp"
#include "op/runtime.hpp"
#include "program.hpp"

namespace tenon {
std::string program_cost(tn_ctx* ctx, tn_program& captured, tn_tensor* const* arguments) {
  check_arguments(ctx, captured, arguments);
  tn_program& p = for_dtypes(ctx, captured, arguments);
  for (size_t i = 0; i < p.arguments.size(); ++i) need_elements(arguments[i], "tn_program_cost");
  if (p.device->holds_values())
    fail(TN_UNIMPLEMENTED, "tn_program_cost: {} runs programs as a whole, without steps to count",
         p.device->name);
  const std::shared_ptr<Specialised> of = specialise(ctx, p, arguments);
  const std::unique_ptr<Instance> instance = make_instance(ctx, p, *of);
  const Program& made = *instance->program;
  std::string text = fmt::format("{{\"program\": {}, \"device\": {}, \"steps\": [",
                                 json_string(p.name), json_string(p.device->name));
  double flops = 0;
  uint64_t bytes = 0;
  for (size_t k = 0; k < made.steps.size(); ++k) {
    const size_t first = made.steps[k].first_arg;
    const size_t end = k + 1 < made.steps.size() ? made.steps[k + 1].first_arg : made.args.size();
    const std::string_view op = view_of(made.plans[k]->kernel->op);
    std::string args;
    uint64_t moved = 0;
    for (size_t i = first; i < end; ++i) {
      const tn_view& v = *made.args[i];
      const bool absent = v.flags & TN_VIEW_ABSENT;
      args += fmt::format("{}{}", args.empty() ? "" : ", ",
                          absent ? "null" : json_string(shape_text(v)));
      if (!absent) moved += tn_dtype_bytes(v.dtype, static_cast<uint64_t>(v.count));
    }
    std::vector<const tn_view*> whole(made.args.begin() + static_cast<long>(first),
                                      made.args.begin() + static_cast<long>(end));
    tn_view unpacked;
    for (const PackedArg& x : made.packed)
      if (x.arg >= first && x.arg < end) whole[x.arg - first] = &(unpacked = view_of(x.whole));
    const double flop =
        flop_of(op, whole.data(), end - first - 1 - (made.plans[k]->plan.workspace_bytes > 0));
    if (flop == flop) flops += flop;
    bytes += moved;
    text += fmt::format(
        "{}\n  {{\"op\": {}, \"kernel\": {}, \"args\": [{}], \"bytes\": {}, \"flop\": {}}}",
        k ? "," : "", json_string(op), json_string(view_of(made.plans[k]->kernel->name)), args,
        moved, flop == flop ? std::to_string(static_cast<uint64_t>(flop)) : "null");
  }
  uint64_t results = 0, constants = 0, derived = 0;
  for (const OutputBuffer& b : made.buffers) results += b.bytes;
  for (const tn_tensor* t : of->constants.made)
    constants += tn_dtype_bytes(t->view.dtype, static_cast<uint64_t>(t->view.count));
  for (int r : of->derived.graph.results) {
    const Shape& s = value_of(of->derived.graph, r).shape;
    derived += tn_dtype_bytes(s.dtype, static_cast<uint64_t>(s.count()));
  }
  std::string notes;
  for (const std::string& note : of->notes)
    notes += (notes.empty() ? "" : ", ") + json_string(note);
  return text + fmt::format(
                    "],\n \"bytes\": {}, \"flop\": {}, \"arena_bytes\": {}, "
                    "\"memory_budget\": {}, \"recomputed_steps\": {}, \"recomputed_flop\": {}, "
                    "\"result_bytes\": {}, \"constant_bytes\": {}, \"derived_bytes\": {}, "
                    "\"not_compiled\": [{}]}}\n",
                    bytes, static_cast<uint64_t>(flops), made.arena_bytes, p.memory_budget,
                    of->recomputed.nodes, static_cast<uint64_t>(of->recomputed.flop), results,
                    constants, derived, notes);
}

}  // namespace tenon

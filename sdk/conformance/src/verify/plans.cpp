// What plans keep: every op once or more in a runtime that is then released, and the process's memory does not grow.
#include <malloc.h>

#include <algorithm>
#include <cstdint>

#include "runner.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

// One call, in the first dtype that the op and the device have in common.
void call_once(Session& session, const OpSamples& op) {
  for (const Case& c : op.cases) {
    if (c.refusal != TN_OK) continue;
    for (const tn_dtype dtype : dtypes_of(op, c, true)) {
      try {
        return call_case(session, op, c, dtype, Layout::contiguous);
      } catch (const Fault&) {  // values and refusals are judged elsewhere
        session.recover();
      }
    }
  }
}

void live(const Profile& p, const std::vector<const OpSamples*>& ops) {
  const RuntimeOwner runtime = make_runtime(p.path);
  Session session(runtime.get(), p.devices.front().name);
  for (const OpSamples* op : ops) call_once(session, *op);
}

int64_t heap() {
  const auto m = mallinfo2();
  return static_cast<int64_t>(m.uordblks + m.hblkhd);
}

// Bytes that a runtime leaves behind, the median of `rounds`; 0 as soon as five have left none. A leak shows in nearly every round;
// what the allocator keeps for its threads, which counts as in use, shows now and then.
int64_t growth(const Profile& p, const std::vector<const OpSamples*>& ops, size_t rounds) {
  constexpr int64_t kSmallest = 16;  // what one block of the allocator takes at least
  live(p, ops);
  std::vector<int64_t> left;
  for (int none = 0; left.size() < rounds;) {
    const int64_t before = heap();
    live(p, ops);
    left.push_back(heap() - before);
    none += left.back() < kSmallest ? 1 : 0;
    if (none == 5) return 0;
  }
  std::nth_element(left.begin(), left.begin() + left.size() / 2, left.end());
  const int64_t median = left[left.size() / 2];
  return median < kSmallest ? 0 : median;
}

void check_plans(const Profile& p, Reporter& r) {
  std::vector<const OpSamples*> all;
  for (const OpSamples& op : catalogue().ops()) all.push_back(&op);
  const int64_t grown = growth(p, all, 40);
  if (grown == 0) return r.pass();
  for (const OpSamples* op : all)
    if (const int64_t bytes = growth(p, {op}, 20))
      r.fail(std::to_string(bytes) + " bytes are left by each runtime that calls " + op->name,
             "that release of a plan frees all that prepare and run made", op->name);
  if (r.count() == 0) r.pass();
}

}  // namespace

const std::vector<Check> kPlanChecks = {
    {"life.plans", 1, Kind::backend, "a released runtime takes all memory of its plans along",
     "free in tn_plan.release what prepare and run allocated", check_plans, 300},
};

}  // namespace tenon::conformance

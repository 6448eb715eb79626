// A step of training fails at each of its kernels in turn. Every variable and every slot of the optimizer then has its old value, bit for
// bit, or is lost and says so, until something is assigned to it: never a mix of old and new.
#include <algorithm>
#include <functional>
#include <map>

#include "failing_device.hpp"
#include "small_training.hpp"

using namespace tenon::test;

namespace {

struct Value {
  Outcome outcome{nullptr};  // of reading it
  tn_dtype dtype = TN_DTYPE_NONE;
  std::vector<int64_t> dims;
  std::vector<char> bytes;
};
using State = std::map<std::string, Value>;

// All that a step changes, as far as it can be read.
State read(tn_ctx* cx, const SmallTraining& t) {
  State state;
  const auto add = [&](const tn_str& name, tn_error* error, tn_tensor* taken) {
    const Tensor owned(taken);
    Value v;
    v.outcome = Outcome(error);
    if (taken) {
      v.dtype = tn_tensor_dtype(taken);
      v.dims.assign(tn_tensor_dims(taken), tn_tensor_dims(taken) + tn_tensor_rank(taken));
      v.bytes.resize(tn_tensor_bytes(taken));
      v.outcome = Outcome(tn_tensor_read(cx, taken, v.bytes.data(), v.bytes.size()));
    }
    CHECK(state.emplace(std::string(name.data, name.size), std::move(v)).second);
  };
  for (tn_variable* v : t.variables()) {
    tn_tensor* value = nullptr;
    tn_error* e = tn_variable_take(cx, v, &value);
    add(tn_variable_name(v), e, value);
  }
  uint32_t count = 0;
  REQUIRE_OK(tn_optimizer_state_count(t.optimizer(), &count));
  static std::vector<std::string> names;  // as they were when all could be read
  names.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    tn_str name{};
    tn_tensor* value = nullptr;
    tn_error* e = tn_optimizer_state_take(cx, t.optimizer(), i, &name, &value);
    if (!e) names[i].assign(name.data, name.size);
    add({names[i].data(), names[i].size()}, e, value);
  }
  return state;
}

void assign(tn_ctx* cx, SmallTraining& t, const std::string& name, const Value& v) {
  tn_tensor* made = nullptr;
  REQUIRE_OK(tn_tensor_from_host(cx, v.dtype, static_cast<uint32_t>(v.dims.size()), v.dims.data(),
                                 v.bytes.data(), v.bytes.size(), &made));
  const Tensor owned(made);
  for (tn_variable* x : t.variables()) {
    const tn_str n = tn_variable_name(x);
    if (name == std::string_view(n.data, n.size)) {
      REQUIRE_OK(tn_variable_assign(cx, x, made));
      return;
    }
  }
  REQUIRE_OK(tn_optimizer_state_set(cx, t.optimizer(), {name.data(), name.size()}, made));
}

bool same(const State& a, const State& b) {
  return a.size() == b.size() && std::ranges::all_of(a, [&](const auto& item) {
           return item.second.outcome.code == TN_OK && item.second.bytes == b.at(item.first).bytes;
         });
}

struct Case {
  const char* optimizer;
  bool captured, late;
};

// Two steps go well; of a third, run n of a kernel fails. Gives how many values were lost; -1: the step has no run n.
int64_t fail_at(Session& s, const Case& c, int64_t n) {
  CAPTURE(n);
  SmallTraining t(s, NetworkSize{}, c.optimizer, c.captured);
  REQUIRE(t.trouble() == "");
  REQUIRE_OK(t.step());
  REQUIRE_OK(t.step());
  const State before = read(s, t);
  failing::fails_late = c.late;
  failing::runs = 0;
  failing::fails_at = n;
  tn_error* e = t.step();
  failing::fails_at = 0;
  if (!e) return -1;
  CHECK_FAILS(e, TN_DEVICE_FAILED, "failing: this run fails");
  int64_t lost = 0;
  for (const auto& [name, now] : read(s, t)) {
    CAPTURE(name);
    INFO(now.outcome.message);
    const auto says = [&text = now.outcome.message](const std::string& what) {
      return text.find(what) != std::string::npos;
    };
    if (now.outcome.code == TN_OK) {
      CHECK(now.bytes == before.at(name).bytes);
      continue;
    }
    ++lost;
    CHECK(now.outcome.code == TN_DEVICE_FAILED);
    CHECK(says("\"" + name + "\" is lost"));
    CHECK(says(c.captured ? "program \"step\"" : c.optimizer));
    CHECK(says("failing: this run fails"));
    CHECK(says("load a checkpoint"));
  }
  if (lost) CHECK_FAILS(t.step(), TN_DEVICE_FAILED, "is lost");
  // With what was lost assigned again, it is as if nothing had happened.
  for (const auto& [name, now] : read(s, t))
    if (now.outcome.code != TN_OK) assign(s, t, name, before.at(name));
  CHECK(same(before, read(s, t)));
  SmallTraining other(s, NetworkSize{}, c.optimizer, c.captured);
  for (int i = 0; i < 3; ++i) REQUIRE_OK(other.step());
  REQUIRE_OK(t.step());
  CHECK(same(read(s, other), read(s, t)));
  return lost;
}

void fail_everywhere(const Case& c) {
  CAPTURE(c.optimizer);
  CAPTURE(c.captured);
  CAPTURE(c.late);
  Session s(failing::make_runtime());
  int64_t runs = 0, most = 0;
  for (int64_t lost = 0; (lost = fail_at(s, c, runs + 1)) >= 0; runs += EVERY)
    most = std::max(most, lost);
  MESSAGE(runs << " runs of kernels, at most " << most << " values lost");
  CHECK(runs > 20);
  // Where the update is one kernel over everything, its failure takes the four variables with it, which in a step of calls the tape
  // still holds, and their slots.
  const int64_t slots = c.optimizer == std::string("adam") ? 8 : 4;
  if (FUSED_STEP) CHECK(most == slots + (c.captured ? 4 : 0));
}

}  // namespace

TEST_CASE("lost values: a step that fails at each kernel in turn") {
  for (const char* optimizer : {"sgd", "adam"})
    for (const bool captured : {false, true}) fail_everywhere({optimizer, captured, false});
}

#if INLINE_DEVICE  // what a queue was given cannot be taken back
TEST_CASE("lost values: a step that fails when its kernel has written everything") {
  for (const char* optimizer : {"sgd", "adam"})
    for (const bool captured : {false, true}) fail_everywhere({optimizer, captured, true});
}
#endif

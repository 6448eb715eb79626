// Every sample of every op, as units: values, gradients, second order, and their times.
#include <algorithm>
#include <chrono>

#include "runner.hpp"
#include "worker.hpp"

namespace tenon::conformance {

RuntimeOwner make_runtime(const std::string& plugin) {
  const tn_str path = {plugin.data(), plugin.size()};
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &path;
  desc.plugin_path_count = 1;
  desc.trust = TN_TRUST_ANY;  // whoever verifies a file has decided to run it
  desc.thread_count = 2;
  tn_runtime* runtime = nullptr;
  check(tn_runtime_create(&desc, &runtime));
  RuntimeOwner owner(runtime);
  if (tn_error* error = tn_plugin_load(runtime, path)) {
    const std::string text = tn_error_message(error);
    tn_error_release(error);
    throw Wrong("libtenon refuses it: " + text, "that it is loaded");
  }
  return owner;
}

tn_runtime* Worker::get_runtime() {
  if (!runtime) runtime = make_runtime(plugin);
  return runtime.get();
}
Session& Worker::get_session() {
  if (!session) session = std::make_unique<Session>(get_runtime(), device);
  return *session;
}
Session& Worker::get_watched() {
  if (!interposed) interposed = std::make_unique<Interposed>(plugin);
  if (!watched) watched = std::make_unique<Session>(interposed->runtime(), "verified:0");
  return *watched;
}
void Worker::close() {
  watched.reset();
  interposed.reset();
  session.reset();
  runtime.reset();
}

std::shared_ptr<Worker> make_worker(const Profile& profile, const std::string& device) {
  auto w = std::make_shared<Worker>();
  w->plugin = profile.path, w->device = device;
  return w;
}
void close_worker(Worker& worker) { worker.close(); }

double time_of(Session& session, tn_op op, const std::vector<tn_tensor*>& inputs,
               const Attrs& attrs) {
  using Clock = std::chrono::steady_clock;
  const auto calls = [&](int n) {
    const auto start = Clock::now();
    for (int k = 0; k < n; ++k) session.call(op, inputs, attrs);
    check(tn_ctx_synchronize(session.ctx(), TN_FOREVER));
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  calls(1);
  const double once = calls(1);
  const int n = static_cast<int>(std::clamp(20 / std::max(once, 1e-4), 1.0, 20000.0));
  double best = once;
  for (int round = 0; round < 3; ++round) best = std::min(best, calls(n) / n);
  return best;
}

namespace {

// Of one op's cases, with the reporter's books on whether a base op runs at all.
class Collector {
 public:
  explicit Collector(Reporter& reporter) : reporter_(reporter) {}

  void operator()(const Result& r) {
    CheckResult c;
    c.where = place_of(r);
    c.verdict = r.verdict;
    c.found = r.why;
    if (r.verdict == Verdict::fail) c.expected = "what the oracle in double precision says";
    c.op = r.op, c.dtype = r.dtype, c.native = r.native;
    c.gradient = r.level != conformance::Level::forward;
    if (r.verdict == Verdict::pass) passed_.push_back(r.dtype);
    if (r.verdict == Verdict::unsupported) declined_ = r.why;
    reporter_.add(std::move(c));
  }
  bool passed(const std::string& dtype) const {
    return std::find(passed_.begin(), passed_.end(), dtype) != passed_.end();
  }
  const std::string& declined() const { return declined_; }

 private:
  Reporter& reporter_;
  std::vector<std::string> passed_;
  std::string declined_;
};

constexpr const char* kBaseAdvice =
    "add a kernel: a backend must have every base op, in f32 (or the first dtype of the op) at "
    "least";

void forward_unit(Session& session, const OpSamples& op, bool base, bool brief, Reporter& r) {
  Collector collect(r);
  run_forward(session, op, brief, [&](const Result& result) { collect(result); });
  if (!base) return;
  const auto& types = op.dtypes;
  const bool f32 = std::find(types.begin(), types.end(), TN_DTYPE_F32) != types.end();
  const tn_dtype main = f32 ? TN_DTYPE_F32 : types[0];
  const std::string name = main == TN_DTYPE_NONE ? "" : name_of(main);
  if (collect.passed(name) || collect.declined().empty()) return;
  CheckResult c;
  c.verdict = Verdict::fail, c.op = op.name, c.dtype = name;
  c.found = "no case of this base op runs in " + name + ": " + collect.declined();
  c.expected = "a kernel for it", c.advice = kBaseAdvice;
  r.add(std::move(c));
}

void gradient_unit(Session& session, const OpSamples& op, bool brief, Reporter& r) {
  Collector collect(r);
  run_gradients(session, op, brief, [&](const Result& result) { collect(result); });
}

void second_unit(Session& session, const OpSamples& op, bool brief, Reporter& r) {
  Collector collect(r);
  run_second_order(session, op, brief, [&](const Result& result) { collect(result); });
}

void perf_unit(Session& session, const OpSamples& op, Reporter& r) {
  tn_ctx_set_grad_mode(session.ctx(), 0);
  for (const Case& c : op.cases) {
    if (c.refusal != TN_OK || c.may_clamp) continue;
    const std::vector<tn_dtype> types = dtypes_of(op, c, true);
    const bool f32 = std::find(types.begin(), types.end(), TN_DTYPE_F32) != types.end();
    const tn_dtype dtype = f32 ? TN_DTYPE_F32 : types[0];
    const std::string where = c.name + (dtype == TN_DTYPE_NONE ? "" : " " + name_of(dtype));
    r.attempt(where, [&] {
      const Inputs inputs(session, inputs_of(op, c, dtype), Layout::contiguous);
      CheckResult result;
      result.where = where;
      try {
        result.milliseconds = time_of(session, op.op, inputs.in, c.attrs);
        result.native = session.native(op.op, inputs.in, c.attrs);
      } catch (const Fault& fault) {
        session.recover();
        if (fault.code() != TN_UNIMPLEMENTED) throw;
        throw Unsupported(fault.what());
      }
      r.add(std::move(result));
    });
  }
}

constexpr const char* kForwardAdvice =
    "look at the kernel that `tenon explain OP` names; with --op only this op is run";
constexpr const char* kGradientAdvice =
    "look at the gradient recipe, or, where op.* also fails, at the kernels it uses";

}  // namespace

const std::vector<Check> kOpChecks = {
    {"op.NAME", 1, Kind::backend,
     "values of the op's samples in each dtype and layout (L1: base ops, L2: all)", kForwardAdvice,
     nullptr},
    {"grad.NAME", 3, Kind::backend, "its gradient against finite differences", kGradientAdvice,
     nullptr},
    {"grad2.NAME", 3, Kind::backend, "the gradient of its gradient", kGradientAdvice, nullptr},
    {"perf.NAME", 3, Kind::backend, "with --perf: the time of a call", "", nullptr},
};

std::vector<Unit> op_units(const Profile&, const VerifyOptions& options, int level,
                           const std::shared_ptr<Worker>& worker, const OpFacts& facts) {
  std::vector<Unit> units;
  for (const OpSamples& op : catalogue().ops()) {
    if (!options.op.empty() && op.name != options.op) continue;
    const auto fact = facts.find(op.name);
    if (fact == facts.end()) continue;
    const bool base = fact->second.base, brief = options.brief;
    const auto add = [&](const char* group, int at, const char* advice, auto body) {
      if (at > level) return;
      Unit u;
      u.check = group + op.name, u.level = at, u.advice = advice, u.alone = false;
      u.body = [worker, body](Reporter& r) { body(worker->get_session(), r); };
      units.push_back(std::move(u));
    };
    add("op.", base ? 1 : 2, kForwardAdvice,
        [&op, base, brief](Session& s, Reporter& r) { forward_unit(s, op, base, brief, r); });
    if (fact->second.differentiable) {
      add("grad.", 3, kGradientAdvice,
          [&op, brief](Session& s, Reporter& r) { gradient_unit(s, op, brief, r); });
      add("grad2.", 3, kGradientAdvice,
          [&op, brief](Session& s, Reporter& r) { second_unit(s, op, brief, r); });
    }
    if (options.perf) add("perf.", 3, "", [&op](Session& s, Reporter& r) { perf_unit(s, op, r); });
  }
  return units;
}

}  // namespace tenon::conformance

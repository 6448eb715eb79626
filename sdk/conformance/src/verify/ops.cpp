// Every sample of every op, as units: values, gradients, second order, and their times.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "elf.hpp"
#include "plugin.hpp"
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

namespace {

// The ops of the kernels of each name, of the first device.
std::map<std::string, std::set<std::string>> ops_of_kernels(const std::string& path) {
  std::map<std::string, std::set<std::string>> of;
  const Library library(path);
  const tn_kernels_vtbl* table = library.kernels();
  if (!table) return of;
  SimulatedHost host;
  OpenPlugin plugin(library, host);
  const OpenDevice device(plugin, 0);
  const tn_kernel* list = nullptr;
  uint32_t count = 0;
  device.ok("list", call("list", [&] { return table->list(device.handle, &list, &count); }));
  for (uint32_t k = 0; k < count; ++k) {
    const tn_kernel& kernel = *entry(list, table->kernel_stride, k);
    of[text_of(kernel.name)].insert(text_of(kernel.op));
  }
  return of;
}

}  // namespace

std::vector<std::string> Worker::ops_of(const std::function<void()>& body) {
  const std::string file = Scratch::path() + "/trace." + std::to_string(getpid());
  check(tn_profile_start(get_runtime(), 200000));
  body();
  check(tn_profile_stop(get_runtime(), {file.data(), file.size()}));
  const std::map<std::string, std::set<std::string>> of = ops_of_kernels(plugin);
  std::set<std::string> ops;
  const auto trace = nlohmann::json::parse(read_file(file));
  for (const auto& event : trace.at("traceEvents")) {
    if (event.value("cat", "") != "kernel") continue;
    const auto found = of.find(event.value("name", ""));
    if (found != of.end()) ops.insert(found->second.begin(), found->second.end());
  }
  return {ops.begin(), ops.end()};
}

std::shared_ptr<Worker> make_worker(const Profile& profile, const std::string& given,
                                    const std::string& device) {
  auto w = std::make_shared<Worker>();
  w->plugin = profile.path, w->given = given, w->device = device;
  return w;
}

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

constexpr const char* kStaleAdvice =
    "a plan kept something of an earlier call: say TN_DEPENDS_DIMS in tn_kernel.depends where "
    "prepare keeps dims or strides (TN_DEPENDS_LAYOUT: layouts, TN_DEPENDS_ATTRS: attributes), or "
    "read them in run";

// As a shell takes it.
std::string quoted(const std::string& word) {
  if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                             "/._-+=:,@%") == std::string::npos)
    return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string explain_command(const Worker& worker, const std::string& op, const std::string& dtype) {
  return "tenon --plugin " + quoted(worker.given) + " explain " + op + " --device " +
         quoted(worker.device) + (dtype.empty() ? "" : " --dtype " + dtype);
}

// Of one op's cases, with the reporter's books on whether a base op runs at all.
class Collector {
 public:
  Collector(Worker& worker, const OpSamples& op, bool brief, Reporter& reporter)
      : worker_(worker), op_(op), brief_(brief), reporter_(reporter) {}

  void operator()(const Result& r) {
    CheckResult c;
    c.where = place_of(r);
    c.verdict = r.verdict;
    c.found = r.why;
    c.op = r.op, c.dtype = r.dtype, c.native = r.native;
    c.gradient = r.level == conformance::Level::grad || r.level == conformance::Level::grad2;
    if (r.verdict == Verdict::pass) passed_.push_back(r.dtype);
    if (r.verdict == Verdict::unsupported) declined_ = r.why;
    if (r.verdict != Verdict::pass) c.given = r.call;
    if (r.verdict == Verdict::fail) describe(r, c);
    reporter_.add(std::move(c));
  }
  bool passed(const std::string& dtype) const {
    return std::find(passed_.begin(), passed_.end(), dtype) != passed_.end();
  }
  const std::string& declined() const { return declined_; }
  bool failed() const { return failures_ > 0; }

 private:
  void describe(const Result& r, CheckResult& c) {
    ++failures_;
    c.expected = r.expected;
    if (r.level == conformance::Level::captured) {
      c.advice = "the calls are right or fail in op." + r.op +
                 "; of the program, TENON_DUMP=FOLDER shows what it became. Look at what only "
                 "programs do: outputs in the memory of inputs, regions, results reused; of the op "
                 "itself: " +
                 explain_command(worker_, r.op, r.dtype);
      return;
    }
    c.advice = (c.gradient ? "look at the gradient recipe, and at the kernels that it uses; of "
                             "the op itself: "
                           : "look at the kernel: ") +
               explain_command(worker_, r.op, r.dtype);
    if (r.expected != kOracleSays || !again(r)) return;
    c.found += "; in a runtime of its own the same call is right";
    c.advice = kStaleAdvice;
  }
  // Whether it is a failure to be tried again, and stale. The first of each sample are tried, while that takes no longer than kPatience.
  bool again(const Result& r) {
    using Clock = std::chrono::steady_clock;
    if (spent_ > kPatience || ++tried_[r.sample] > kMostAgain) return false;
    const auto start = Clock::now();
    const bool stale = is_stale(r);
    spent_ += std::chrono::duration<double>(Clock::now() - start).count();
    return stale;
  }
  // Wrong again where it was, and right where nothing ran before it.
  bool is_stale(const Result& r) {
    try {
      const RuntimeOwner runtime = make_runtime(worker_.plugin);
      Session fresh(runtime.get(), worker_.device);
      for (int round = 0; round < 2; ++round)
        if (verdict_of(fresh, r) != Verdict::pass ||
            verdict_of(worker_.get_session(), r) != Verdict::fail)
          return false;
      return true;
    } catch (const std::exception&) {  // then there is nothing to say of it
      return false;
    }
  }
  Verdict verdict_of(Session& session, const Result& r) {
    Verdict verdict = Verdict::unsupported;
    run_again(session, op_, brief_, r, [&](const Result& again) { verdict = again.verdict; });
    return verdict;
  }

  static constexpr int kMostAgain = 2;
  static constexpr double kPatience = 5;  // seconds
  Worker& worker_;
  const OpSamples& op_;
  const bool brief_;
  Reporter& reporter_;
  std::vector<std::string> passed_;
  std::string declined_;
  int failures_ = 0;
  std::map<std::string, int> tried_;  // by sample
  double spent_ = 0;
};

constexpr const char* kBaseAdvice =
    "add a kernel: a backend must have every base op, in f32 (or the first dtype of the op) at "
    "least";

using RunSamples = std::function<void(Session&, const OpSamples&, bool brief, const Record&)>;

// All samples; where one fails, once more with books on which ops' kernels run.
Collector collected(Worker& w, const OpSamples& op, bool brief, Reporter& r,
                    const RunSamples& run) {
  Collector collect(w, op, brief, r);
  run(w.get_session(), op, brief, [&](const Result& result) { collect(result); });
  if (!collect.failed()) return collect;
  std::vector<std::string> uses =
      w.ops_of([&] { run(w.get_session(), op, true, [](const Result&) {}); });
  std::erase(uses, op.name);
  r.note_uses(uses);
  return collect;
}

void forward_unit(Worker& w, const OpSamples& op, bool base, bool brief, Reporter& r) {
  const Collector collect = collected(w, op, brief, r, run_forward);
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

// Failures have advice of their own.
constexpr const char* kCrashAdvice = "look at the kernel";

}  // namespace

const std::vector<Check> kOpChecks = {
    {"op.NAME", 1, Kind::backend,
     "values of the op's samples in each dtype and layout (L1: base ops, L2: all)", kCrashAdvice,
     nullptr},
    {"grad.NAME", 3, Kind::backend, "its gradient against finite differences", kCrashAdvice,
     nullptr},
    {"grad2.NAME", 3, Kind::backend, "the gradient of its gradient", kCrashAdvice, nullptr},
    {"capture.NAME", 4, Kind::backend,
     "its samples as programs, values and gradients, against the calls: the same bits, or, of a "
     "plugin with a compiler, values within the op's tolerance",
     kCrashAdvice, nullptr},
    {"perf.NAME", 3, Kind::backend, "with --perf: the time of a call", "", nullptr},
};

std::vector<Unit> op_units(const Profile& profile, const VerifyOptions& options, int level,
                           const std::shared_ptr<Worker>& worker, const OpFacts& facts) {
  std::vector<Unit> units;
  for (const OpSamples& op : catalogue().ops()) {
    if (!options.op.empty() && op.name != options.op) continue;
    const auto fact = facts.find(op.name);
    if (fact == facts.end()) continue;
    const bool base = fact->second.base, brief = options.brief;
    const auto add = [&](const char* group, int at, auto body) {
      if (at > level) return;
      Unit u;
      u.check = group + op.name, u.level = at, u.alone = false;
      u.advice = "look at the kernel: " + explain_command(*worker, op.name, "");
      u.body = [worker, body](Reporter& r) { body(*worker, r); };
      units.push_back(std::move(u));
    };
    add("op.", base ? 1 : 2,
        [&op, base, brief](Worker& w, Reporter& r) { forward_unit(w, op, base, brief, r); });
    if (fact->second.differentiable) {
      add("grad.", 3,
          [&op, brief](Worker& w, Reporter& r) { collected(w, op, brief, r, run_gradients); });
      add("grad2.", 3,
          [&op, brief](Worker& w, Reporter& r) { collected(w, op, brief, r, run_second_order); });
    }
    const Exactness exactness = has_compiler(profile) ? Exactness::within : Exactness::bits;
    add("capture.", 4, [&op, exactness](Worker& w, Reporter& r) {
      collected(w, op, true, r,
                [exactness](Session& s, const OpSamples& o, bool, const Record& record) {
                  tn_ctx_set_deterministic(s.ctx(), 1);
                  run_captured(s, o, exactness, record);
                  tn_ctx_set_deterministic(s.ctx(), 0);
                });
    });
    if (options.perf)
      add("perf.", 3, [&op](Worker& w, Reporter& r) { perf_unit(w.get_session(), op, r); });
  }
  return units;
}

Unit unit_of(const std::shared_ptr<Worker>& worker, const char* check, int level,
             const char* advice, const std::function<void(Worker&, Reporter&)>& body) {
  Unit u;
  u.check = check, u.level = level, u.advice = advice, u.alone = false;
  u.body = [worker, body](Reporter& r) { body(*worker, r); };
  return u;
}

}  // namespace tenon::conformance

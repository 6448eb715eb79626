// All checks that apply to a plugin, and what comes of them.
#include "tenon/conformance/verify.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "elf.hpp"
#include "expected.hpp"
#include "plugin.hpp"
#include "runner.hpp"
#include "training.hpp"
#include "worker.hpp"

namespace tenon::conformance {
namespace {

using Json = nlohmann::json;

const std::vector<const std::vector<Check>*>& groups() {
  static const std::vector<const std::vector<Check>*> all = {&kFileChecks,   &kNegotiationChecks,
                                                             &kErrorChecks,  &kLifeChecks,
                                                             &kMemoryChecks, &kQueueChecks};
  return all;
}
const std::vector<const std::vector<Check>*>& later_groups() {
  static const std::vector<const std::vector<Check>*> all = {
      &kKernelChecks,  &kPlanChecks,     &kOpChecks,     &kTrainingChecks, &kOptimizerChecks,
      &kProgramChecks, &kCompilerChecks, &kFormatChecks, &kPluginOpChecks};
  return all;
}

const Check& file_check(const char* name) {
  return *std::ranges::find_if(kFileChecks,
                               [&](const Check& c) { return c.name == std::string(name); });
}

const char* name_of(Kind kind) {
  constexpr const char* kNames[] = {"all", "backend", "op", "optimizer", "format"};
  return kNames[static_cast<size_t>(kind)];
}

bool has(const Profile& p, Kind kind) {
  switch (kind) {
    case Kind::all:
      return true;
    case Kind::backend:
      return p.has_device();
    case Kind::op:
      return !p.ops.empty();
    case Kind::optimizer:
      return !p.optimizers.empty();
    case Kind::format:
      return !p.format.empty();
  }
  return false;
}

Json to_json(const Profile& p) {
  Json devices = Json::array();
  for (const DeviceProfile& d : p.devices) devices.push_back({d.name, d.flags});
  return {p.id,         p.version, p.interfaces, devices,    p.ops,
          p.optimizers, p.format,  p.extension,  p.fused_ops};
}

void from_json(const Json& j, Profile& p) {
  p.id = j[0], p.version = j[1], p.interfaces = j[2];
  for (const Json& d : j[3]) p.devices.push_back({d[0], d[1]});
  p.ops = j[4], p.optimizers = j[5], p.format = j[6], p.extension = j[7], p.fused_ops = j[8];
}

// What libtenon says of every op, once it has the plugin.
std::string facts_of(const std::string& path) {
  const RuntimeOwner runtime = make_runtime(path);
  uint32_t n = 0;
  check(tn_op_count(runtime.get(), &n));
  Json all = Json::array();
  for (uint32_t k = 0; k < n; ++k) {
    tn_op op = 0;
    tn_op_info info = tn_op_info_init();
    check(tn_op_at(runtime.get(), k, &op));
    check(tn_op_get_info(runtime.get(), op, &info));
    all.push_back({text_of(info.name), info.base, info.differentiable});
  }
  return all.dump();
}

int declared_level(const std::string& plugin) {
  const auto path = std::filesystem::path(plugin).replace_extension(".json");
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return kHighestLevel;
  const Json j = Json::parse(read_file(path.string()), nullptr, false);
  if (!j.is_object() || !j.contains("level")) return kHighestLevel;
  // One that there is not fails file.manifest, which is enough.
  return j["level"].is_string() ? std::max(0, level_of(j["level"].get<std::string>())) : 0;
}

// ": a.so, b.so"
std::string in_folder(const std::string& folder) {
  std::string names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".so")
      names += (names.empty() ? ": " : ", ") + entry.path().filename().string();
  return names;
}

// "a, b"
std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class Verification {
 public:
  explicit Verification(const VerifyOptions& o) : options_(o) {
    if (std::filesystem::is_directory(o.plugin))
      throw std::runtime_error(o.plugin + " is a folder: name one plugin in it" +
                               in_folder(o.plugin));
    if (!std::filesystem::is_regular_file(o.plugin))
      throw std::runtime_error(o.plugin + (std::filesystem::exists(o.plugin)
                                               ? " is no file: name the library of a plugin"
                                               : ": no such file; name the library of a plugin, "
                                                 "build/lib/tenon/plugins/NAME.so"));
    expected_ = read_expected(o.expected_fail);
    profile_.path = std::filesystem::canonical(o.plugin).string();
    report_.plugin = profile_.path;
    report_.partial = !o.op.empty() || !o.check.empty();
    report_.asked = o.level < 0 ? declared_level(o.plugin) : o.level;
    jobs_ = o.jobs > 0 ? o.jobs
                       : static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 4u));
  }

  VerifyReport run() {
    const auto start = std::chrono::steady_clock::now();
    const bool library = is_library(), opens = library && probe();
    if (options_.op.empty() && report_.not_run.empty()) {
      add_checks({&kFileChecks, &kNegotiationChecks});
      if (opens) add_checks({&kErrorChecks, &kLifeChecks, &kMemoryChecks, &kQueueChecks});
    }
    run_all();
    if (opens) {
      if (options_.op.empty()) add_checks(later_groups());
      if (profile_.has_device())
        add_units(op_units(profile_, options_, report_.asked, worker_, facts_));
      if (options_.op.empty() && profile_.has_device()) {
        add_units(kernel_units(worker_, options_.brief));
        add_units(training_units(worker_));
      }
      if (options_.op.empty() && (profile_.has_device() || !profile_.optimizers.empty()))
        add_units(optimizer_units(profile_, worker_));
      if (options_.op.empty()) add_units(program_units(profile_, worker_));
      add_units(compiler_units(profile_, options_, worker_));
      add_units(plugin_op_units(profile_, options_, worker_));
      run_all();
      check_use();
    }
    finish();
    report_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return std::move(report_);
  }

 private:
  // Throws where what was asked for is not there to be tried.
  void check_use() const {
    const auto& all = catalogue().ops();
    const std::string& op = options_.op;
    if (!op.empty() && order_.empty()) {
      const bool known =
          std::any_of(all.begin(), all.end(), [&](const OpSamples& s) { return s.name == op; });
      const bool fused = std::ranges::count(profile_.fused_ops, op) > 0;
      if (fused)
        throw std::runtime_error(
            op + " is the fused step of an optimizer: --check optimizer_fused. judges it");
      throw std::runtime_error(
          profile_.has_device() && !known ? "there are no samples of an op named " + op
          : profile_.ops.empty()
              ? profile_.id + " has no device and no ops: --op is not for it"
              : profile_.id + " has no op named " + op + "; it has " + list_of(profile_.ops));
    }
    if (!options_.check.empty() && order_.empty())
      throw std::runtime_error("no check of " + profile_.id + " is named " + options_.check +
                               "; --list has all of them, and which kind of plugin each is of");
    if (options_.perf && !profile_.has_device() &&
        plugin_op_units(profile_, options_, worker_).empty())
      throw std::runtime_error(profile_.id + " has no ops to time: --perf is for backends and ops");
  }

  // The failure of a check of the file, in a child.
  std::optional<CheckResult> failure_of(const char* name) {
    const Check& c = file_check(name);
    std::optional<CheckResult> failed;
    Reporter r(c.name, c.level, c.advice, [&](CheckResult result) {
      if (result.verdict == Verdict::fail) failed = std::move(result);
    });
    r.attempt("", [&] {
      in_child([&] {
        c.body(profile_, r);
        return std::string();
      });
    });
    return failed;
  }
  // Whether it is a shared library with the plugin's function, which the loader takes. Where it is not, all that could be said beside
  // that one failure has the same cause.
  bool is_library() {
    std::optional<CheckResult> failed;
    for (const char* name : {"file.elf", "file.exports", "file.loads"})
      if (!failed) failed = failure_of(name);
    if (!failed) return true;
    if (failed->check == "file.loads")  // a reason that says more than the loader does
      for (const char* name : {"file.needed", "file.imports"})
        if (std::optional<CheckResult> reason = failure_of(name)) failed = std::move(reason);
    report_.not_run = "every other check: " + failed->check + " must pass first";
    keep(std::move(*failed));  // no list of expected failures makes a plugin of it
    return false;
  }

  // Whether the plugin opens at all, first with the kit's host, then with libtenon.
  bool probe() {
    size_t failures = 0;
    const auto attempt = [&](const char* name, const char* advice,
                             const std::function<void()>& body) {
      Reporter r(name, 0, advice, [&](CheckResult result) {
        failures += result.verdict == Verdict::fail;
        record(std::move(result));
      });
      r.attempt("", body);
    };
    attempt("negotiate.open",
            "only tn_plugin_query, open, count, props and close ran: run them in a debugger", [&] {
              const std::string text =
                  in_child([&] { return to_json(profile_of(profile_.path)).dump(); });
              from_json(Json::parse(text), profile_);
            });
    if (failures == 0)
      attempt("negotiate.runtime",
              "the text says what libtenon missed; docs/plugins.md has the rules", [&] {
                const std::string text = in_child([&] { return facts_of(profile_.path); });
                for (const Json& f : Json::parse(text))
                  facts_[f[0]] = {f[1].get<int>() != 0, f[2].get<int>() != 0};
              });
    report_.id = profile_.id;
    report_.device = options_.device;
    if (report_.device.empty() && profile_.has_device()) report_.device = profile_.devices[0].name;
    worker_ = make_worker(profile_, options_.plugin, report_.device);
    if (failures == 0 && !options_.device.empty()) {
      try {
        in_child([&] { return Session(worker_->get_runtime(), options_.device).device(); });
      } catch (const Wrong& w) {
        throw std::runtime_error("--device " + options_.device + ": " + w.found);
      }
    }
    return failures == 0;
  }

  bool wanted(const std::string& name) const {
    const std::string& only = options_.check;
    return only.empty() || name == only || (only.back() == '.' && name.starts_with(only));
  }

  void add_checks(const std::vector<const std::vector<Check>*>& lists) {
    for (const std::vector<Check>* list : lists)
      for (const Check& c : *list) {
        if (!c.body || c.level > report_.asked || !has(profile_, c.kind)) continue;
        Unit u;
        u.check = c.name, u.level = c.level, u.advice = c.advice, u.limit = c.limit;
        u.body = [&c, this](Reporter& r) { c.body(profile_, r); };
        units_.push_back(std::move(u));
      }
  }

  void add_units(std::vector<Unit> units) {
    for (Unit& u : units)
      if (u.level <= report_.asked) units_.push_back(std::move(u));
  }

  void run_all() {
    std::erase_if(units_, [&](const Unit& u) { return !wanted(u.check); });
    for (const Unit& u : units_) order_.push_back(u.check);
    Unit closing;
    closing.check = "life.close_after_use";
    closing.advice = "close everything that open made, in any order of releases before";
    run_units(
        units_, jobs_, [this] { worker_->close(); }, closing,
        [&](CheckResult r) { record(std::move(r)); },
        [&](const std::string& check, const std::vector<std::string>& ops) { uses_[check] = ops; });
    units_.clear();
  }

  void record(CheckResult r) {
    expected_.apply(r);
    keep(std::move(r));
  }
  void keep(CheckResult r) {
    if (options_.on_result) options_.on_result(r);
    report_.cases.push_back(std::move(r));
  }

  void finish() {
    for (CheckResult& r :
         expected_.stale(report_.cases,
                         options_.op.empty() && options_.check.empty() && report_.not_run.empty()))
      record(std::move(r));
    std::map<std::string, size_t> place;
    for (const std::string& name : order_) place.emplace(name, place.size());
    const auto at = [&](const CheckResult& r) {
      const auto found = place.find(r.check);
      return found == place.end() ? 0 : found->second + 1;
    };
    std::stable_sort(report_.cases.begin(), report_.cases.end(),
                     [&](const auto& a, const auto& b) { return at(a) < at(b); });
    follow();
    int lowest = report_.asked + 1;
    for (const CheckResult& r : report_.cases)
      if (r.verdict == Verdict::fail) lowest = std::min(lowest, r.level);
    report_.reached = lowest - 1;
  }

  // What an op whose kernels could not be watched, since the process died, is decomposed into.
  std::vector<std::string> decomposition_of(const std::string& op) {
    const auto& all = catalogue().ops();
    const auto samples =
        std::find_if(all.begin(), all.end(), [&](const OpSamples& s) { return s.name == op; });
    if (samples == all.end()) return {};
    try {
      return Json::parse(
          in_child([&] { return Json(decompositions(worker_->get_session(), *samples)).dump(); }));
    } catch (const Wrong&) {  // then nothing is known
      return {};
    }
  }
  // The failing checks of the ops that a check stands on: its own, of a gradient, and those whose kernels ran in it.
  std::vector<std::string> causes(const std::string& check,
                                  const std::set<std::string>& failing) const {
    std::vector<std::string> out;
    if (!check.starts_with("op.")) out.push_back("op." + check.substr(check.find('.') + 1));
    for (const std::string& op : uses_.at(check)) out.push_back("op." + op);
    std::erase_if(out, [&](const std::string& c) { return failing.count(c) == 0; });
    return out;
  }
  // Of a plugin's op: gradients are held against values, gradients of gradients against gradients; and what ends the process in the rule does
  // so in all of them.
  std::string own_cause(const CheckResult& r, const std::set<std::string>& failing) const {
    const std::string name = r.check.substr(r.check.find('.') + 1), rule = "op_rule." + name;
    const auto same = [&](const CheckResult& c) {
      return c.check == rule && c.verdict == Verdict::fail && c.found == r.found;
    };
    if (r.check != rule && std::ranges::any_of(report_.cases, same)) return rule;
    for (const std::string& of : {"op_value." + name, "op_gradient." + name})
      if (r.check.starts_with("op_gradient") && r.check != of && failing.count(of) != 0) return of;
    return "";
  }
  // Which checks may fail only because others do, that themselves stand on none.
  void follow() {
    std::set<std::string> failing, roots;
    for (const CheckResult& r : report_.cases)
      if (r.verdict == Verdict::fail) failing.insert(r.check);
    for (const std::string& c : failing)
      if (uses_.count(c) == 0 && c.starts_with("op.")) uses_[c] = decomposition_of(c.substr(3));
    for (const std::string& c : failing)
      if (c.starts_with("op.") && causes(c, failing).empty()) roots.insert(c);
    const auto root_of = [&](std::string check) -> std::string {
      for (int step = 0; step < 8 && uses_.count(check) != 0; ++step) {
        const std::vector<std::string> from = causes(check, failing);
        for (const std::string& cause : from)
          if (roots.count(cause) != 0) return cause;
        if (from.empty()) break;
        check = from.front();
      }
      return "";
    };
    const auto unopened = std::ranges::find_if(report_.cases, [](const CheckResult& r) {
      return r.check == "negotiate.open" && r.verdict == Verdict::fail;
    });
    const std::string why = unopened == report_.cases.end() ? "" : unopened->found;
    for (CheckResult& r : report_.cases) {
      if (r.verdict != Verdict::fail || roots.count(r.check) != 0) continue;
      if (r.found == why && r.check.starts_with("negotiate.") && r.check != "negotiate.open")
        r.follows_from = "negotiate.open";
      if (r.check.starts_with("op_")) r.follows_from = own_cause(r, failing);
      const bool of_many = r.check.starts_with("train.") || r.check.starts_with("optimizer");
      if (of_many && !roots.empty()) r.follows_from = *roots.begin();
      // A crash of an op's call in a check of all ops.
      const std::string own = "op." + r.op;
      const bool of_all = r.check.starts_with("memory.") || r.check.starts_with("kernels.");
      if (of_all && failing.count(own) != 0)
        r.follows_from = roots.count(own) != 0 ? own : root_of(own);
      if (r.check.starts_with("grad") || r.check.starts_with("capture."))
        uses_.try_emplace(r.check);
      if (uses_.count(r.check) != 0) r.follows_from = root_of(r.check);
    }
  }

  const Scratch scratch_;
  const VerifyOptions& options_;
  std::map<std::string, std::vector<std::string>> uses_;  // by the checks that fail
  ExpectedFailures expected_;
  Profile profile_;
  OpFacts facts_;
  VerifyReport report_;
  int jobs_ = 1;
  std::shared_ptr<Worker> worker_;
  std::vector<Unit> units_;
  std::vector<std::string> order_;
};

}  // namespace

std::string level_name(int level) { return level < 0 ? "none" : "L" + std::to_string(level); }

int level_of(const std::string& name) {
  for (int level = 0; level <= kHighestLevel; ++level)
    if (name == level_name(level)) return level;
  return -1;
}

size_t VerifyReport::count(Verdict verdict) const {
  return static_cast<size_t>(std::count_if(
      cases.begin(), cases.end(), [&](const CheckResult& r) { return r.verdict == verdict; }));
}

std::vector<CheckInfo> list_checks() {
  std::vector<CheckInfo> out = {
      {"negotiate.open", 0, "all", "it opens with a host of the kit's own"},
      {"negotiate.runtime", 0, "all", "libtenon loads it"},
  };
  for (const auto* lists : {&groups(), &later_groups()})
    for (const std::vector<Check>* list : *lists)
      for (const Check& c : *list) out.push_back({c.name, c.level, name_of(c.kind), c.what});
  out.push_back({"life.close_after_use", 0, "backend", "it closes after all ops have run"});
  return out;
}

std::string in_child(const std::function<std::string()>& body, double limit) {
  Unit unit;
  unit.limit = limit;
  unit.body = [&](Reporter& r) {
    CheckResult result;
    result.where = body();
    r.add(std::move(result));
  };
  std::string text;
  std::unique_ptr<Wrong> wrong;
  run_units(
      {unit}, 1, [] {}, unit,
      [&](const CheckResult& r) {
        if (r.verdict == Verdict::fail && !wrong)
          wrong = std::make_unique<Wrong>(r.found, r.expected, r.advice);
        if (r.verdict == Verdict::pass) text = r.where;
      });
  if (wrong) throw Wrong(*wrong);
  return text;
}

VerifyReport verify(const VerifyOptions& options) { return Verification(options).run(); }

}  // namespace tenon::conformance

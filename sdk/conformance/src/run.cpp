// All ops on one device, and the books: every op has samples, every gradient is looked at.
#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "runner.hpp"

namespace tenon::conformance {

const char* name_of(Level level) {
  constexpr const char* kNames[] = {"forward", "grad", "grad2", "captured"};
  return kNames[static_cast<size_t>(level)];
}
const char* name_of(Verdict verdict) {
  constexpr const char* kNames[] = {"pass", "fail", "unsupported", "expected_fail"};
  return kNames[static_cast<size_t>(verdict)];
}

size_t Report::count(Verdict verdict) const {
  return static_cast<size_t>(std::count_if(results.begin(), results.end(),
                                           [&](const Result& r) { return r.verdict == verdict; }));
}

namespace {

struct Kit {
  tn_runtime* runtime;
  Session session;
  const Options& options;
  Report report;

  Kit(tn_runtime* r, const Options& o) : runtime(r), session(r, o.device), options(o) {}

  void record(Result r) {
    if (options.on_result) options.on_result(r);
    report.results.push_back(std::move(r));
  }
  void fail(const std::string& op, Level level, const std::string& why) {
    Result r;
    r.op = op, r.device = session.device(), r.level = level, r.verdict = Verdict::fail, r.why = why;
    record(std::move(r));
  }
  bool asked(Level level) const {
    return std::find(options.levels.begin(), options.levels.end(), level) != options.levels.end();
  }
  bool asked(const std::string& op) const { return options.op.empty() || options.op == op; }

  // An op of the core without samples.
  void look_for_gaps() {
    uint32_t n = 0;
    check(tn_op_count(runtime, &n));
    for (uint32_t k = 0; k < n; ++k) {
      tn_op op = 0;
      tn_op_info info = tn_op_info_init();
      check(tn_op_at(runtime, k, &op));
      check(tn_op_get_info(runtime, op, &info));
      const std::string name(info.name.data, info.name.size);
      const auto& all = catalogue().ops();
      const bool known =
          std::any_of(all.begin(), all.end(), [&](const OpSamples& s) { return s.op == op; });
      if (!known && info.plugin.size == 0 && asked(name)) fail(name, Level::forward, "no samples");
    }
  }

  // Samples of something that is no op, or of another one. False: do not run them.
  bool is_op(const OpSamples& samples) {
    tn_op op = 0;
    tn_error* error = tn_op_find(runtime, tn_str{samples.name.data(), samples.name.size()}, 0, &op);
    const bool found = error == nullptr;
    tn_error_release(error);
    if (!found) fail(samples.name, Level::forward, "the samples name no op of this runtime");
    if (found && op != samples.op)
      fail(samples.name, Level::forward,
           "the op of this name has id " + std::to_string(op) + ", the samples have " +
               std::to_string(samples.op));
    return found && op == samples.op;
  }

  void gradients(const OpSamples& samples, const Record& into) {
    tn_op_info info = tn_op_info_init();
    check(tn_op_get_info(runtime, samples.op, &info));
    if (info.differentiable == 0) {
      if (samples.grad == Grad::yes)
        fail(samples.name, Level::grad,
             "said not to be differentiable: " +
                 std::string(info.why_not_differentiable.data, info.why_not_differentiable.size));
      return;
    }
    if (asked(Level::grad) && run_gradients(session, samples, options.brief, into) == 0)
      fail(samples.name, Level::grad, "said to be differentiable, but no sample has a gradient");
    if (asked(Level::grad2)) run_second_order(session, samples, options.brief, into);
  }
};

}  // namespace

Report run(tn_runtime* runtime, const Options& options) {
  const auto& all = catalogue().ops();
  if (!options.op.empty() && std::none_of(all.begin(), all.end(),
                                          [&](const OpSamples& s) { return s.name == options.op; }))
    throw std::runtime_error("no samples for an op named " + options.op);
  Kit kit(runtime, options);
  kit.look_for_gaps();
  const Record into = [&](Result r) { kit.record(std::move(r)); };
  for (const OpSamples& samples : all) {
    if (!kit.asked(samples.name) || !kit.is_op(samples)) continue;
    if (kit.asked(Level::forward)) run_forward(kit.session, samples, options.brief, into);
    if (kit.asked(Level::grad) || kit.asked(Level::grad2)) kit.gradients(samples, into);
    if (kit.asked(Level::captured)) run_captured(kit.session, samples, Exactness::bits, into);
  }
  return std::move(kit.report);
}

std::string summary(const Report& report, const std::string& device) {
  return device + ": " + std::to_string(report.count(Verdict::pass)) + " passed, " +
         std::to_string(report.count(Verdict::fail)) + " failed, " +
         std::to_string(report.count(Verdict::unsupported)) + " unsupported";
}

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      const char* hex = "0123456789abcdef";
      out += "\\u00";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

void write_json(const Report& report, const std::string& device, std::ostream& out) {
  out << "{\"device\": " << quoted(device) << ", \"passed\": " << report.count(Verdict::pass)
      << ", \"failed\": " << report.count(Verdict::fail)
      << ", \"unsupported\": " << report.count(Verdict::unsupported) << ", \"results\": [";
  const char* comma = "\n";
  for (const Result& r : report.results) {
    out << comma << "{\"op\": " << quoted(r.op) << ", \"sample\": " << quoted(r.sample)
        << ", \"dtype\": " << quoted(r.dtype) << ", \"layout\": " << quoted(r.layout)
        << ", \"device\": " << quoted(r.device) << ", \"level\": \"" << name_of(r.level)
        << "\", \"verdict\": \"" << name_of(r.verdict) << "\", \"why\": " << quoted(r.why) << "}";
    comma = ",\n";
  }
  out << "\n]}\n";
}

}  // namespace tenon::conformance

// The conformance kit: runs every sample of every op on a device, through the C API alone, and
// compares with oracles in double precision; gradients with finite differences.
#pragma once
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "tenon/tenon.h"

namespace tenon::conformance {

// captured: values and gradients as a program, against the same by calls.
enum class Level { forward, grad, grad2, captured };
// unsupported: the device declined, in so many words. expected_fail: a list says so, with the reason.
enum class Verdict { pass, fail, unsupported, expected_fail };
const char* name_of(Level level);
const char* name_of(Verdict verdict);

struct Result {
  std::string op, sample, dtype, layout, device;
  Level level = Level::forward;
  Verdict verdict = Verdict::pass;
  std::string call;      // "gelu(f32[3,5], approximate='tanh'), strided"
  std::string why;       // "" for a pass, or how far it is from an exact one
  std::string expected;  // instead of what is wrong
  bool native = false;   // a kernel of the device ran it, not a decomposition
};

struct Options {
  std::string device;  // as tn_ctx_create takes it
  std::string op;      // only this one; "" for all
  std::vector<Level> levels{Level::forward, Level::grad, Level::grad2};
  // Fewer dtypes, layouts and repetitions: for devices that take long over each call.
  bool brief = false;
  // Called for each result as it comes; may be empty.
  std::function<void(const Result&)> on_result;
};

struct Report {
  std::vector<Result> results;
  size_t count(Verdict verdict) const;
};

// Never throws for what a device does wrong; throws std::runtime_error when the device cannot be
// opened or options.op is no op. Takes one context of its own; one thread.
Report run(tn_runtime* runtime, const Options& options);

// "reference: 812 passed, 0 failed, 3 unsupported"
std::string summary(const Report& report, const std::string& device);
// {"device", "passed", "failed", "unsupported", "results": [{op, sample, dtype, layout, device, level, verdict, why}]}
void write_json(const Report& report, const std::string& device, std::ostream& out);

}  // namespace tenon::conformance

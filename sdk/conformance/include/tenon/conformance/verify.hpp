// Everything that is known to go wrong with a plugin, tried on one file: what `tenon verify` runs.
//
// Whatever calls the plugin runs in a child process, so that a crash or a hang is a result with the name of a check.
#pragma once
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "tenon/conformance/conformance.hpp"

namespace tenon::conformance {

inline constexpr int kHighestLevel = 4;

struct CheckInfo {
  std::string name;  // "file.exports"; "op.NAME" stands for one check for each op
  int level = 0;
  std::string applies_to;  // "all", "backend", "op", "optimizer", "format"
  std::string what;
};
// Every check there is, in the order in which they run.
std::vector<CheckInfo> list_checks();

struct CheckResult {
  std::string check;  // "op.add"
  std::string where;  // "matrix f32 strided"; "" where the check has one case only
  int level = 0;
  Verdict verdict = Verdict::pass;
  std::string found, expected,
      advice;  // of a failure; found also says why something is unsupported
  // Of an op's cases.
  std::string op, dtype;
  std::string given;  // "gelu(f32[3,5], approximate='tanh'), strided"
  std::string
      follows_from;  // of a failure: a check that fails as well, of an op that this one uses
  bool gradient = false, native = false;
  double milliseconds = 0;  // per call, where it was timed
};

struct VerifyOptions {
  std::string plugin;         // the file
  int level = -1;             // -1: what the manifest declares ("level": "L1"), else the highest
  std::string device;         // "": the first that the plugin brings, else the best one there is
  std::string op;             // only the checks of this op
  std::string check;          // only checks of this name or, ending in ".", of this group
  std::string expected_fail;  // a file: see read_expected
  bool perf = false;          // time the cases as well
  bool brief = false;         // fewer dtypes, layouts and repetitions
  int jobs = 0;               // processes; 0: one per core, at most 4
  // Called for each result as it comes, in no order; may be empty.
  std::function<void(const CheckResult&)> on_result;
};

struct VerifyReport {
  std::string plugin, id, device;
  int asked = kHighestLevel, reached = -1;  // -1: not even L0
  std::vector<CheckResult> cases;           // in the order of the checks
  std::string not_run;  // where the file is no plugin: what was not tried, and why
  double seconds = 0;
  bool partial = false;  // of some checks only, by `op` or `check`: says nothing of a level
  size_t count(Verdict verdict) const;
};

// Throws std::runtime_error for wrong use: no such file, no such op, an unreadable list of expected failures.
VerifyReport verify(const VerifyOptions& options);

// {"plugin", "id", "device", "level", "asked", "counts", "seconds", "cases"}, and "not_run" where that is not empty
void write_json(const VerifyReport& report, std::ostream& out);
// Op x dtype x {native, decomposed} x {forward, gradient}, in 80 columns; else than `whole` the ops of which something failed (and
// not only because another op does), was expected to or is not supported.
std::string matrix(const VerifyReport& report, bool whole);
// Time per call of what was timed.
std::string timing(const VerifyReport& report);
// A failure as lines of text: name, place, what was given, found and expected, what to do.
std::string text_of(const CheckResult& result);
// All failures: by level, at most three of a check, and in one line those that follow from others.
std::string failures(const VerifyReport& report);
// "L2", "none"
std::string level_name(int level);
int level_of(const std::string& name);  // -1: there is none of that name

}  // namespace tenon::conformance

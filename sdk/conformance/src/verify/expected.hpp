// Failures that somebody expects: a file of lines
//
//   op.sin matrix f16 strided: the vendor's table has 9 bits
//   grad2.*: no second order on this device
//
// name of the check (* at its end: any that begins so), place (none: every one), and after ": " the reason. # begins a comment.
#pragma once
#include <string>
#include <vector>

#include "tenon/conformance/verify.hpp"

namespace tenon::conformance {

class ExpectedFailures {
 public:
  struct Entry {
    std::string check, where, reason;
    int line = 0;
    bool used = false;
  };
  explicit ExpectedFailures(std::vector<Entry> entries = {}) : entries_(std::move(entries)) {}
  // Turns a failure that is expected into one.
  void apply(CheckResult& result);
  // A failure for each entry that no case needed; of those whose check did not run only where all did.
  std::vector<CheckResult> stale(const std::vector<CheckResult>& ran, bool all_ran) const;

 private:
  std::vector<Entry> entries_;
};

// "" gives none. Throws std::runtime_error with the line that has no reason or no name.
ExpectedFailures read_expected(const std::string& file);

}  // namespace tenon::conformance

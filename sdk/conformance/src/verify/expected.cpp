#include "expected.hpp"

#include <sstream>
#include <stdexcept>

#include "elf.hpp"

namespace tenon::conformance {
namespace {

bool names(const ExpectedFailures::Entry& e, const std::string& check) {
  if (e.check.empty() || e.check.back() != '*') return e.check == check;
  return check.starts_with(e.check.substr(0, e.check.size() - 1));
}

// The place as it is, or in the brackets that it is printed in.
bool at(const ExpectedFailures::Entry& e, const std::string& where) {
  return e.where.empty() || e.where == where || e.where == "(" + where + ")";
}

std::string trimmed(const std::string& text) {
  const size_t from = text.find_first_not_of(" \t\r");
  return from == std::string::npos ? ""
                                   : text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

}  // namespace

void ExpectedFailures::apply(CheckResult& r) {
  for (Entry& e : entries_) {
    if (!names(e, r.check) || !at(e, r.where)) continue;
    if (r.verdict != Verdict::fail) continue;
    e.used = true;
    r.verdict = Verdict::expected_fail;
    r.advice = e.reason;
    return;
  }
}

std::vector<CheckResult> ExpectedFailures::stale(const std::vector<CheckResult>& ran,
                                                 bool all_ran) const {
  std::vector<CheckResult> out;
  for (const Entry& e : entries_) {
    if (e.used) continue;
    CheckResult r;
    bool seen = false;
    for (const CheckResult& other : ran)
      if (names(e, other.check)) r.level = other.level, seen = true;
    if (!seen && !all_ran) continue;
    r.check = "expected_fail.stale", r.where = e.check + (e.where.empty() ? "" : " " + e.where);
    r.verdict = Verdict::fail;
    r.found = "line " + std::to_string(e.line) + " expects a failure, and there was none";
    r.expected = "only what fails (" + e.reason + ")";
    r.advice = "delete the line";
    out.push_back(std::move(r));
  }
  return out;
}

ExpectedFailures read_expected(const std::string& file) {
  if (file.empty()) return ExpectedFailures();
  std::vector<ExpectedFailures::Entry> entries;
  std::istringstream lines(read_file(file));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t colon = line.find(": ");
    const std::string what = trimmed(line.substr(0, colon));
    ExpectedFailures::Entry e;
    e.line = number;
    e.check = what.substr(0, what.find(' '));
    if (e.check.size() < what.size()) e.where = trimmed(what.substr(e.check.size()));
    if (colon != std::string::npos) e.reason = trimmed(line.substr(colon + 2));
    if (e.check.empty() || e.reason.empty())
      throw std::runtime_error(file + ": line " + std::to_string(number) +
                               " is not \"check [place]: reason\"");
    entries.push_back(std::move(e));
  }
  return ExpectedFailures(std::move(entries));
}

}  // namespace tenon::conformance

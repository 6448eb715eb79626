// The list of what is expected not to pass, and the count of what did.
#pragma once
#include <iosfwd>
#include <map>
#include <set>
#include <string>

#include "case.hpp"

namespace tenon::onnx {

// One line each, "KIND NAME: reason"; '#' begins a comment. An entry that is not true is an error, so none can stay behind:
//   op NAME       Tenon has no counterpart of this op: there is no mapping, and its cases are not applicable
//   pending NAME  the op has a mapping, but Tenon's own op is still being written: no case with it passes
//   apart NAME    this case of an op with a mapping is not applicable
//   case NAME     this case fails; it counts against the share that passes
class Exceptions {
 public:
  // Throws std::runtime_error for a line of another form or an entry that stands twice.
  explicit Exceptions(std::istream& in);

  // The reason, or NULL.
  const std::string* find(const std::string& kind, const std::string& name) const;
  using Entry = std::pair<std::string, std::string>;  // kind and name
  const std::map<Entry, std::string>& entries() const { return entries_; }

 private:
  std::map<Entry, std::string> entries_;
};

Exceptions read_exceptions(const std::string& path);

class Tally {
 public:
  explicit Tally(Exceptions exceptions) : exceptions_(std::move(exceptions)) {}

  // Counts one case. Gives a line on it, which begins with "wrong" if it is not as the exceptions say.
  std::string add(const std::string& name, const Outcome& outcome);
  // How it went, after all cases: with entries that fit no case, and what falls short of these limits.
  std::string summary(const std::string& device, size_t least_ops, double least_share);
  // How many wrong things there were so far.
  size_t wrong() const { return wrong_; }

 private:
  std::string judge(const std::string& name, const Outcome& outcome);
  std::string fault(const std::string& what) { return ++wrong_, "wrong " + what; }
  // The first op of the case that is listed as `kind`, or "".
  std::string listed_op(const std::string& kind, const Outcome& outcome);
  bool listed(const std::string& kind, const std::string& name);

  Exceptions exceptions_;
  std::set<Exceptions::Entry> used_;
  std::set<std::string> covered_;              // ops with a case of their own that passed
  std::map<std::string, size_t> not_counted_;  // by reason
  size_t passed_ = 0, failed_ = 0, wrong_ = 0;
};

}  // namespace tenon::onnx

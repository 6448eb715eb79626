#include "exceptions.hpp"

#include <cstdio>
#include <fstream>
#include <istream>
#include <stdexcept>

#include "mapping.hpp"

namespace tenon::onnx {

Exceptions::Exceptions(std::istream& in) {
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.find(' '), colon = line.find(": ");
    const std::string kind = line.substr(0, space);
    const bool known = kind == "op" || kind == "pending" || kind == "apart" || kind == "case";
    if (!known || colon == std::string::npos || colon < space || colon + 2 == line.size())
      throw std::runtime_error("line " + std::to_string(number) +
                               " of the exceptions is not 'op|pending|apart|case NAME: reason'");
    const std::string name = line.substr(space + 1, colon - space - 1);
    if (!entries_.emplace(Entry{kind, name}, line.substr(colon + 2)).second)
      throw std::runtime_error("the exceptions have " + kind + " " + name + " twice");
  }
}

const std::string* Exceptions::find(const std::string& kind, const std::string& name) const {
  const auto found = entries_.find({kind, name});
  return found == entries_.end() ? nullptr : &found->second;
}

Exceptions read_exceptions(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path);
  return Exceptions(in);
}

bool Tally::listed(const std::string& kind, const std::string& name) {
  if (!exceptions_.find(kind, name)) return false;
  used_.insert({kind, name});
  return true;
}

std::string Tally::listed_op(const std::string& kind, const Outcome& outcome) {
  std::string first;
  for (const std::string& op : outcome.ops)
    if (listed(kind, op) && first.empty()) first = op;
  return first;
}

std::string Tally::add(const std::string& name, const Outcome& outcome) {
  return judge(name, outcome) + (outcome.why.empty() ? "" : ": " + outcome.why);
}

std::string Tally::judge(const std::string& name, const Outcome& outcome) {
  const bool passes = outcome.verdict == Verdict::pass;
  if (passes && outcome.compared == 0) return fault(name + ": it passes, but nothing was compared");
  if (const std::string op = listed_op("op", outcome); !op.empty()) {
    if (find_mapping(op)) return fault(name + ": op " + op + " is listed, but has a mapping");
    if (outcome.verdict != Verdict::not_applicable)
      return fault(name + ": not applicable by op " + op + ", but it is run");
    ++not_counted_["op " + op + ": " + *exceptions_.find("op", op)];
    return "not applicable " + name;
  }
  for (const char* kind : {"apart", "case"}) {
    if (!listed(kind, name)) continue;
    const bool apart = std::string(kind) == "apart";
    if (outcome.verdict != (apart ? Verdict::not_applicable : Verdict::fail))
      return fault(name + ": listed as '" + kind + "', which is not so; take the entry away");
    if (apart) return ++not_counted_[*exceptions_.find(kind, name)], "not applicable " + name;
    return ++failed_, "fails as listed " + name;
  }
  if (const std::string op = listed_op("pending", outcome); !op.empty()) {
    if (passes) return fault(name + ": it passes, so take 'pending " + op + "' away");
    ++not_counted_["pending " + op + ": " + *exceptions_.find("pending", op)];
    return "pending " + name;
  }
  if (outcome.verdict == Verdict::not_applicable)
    return fault(name + ": not applicable, but not listed");
  if (!passes) return ++failed_, fault(name);
  if (!outcome.only_op.empty()) covered_.insert(outcome.only_op);
  return ++passed_, "passes " + name;
}

std::string Tally::summary(const std::string& device, size_t least_ops, double least_share) {
  std::string text;
  for (const auto& [entry, reason] : exceptions_.entries())
    if (!used_.contains(entry))
      text += fault(entry.first + " " + entry.second + ": listed, but there is none") + "\n";
  const size_t counted = passed_ + failed_;
  const double share = counted ? static_cast<double>(passed_) / static_cast<double>(counted) : 0;
  size_t left_out = 0;
  for (const auto& [reason, count] : not_counted_) {
    text += "not counted: " + std::to_string(count) + "  " + reason + "\n";
    left_out += count;
  }
  char line[256];
  std::snprintf(line, sizeof line,
                "%s: %zu ONNX ops covered, %zu of their %zu cases pass (%.1f %%), %zu fail, %zu "
                "cases not counted\n",
                device.c_str(), covered_.size(), passed_, counted, 100 * share, failed_, left_out);
  text += line;
  if (covered_.size() < least_ops)
    text += fault("fewer than " + std::to_string(least_ops) + " ops are covered") + "\n";
  if (share < least_share) text += fault("the share that passes is too small") + "\n";
  return text;
}

}  // namespace tenon::onnx

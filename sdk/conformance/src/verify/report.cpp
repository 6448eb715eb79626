// What a report looks like: text, the matrix, JSON.
#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "tenon/conformance/verify.hpp"

namespace tenon::conformance {
namespace {

using Json = nlohmann::ordered_json;

using Columns = std::vector<std::string>;
const Columns kColumns = {"bool", "i8",  "i16", "i32",  "i64", "u8", "u16",
                          "u32",  "u64", "f16", "bf16", "f32", "f64"};

struct Mark {
  bool any = false, native = false, forward_passed = false, gradient_passed = false;
  bool forward_failed = false, gradient_failed = false, expected = false, declined = false;
  bool tells = false;  // more than that it is well, or fails because others do
};
using Row = std::map<std::string, Mark>;  // by dtype

void note(Mark& m, const CheckResult& r) {
  m.any = true;
  if (r.verdict != Verdict::pass && r.follows_from.empty()) m.tells = true;
  if (r.verdict == Verdict::unsupported) m.declined = true;
  if (r.verdict == Verdict::expected_fail) m.expected = true;
  if (r.verdict == Verdict::fail) (r.gradient ? m.gradient_failed : m.forward_failed) = true;
  if (r.verdict == Verdict::pass) {
    (r.gradient ? m.gradient_passed : m.forward_passed) = true;
    if (!r.gradient && r.native) m.native = true;
  }
}

std::string text_of(const Mark& m) {
  if (!m.any) return "";
  std::string out = m.forward_failed   ? "X"
                    : m.forward_passed ? (m.native ? "N" : "D")
                    : m.expected       ? "e"
                    : m.declined       ? "u"
                                       : "-";
  if (m.gradient_failed)
    out += "X";
  else if (m.gradient_passed)
    out += "g";
  if (m.expected && out[0] != 'e') out += "e";
  return out;
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// The rows that have something in these columns, under a heading.
std::string table(const std::map<std::string, Row>& rows, const Columns& columns) {
  constexpr size_t kName = 26;
  const auto width = [](const std::string& dtype) { return std::max<size_t>(dtype.size() + 1, 4); };
  const auto stripped = [](const std::string& line) {
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  std::string heading = padded("op", kName), out;
  for (const std::string& dtype : columns) heading += padded(dtype, width(dtype));
  for (const auto& [op, row] : rows) {
    std::string line;
    for (const std::string& dtype : columns) {
      auto at = row.find(dtype);
      if (at == row.end() && dtype == "f32") at = row.find("");  // an op without a dtype of its own
      line += padded(at == row.end() ? "" : text_of(at->second), width(dtype));
    }
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    const std::string name = padded(op, kName);
    out += stripped(op.size() >= kName ? name + "\n" + padded("", kName) + line : name + line);
  }
  return out.empty() ? "" : stripped(heading) + out;
}

}  // namespace

std::string matrix(const VerifyReport& report, bool whole) {
  std::map<std::string, Row> rows;
  for (const CheckResult& r : report.cases)
    if (!r.op.empty()) note(rows[r.op][r.dtype], r);
  const size_t all = rows.size();
  std::set<std::string> others;  // dtypes of few ops
  for (const auto& [op, row] : rows)
    for (const auto& [dtype, mark] : row)
      if (!dtype.empty() && std::count(kColumns.begin(), kColumns.end(), dtype) == 0)
        others.insert(dtype);
  if (!whole)
    std::erase_if(rows, [](const auto& row) {
      return std::none_of(row.second.begin(), row.second.end(),
                          [](const auto& mark) { return mark.second.tells; });
    });
  if (rows.empty()) return "";
  std::string out =
      "N native, D decomposed, g gradient; X failed, e expected failure, u unsupported\n";
  out += table(rows, kColumns);
  out += table(rows, Columns(others.begin(), others.end()));
  if (rows.size() < all)
    out += std::to_string(all - rows.size()) +
           " ops more have nothing of their own to tell; --matrix shows all\n";
  return out;
}

std::string timing(const VerifyReport& report) {
  std::vector<const CheckResult*> timed;
  for (const CheckResult& r : report.cases)
    if (r.milliseconds > 0) timed.push_back(&r);
  std::string out;
  for (const CheckResult* r : timed) {
    char line[400];
    std::snprintf(line, sizeof line, "%-32s %-28s %12.3f us%s\n", r->check.c_str(),
                  r->where.c_str(), r->milliseconds * 1000, r->native ? "" : " (decomposed)");
    out += line;
  }
  return out;
}

namespace {

// What stands in `said` already is left out.
std::string text_without(const CheckResult& r, const std::set<std::string>& said) {
  std::string out = std::string(name_of(r.verdict)) + "  " + r.check;
  if (!r.where.empty()) out += "  (" + r.where + ")";
  const auto line = [&](const char* what, const std::string& text) {
    if (!text.empty() && said.count(text) == 0) out += std::string("\n    ") + what + text;
  };
  line("given:    ", r.given);
  line("found:    ", r.found);
  line("expected: ", r.expected);
  line(r.verdict == Verdict::expected_fail ? "reason:   " : "to do:    ", r.advice);
  return out + "\n";
}

}  // namespace

std::string text_of(const CheckResult& r) { return text_without(r, {}); }

namespace {

// Of whole checks or kinds, a line for each check.
std::string unsupported(const VerifyReport& report) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const CheckResult& r : report.cases) {
    if (r.verdict != Verdict::unsupported || !r.op.empty()) continue;
    const std::string what = r.where + (r.where.empty() || r.found.empty() ? "" : "; ") + r.found;
    const auto at =
        std::ranges::find_if(lines, [&](const auto& line) { return line.first == r.check; });
    if (at == lines.end())
      lines.emplace_back(r.check, what);
    else
      at->second += "; " + (r.where.empty() ? r.found : r.where);
  }
  std::string out;
  for (const auto& [check, what] : lines) out += "unsupported  " + check + ": " + what + "\n";
  return out;
}

}  // namespace

std::string failures(const VerifyReport& report) {
  constexpr size_t kMost = 3, kMostFollowing = 8;
  struct OfCheck {
    std::string check;
    std::vector<const CheckResult*> cases;
  };
  std::vector<OfCheck> checks;  // in the order of the report
  std::map<std::string, size_t> place;
  for (const CheckResult& r : report.cases) {
    if (r.verdict != Verdict::fail) continue;
    const auto [at, fresh] = place.emplace(r.check + "\n" + r.follows_from, checks.size());
    if (fresh) checks.push_back({r.check, {}});
    checks[at->second].cases.push_back(&r);
  }
  std::stable_sort(checks.begin(), checks.end(), [](const OfCheck& a, const OfCheck& b) {
    return a.cases[0]->level < b.cases[0]->level;
  });
  std::string out;
  std::map<std::string, std::vector<std::string>> following;
  for (const OfCheck& c : checks) {
    if (const std::string& cause = c.cases[0]->follows_from; !cause.empty()) {
      following[cause].push_back(c.check + " (" + std::to_string(c.cases.size()) + ")");
      continue;
    }
    std::set<std::string> said, advised;
    size_t shown = 0;
    for (size_t k = 0; k < c.cases.size(); ++k) {
      // Beyond the first only one that advises something else, its command apart.
      const std::string advice = c.cases[k]->advice.substr(0, c.cases[k]->advice.find(':'));
      const bool fresh = advised.insert(advice).second;
      if (k >= kMost && (shown > kMost || !fresh)) continue;
      out += text_without(*c.cases[k], said);
      said.insert({c.cases[k]->expected, c.cases[k]->advice});
      ++shown;
    }
    if (shown < c.cases.size())
      out += "    and " + std::to_string(c.cases.size() - shown) + " more of " + c.check + "\n";
  }
  out += unsupported(report);
  if (!report.not_run.empty()) out += "not run: " + report.not_run + "\n";
  for (const auto& [cause, list] : following) {
    out += "also fail, perhaps only because " + cause + " does:";
    const size_t shown = std::min(kMostFollowing, list.size());
    for (size_t k = 0; k < shown; ++k) out += (k ? ", " : " ") + list[k];
    if (shown < list.size()) out += " and " + std::to_string(list.size() - shown) + " checks more";
    out += "\n";
  }
  return out;
}

void write_json(const VerifyReport& report, std::ostream& out) {
  Json j = {{"plugin", report.plugin},
            {"id", report.id},
            {"device", report.device},
            {"level", report.partial ? Json() : Json(level_name(report.reached))},
            {"asked", level_name(report.asked)},
            {"counts",
             {{"pass", report.count(Verdict::pass)},
              {"unsupported", report.count(Verdict::unsupported)},
              {"expected_fail", report.count(Verdict::expected_fail)},
              {"fail", report.count(Verdict::fail)}}},
            {"seconds", report.seconds},
            {"cases", Json::array()}};
  if (!report.not_run.empty()) j["not_run"] = report.not_run;
  for (const CheckResult& r : report.cases) {
    Json c = {{"check", r.check},
              {"where", r.where},
              {"level", level_name(r.level)},
              {"result", name_of(r.verdict)}};
    if (!r.op.empty()) {
      c["op"] = r.op, c["dtype"] = r.dtype, c["native"] = r.native;
    }
    if (!r.given.empty()) c["given"] = r.given;
    if (!r.follows_from.empty()) c["follows_from"] = r.follows_from;
    if (r.milliseconds > 0) c["milliseconds"] = r.milliseconds;
    if (r.verdict != Verdict::pass || !r.found.empty()) c["found"] = r.found;
    if (!r.expected.empty()) c["expected"] = r.expected;
    if (r.verdict == Verdict::expected_fail)
      c["reason"] = r.advice;
    else if (!r.advice.empty())
      c["advice"] = r.advice;
    j["cases"].push_back(std::move(c));
  }
  out << j.dump(1, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace tenon::conformance

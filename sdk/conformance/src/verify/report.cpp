// What a report looks like: text, the matrix, JSON.
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "tenon/conformance/verify.hpp"

namespace tenon::conformance {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kColumns = {"bool", "i8",  "i16", "i32",  "i64", "u8", "u16",
                                 "u32",  "u64", "f16", "bf16", "f32", "f64"};

struct Mark {
  bool any = false, native = false, forward_passed = false, gradient_passed = false;
  bool forward_failed = false, gradient_failed = false, expected = false, declined = false;
};

void note(Mark& m, const CheckResult& r) {
  m.any = true;
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

}  // namespace

std::string matrix(const VerifyReport& report, bool whole) {
  std::map<std::string, std::map<std::string, Mark>> rows;
  for (const CheckResult& r : report.cases)
    if (!r.op.empty()) note(rows[r.op][r.dtype], r);
  const size_t all = rows.size();
  if (!whole)
    std::erase_if(rows, [](const auto& row) {
      return std::all_of(row.second.begin(), row.second.end(), [](const auto& mark) {
        return text_of(mark.second).find_first_of("Xeu-") == std::string::npos;
      });
    });
  if (rows.empty()) return "";
  constexpr size_t kName = 26;
  std::string out =
      "N native, D decomposed, g gradient; X failed, e expected failure, u unsupported\n";
  std::string heading = padded("op", kName);
  for (const char* dtype : kColumns) heading += padded(dtype, dtype[0] == 'b' ? 5 : 4);
  out += heading.substr(0, heading.find_last_not_of(' ') + 1) + "\n";
  for (auto& [op, marks] : rows) {
    std::string line = padded(op, kName);
    if (op.size() >= kName) line += "\n" + padded("", kName);
    for (const char* dtype : kColumns) {
      Mark m = marks[dtype];
      if (!m.any && std::string(dtype) == "f32") m = marks[""];  // an op without a dtype of its own
      line += padded(text_of(m), dtype[0] == 'b' ? 5 : 4);
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  if (rows.size() < all)
    out +=
        std::to_string(all - rows.size()) + " ops more have nothing to tell; --matrix shows all\n";
  return out;
}

std::string timing(const VerifyReport& report) {
  std::vector<const CheckResult*> timed;
  for (const CheckResult& r : report.cases)
    if (r.milliseconds > 0) timed.push_back(&r);
  std::string out;
  for (const CheckResult* r : timed) {
    char line[160];
    std::snprintf(line, sizeof line, "%-32.32s %-28.28s %12.3f us%s\n", r->check.c_str(),
                  r->where.c_str(), r->milliseconds * 1000, r->native ? "" : " (decomposed)");
    out += line;
  }
  return out;
}

std::string text_of(const CheckResult& r) {
  std::string out = std::string(name_of(r.verdict)) + "  " + r.check;
  if (!r.where.empty()) out += "  (" + r.where + ")";
  out += "\n    found:    " + r.found;
  if (!r.expected.empty()) out += "\n    expected: " + r.expected;
  if (!r.advice.empty())
    out +=
        (r.verdict == Verdict::expected_fail ? "\n    reason:   " : "\n    to do:    ") + r.advice;
  return out + "\n";
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
  for (const CheckResult& r : report.cases) {
    Json c = {{"check", r.check},
              {"where", r.where},
              {"level", level_name(r.level)},
              {"result", name_of(r.verdict)}};
    if (!r.op.empty()) {
      c["op"] = r.op, c["dtype"] = r.dtype, c["native"] = r.native;
    }
    if (r.milliseconds > 0) c["milliseconds"] = r.milliseconds;
    if (r.verdict != Verdict::pass) c["found"] = r.found;
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

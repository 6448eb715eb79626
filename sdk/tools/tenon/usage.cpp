#include "usage.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace tenon::cli {
namespace {

// Letters to change, put in or take out.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t corner = std::exchange(row[0], i + 1);
    for (size_t k = 0; k < b.size(); ++k) {
      const size_t changed = corner + (a[i] == b[k] ? 0 : 1);
      corner = row[k + 1];
      row[k + 1] = std::min({changed, row[k] + 1, row[k + 1] + 1});
    }
  }
  return row.back();
}

// "; nearest X", or "" where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  size_t least = word.size() / 2 + 1;
  for (const std::string& c : candidates)
    if (const size_t d = distance(word, c); d < least) least = d, best = c;
  return best.empty() ? "" : "; nearest " + best;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* o : app.get_options())
    if (o->nonpositional()) names.push_back(o->get_name());
  return names;
}

// What nobody takes: an option before all else, since its value stands there too.
std::string unknown(const CLI::App& app, const std::vector<std::string>& rest) {
  for (const std::string& word : rest)
    if (word.starts_with("-") && word.size() > 1) {
      const std::string name = word.substr(0, word.find('='));
      return "no option " + name + nearest(name, options_of(app));
    }
  return "'" + rest.front() + "' is one argument too many";
}

// The word of `text` behind `before`, up to a blank.
std::string word_behind(const std::string& text, const std::string& before) {
  const size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const size_t from = at + before.size();
  return text.substr(from, text.find(' ', from) - from);
}

}  // namespace

Usage usage_of(const CLI::App& app, const CLI::ParseError& error) {
  const auto chosen = app.get_subcommands();
  const CLI::App& at = chosen.empty() ? app : *chosen.front();
  const std::string help = "tenon " + (chosen.empty() ? "" : at.get_name() + " ") + "--help";
  const std::string text = error.what();
  const std::vector<std::string> rest = app.remaining(true);
  if (chosen.empty() && !rest.empty() && !rest.front().starts_with("-")) {
    std::vector<std::string> names;
    for (const CLI::App* s : app.get_subcommands({})) names.push_back(s->get_name());
    return Usage("no command '" + rest.front() + "'" + nearest(rest.front(), names) + "; try " +
                 help);
  }
  if (!rest.empty()) return Usage(unknown(at, rest) + "; try " + help);
  switch (static_cast<CLI::ExitCodes>(error.get_exit_code())) {
    case CLI::ExitCodes::RequiredError:
      return Usage(chosen.empty() ? "which command? Try " + help
                                  : text.substr(0, text.find(' ')) + " is missing; try " + help);
    case CLI::ExitCodes::ArgumentMismatch:
      return Usage(text.substr(0, text.find(':')) + " needs a value; try " + help);
    case CLI::ExitCodes::ConversionError:
      return Usage(word_behind(text, "convert: ") + " takes a number, not '" +
                   word_behind(text, " = ") + "'");
    case CLI::ExitCodes::ValidationError:
      if (const std::string value = word_behind(text, ": Value "); !value.empty()) {
        const std::string name = text.substr(0, text.find(':'));
        const bool number = value.find_first_not_of("+-0123456789.") == std::string::npos;
        const size_t range = text.find(" in range ");
        return Usage(name + " takes a number" +
                     (number && range != std::string::npos ? " from " + text.substr(range + 10)
                                                           : std::string()) +
                     ", not '" + value + "'");
      }
      return Usage(text);
    default:
      return Usage(text);
  }
}

}  // namespace tenon::cli

#include "usage.hpp"

#include "tenon/conformance/nearest.hpp"

namespace tenon::cli {
namespace {

using conformance::nearest;

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

#include "table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace tenon::cli {
namespace {

constexpr size_t kIndent = 2, kGap = 2, kLeast = 10;

bool colourful() {
  static const bool on = [] {
    const char* refused = std::getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) != 0 && !(refused && *refused);
  }();
  return on;
}

// Columns that a text takes: its code points.
size_t columns(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

// Where the first `n` columns of a text end.
size_t end_of_columns(std::string_view text, size_t n) {
  size_t at = 0;
  for (; at < text.size(); ++at)
    if ((text[at] & 0xC0) != 0x80 && n-- == 0) break;
  return at;
}

// Bytes of the UTF-8 character that `text` begins with; 0: it begins with none. (Surrogates and overlong forms pass.)
size_t character_length(std::string_view text) {
  const auto c = static_cast<unsigned char>(text[0]);
  const size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
  if (n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((text[i] & 0xC0) != 0x80) return 0;
  return n;
}

// U+0000 to U+001F, U+007F, U+0080 to U+009F.
bool is_control(std::string_view character) {
  const auto c = static_cast<unsigned char>(character[0]);
  return c < 0x20 || c == 0x7F || (c == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

}  // namespace

std::string printable(std::string_view text, bool keep_lines) {
  std::string out;
  for (size_t n = 1; !text.empty(); text.remove_prefix(n)) {
    n = character_length(text);
    const char c = text[0];
    if (n != 0 && (!is_control(text.substr(0, n)) || (keep_lines && c == '\n'))) {
      out += text.substr(0, n);
      continue;
    }
    n = std::max<size_t>(n, 1);
    if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
      continue;
    }
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(text[n - 1]));
    out += code;
  }
  return out;
}

std::string styled(std::string_view text, Style style) {
  static constexpr const char* kCodes[] = {"",         "\x1b[2m",  "\x1b[1m",
                                           "\x1b[32m", "\x1b[33m", "\x1b[31m"};
  if (style == Style::plain || !colourful()) return std::string(text);
  return kCodes[static_cast<size_t>(style)] + std::string(text) + "\x1b[0m";
}

size_t terminal_width() {
  winsize size{};
  if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::max<size_t>(size.ws_col, 60);
  return 80;
}

std::string bytes_text(uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::vector<std::string> wrap(std::string_view text, size_t width) {
  std::vector<std::string> lines;
  while (columns(text) > width || text.find('\n') < text.size()) {
    const size_t end = end_of_columns(text, width);
    size_t cut = text.find('\n');
    if (cut > end) cut = text.rfind(' ', end);
    const bool word = cut != std::string_view::npos && cut > 0;
    if (!word) {
      const size_t slash = text.rfind('/', end - 1);
      cut = slash == std::string_view::npos || slash == 0 ? end : slash + 1;
    }
    lines.emplace_back(text.substr(0, cut));
    text.remove_prefix(std::min(text.size(), cut + (word ? 1 : 0)));
  }
  lines.emplace_back(text);
  return lines;
}

void Table::add(std::vector<Cell> row) {
  for (Cell& cell : row) cell.text = printable(cell.text, true);
  rows_.push_back(std::move(row));
}

// Columns of the longest piece of a column between `separators`, one of them counted with it.
size_t Table::longest(size_t column, std::string_view separators) const {
  size_t most = columns(headings_[column]);
  for (const auto& row : rows_) {
    const std::string_view text = row[column].text;
    for (size_t from = 0; from < text.size();) {
      const size_t end = std::min(text.find_first_of(separators, from), text.size());
      const bool slash = end < text.size() && text[end] == '/';  // stays at the end of its line
      most = std::max(most, columns(text.substr(from, end - from)) + (slash ? 1 : 0));
      from = end + 1;
    }
  }
  return most;
}

// As wide as the widest cell; where that is too much together, the widest columns give way: down to their longest word, then to
// the longest part of a path, and only then is a word cut.
std::vector<size_t> Table::widths() const {
  std::vector<size_t> widths, words, parts;
  size_t sum = kIndent + kGap * (headings_.size() - 1);
  for (size_t i = 0; i < headings_.size(); ++i) {
    size_t w = columns(headings_[i]);
    for (const auto& row : rows_) w = std::max(w, columns(row[i].text));
    widths.push_back(w);
    words.push_back(longest(i, " \n"));
    parts.push_back(longest(i, " \n/"));
    sum += w;
  }
  const size_t room = terminal_width();
  for (const std::vector<size_t>& least : {words, parts, std::vector(words.size(), kLeast)}) {
    while (sum > room) {
      size_t widest = widths.size();
      for (size_t i = 0; i < widths.size(); ++i)
        if (widths[i] > std::max(least[i], kLeast) &&
            (widest == widths.size() || widths[i] > widths[widest]))
          widest = i;
      if (widest == widths.size()) break;
      --widths[widest], --sum;
    }
  }
  return widths;
}

std::string Table::text() const {
  const std::vector<size_t> width = widths();
  std::string out;
  const auto add_row = [&](const std::vector<Cell>& row) {
    std::vector<std::vector<std::string>> lines;
    size_t height = 1;
    for (size_t i = 0; i < row.size(); ++i) {
      lines.push_back(wrap(row[i].text.empty() ? "-" : row[i].text, width[i]));
      height = std::max(height, lines.back().size());
    }
    for (size_t y = 0; y < height; ++y) {
      size_t pending = kIndent;  // blanks are written only before something
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string piece = y < lines[i].size() ? lines[i][y] : "";
        if (!piece.empty())
          out += std::string(pending, ' ') + styled(piece, row[i].style), pending = 0;
        pending += width[i] - columns(piece) + kGap;
      }
      out += '\n';
    }
  };
  std::vector<Cell> head;
  for (const std::string& h : headings_) head.push_back({h, Style::dim});
  add_row(head);
  for (const auto& row : rows_) add_row(row);
  return out;
}

}  // namespace tenon::cli

// Columns for a terminal: as wide as the window (80 where there is none), long cells wrapped, colour only on a terminal.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenon::cli {

enum class Style : uint8_t { plain, dim, bold, good, warn, bad };

// `text` in a colour, if stdout is a terminal and NO_COLOR is not set.
std::string styled(std::string_view text, Style style);
// `text` with control characters and bytes that are no UTF-8 written out, as \n or \x1b: what comes from a file or a plugin cannot
// steer a terminal. With keep_lines line feeds stay.
std::string printable(std::string_view text, bool keep_lines = false);
// Columns of stdout.
size_t terminal_width();
// "38.7 KiB"
std::string bytes_text(uint64_t bytes);
// Lines of at most `width` columns, broken between words where possible, else after a slash.
std::vector<std::string> wrap(std::string_view text, size_t width);

struct Cell {
  std::string text;
  Style style = Style::plain;
};

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  // As many cells as there are headings. An empty one is shown as "-"; only line feeds are obeyed.
  void add(std::vector<Cell> row);
  std::string text() const;

 private:
  std::vector<size_t> widths() const;
  size_t longest(size_t column, std::string_view separators) const;

  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tenon::cli

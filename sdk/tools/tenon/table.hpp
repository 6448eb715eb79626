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
// Columns of stdout.
size_t terminal_width();
// "38.7 KiB"
std::string bytes_text(uint64_t bytes);
// Lines of at most `width` columns, broken between words where possible.
std::vector<std::string> wrap(std::string_view text, size_t width);

struct Cell {
  std::string text;
  Style style = Style::plain;
};

class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  // As many cells as there are headings. An empty one is shown as "-".
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<size_t> widths() const;

  std::vector<std::string> headings_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tenon::cli

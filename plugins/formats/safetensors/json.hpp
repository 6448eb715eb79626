// The JSON that a header may hold: objects, lists of whole numbers, strings. Strict, and without recursion: the caller says
// at each place what it expects, so nothing nests deeper than the format does.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tenon::safetensors {

// Reads from left to right and throws sdk::Error(TN_DATA_LOSS, "byte N of the header: ...") at the first fault.
class JsonReader {
 public:
  // Strings are decoded in place, into the bytes that they stood in: `text` is changed.
  explicit JsonReader(std::span<char> text) : text_(text) {}

  // The next character that is no white space must be `c`, which is consumed. `where`: "after a tensor's name".
  void expect(char c, const char* where);
  // Consumes `c` if it comes next.
  bool accept(char c);
  // A string: UTF-8 without control characters, escapes resolved. Lives as long as the text.
  std::string_view string(const char* what);
  // A whole number from 0 to 2^64 - 1: no sign, fraction, exponent or leading zero.
  uint64_t number(const char* what);
  // Only white space is left.
  void end();

 private:
  [[noreturn]] void fault(size_t at, std::string_view what) const;
  void skip_space();
  std::string found() const;
  char32_t escape();
  char32_t hex4();
  size_t sequence(size_t at) const;

  std::span<char> text_;
  size_t at_ = 0;
};

// Bytes of the well-formed UTF-8 sequence that begins `text`; 0 if none does.
size_t utf8_sequence(std::string_view text);
bool valid_utf8(std::string_view text);
// Appends `text`, which must be UTF-8, as a JSON string.
void append_json(std::string& out, std::string_view text);
// A name from a file for a message: in quotes, without control characters, cut when long.
std::string quoted(std::string_view name);

}  // namespace tenon::safetensors

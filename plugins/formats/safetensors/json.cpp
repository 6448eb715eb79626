#include "json.hpp"

#include <tenon/sdk/guard.hpp>

namespace tenon::safetensors {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Writes one code point; 1 to 4 bytes.
size_t encode_utf8(char32_t c, char* to) {
  if (c < 0x80) {
    to[0] = static_cast<char>(c);
    return 1;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr unsigned kLead[] = {0, 0xc0, 0xe0, 0xf0};
  to[0] = static_cast<char>(kLead[more] | (c >> (6 * more)));
  for (int i = 1; i <= more; ++i) {
    to[i] = static_cast<char>(0x80 | ((c >> (6 * (more - i))) & 0x3f));
  }
  return static_cast<size_t>(more) + 1;
}

}  // namespace

// The well-formed sequences of The Unicode Standard, table 3-7: no overlong form, no surrogate, nothing above U+10FFFF.
size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < n) return 0;
  const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < n; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  }
  return n;
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t n = utf8_sequence(text);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string quoted(std::string_view name) {
  constexpr size_t kLongest = 80;
  std::string out = "\"";
  while (!name.empty() && out.size() < kLongest) {
    const size_t n = utf8_sequence(name);
    const auto c = static_cast<unsigned char>(name[0]);
    if (n == 0 || (n == 1 && (c < 0x20 || c == 0x7f))) {
      out += "\\x";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += name.substr(0, n);
    }
    name.remove_prefix(n == 0 ? 1 : n);
  }
  return out + (name.empty() ? "\"" : "...\"");
}

void JsonReader::fault(size_t at, std::string_view what) const {
  sdk::fail(TN_DATA_LOSS, "byte ", at, " of the header: ", what, ".");
}

void JsonReader::skip_space() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
}

std::string JsonReader::found() const {
  if (at_ == text_.size()) return "the header ends";
  const char c = text_[at_];
  return c > 0x20 && c < 0x7f ? sdk::text('\'', c, "' is there") : "something else is there";
}

void JsonReader::expect(char c, const char* where) {
  if (accept(c)) return;
  fault(at_, sdk::text("expected '", c, "' ", where, ", but ", found()));
}

bool JsonReader::accept(char c) {
  skip_space();
  if (at_ == text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

std::string_view JsonReader::string(const char* what) {
  skip_space();
  if (at_ == text_.size() || text_[at_] != '"') {
    fault(at_, sdk::text("expected ", what, " in quotes, but ", found()));
  }
  const size_t start = ++at_;
  size_t to = start;
  for (;;) {
    if (at_ == text_.size()) fault(start - 1, sdk::text(what, " has no end"));
    const char c = text_[at_];
    if (c == '"') break;
    if (c == '\\') {
      // An escape is never shorter than what it stands for.
      to += encode_utf8(escape(), &text_[to]);
      continue;
    }
    if (static_cast<unsigned char>(c) < 0x20) fault(at_, "a control character within a string");
    const size_t n = utf8_sequence({&text_[at_], text_.size() - at_});
    if (n == 0) fault(at_, "not UTF-8");
    for (size_t i = 0; i < n; ++i) text_[to++] = text_[at_++];
  }
  ++at_;
  return {&text_[start], to - start};
}

char32_t JsonReader::hex4() {
  char32_t value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (is_digit(c)) {
      value = value * 16 + static_cast<char32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      value = value * 16 + static_cast<char32_t>((c | 0x20) - 'a' + 10);
    } else {
      fault(at_, "\\u wants four hexadecimal digits");
    }
  }
  return value;
}

char32_t JsonReader::escape() {
  const size_t start = at_++;
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  ++at_;
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return static_cast<char32_t>(c);
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'u':
      break;
    default:
      fault(start, "an escape that JSON does not have");
  }
  const char32_t high = hex4();
  if (high < 0xd800 || high > 0xdfff) return high;
  if (high < 0xdc00 && at_ + 1 < text_.size() && text_[at_] == '\\' && text_[at_ + 1] == 'u') {
    at_ += 2;
    const char32_t low = hex4();
    if (low >= 0xdc00 && low <= 0xdfff) return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }
  fault(start, "half a surrogate pair");
}

uint64_t JsonReader::number(const char* what) {
  skip_space();
  const size_t start = at_;
  uint64_t value = 0;
  for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
    const auto digit = static_cast<uint64_t>(text_[at_] - '0');
    if (value > (UINT64_MAX - digit) / 10) fault(start, sdk::text(what, " is above 2^64 - 1"));
    value = value * 10 + digit;
  }
  const char next = at_ < text_.size() ? text_[at_] : '\0';
  if (at_ == start || next == '.' || next == 'e' || next == 'E') {
    at_ = start;
    fault(start, sdk::text(what, " must be a whole number, 0 or above, but ", found()));
  }
  if (at_ - start > 1 && text_[start] == '0') fault(start, sdk::text(what, " begins with 0"));
  return value;
}

void JsonReader::end() {
  skip_space();
  if (at_ != text_.size()) fault(at_, sdk::text("the header should be over, but ", found()));
}

}  // namespace tenon::safetensors

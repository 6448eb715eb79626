#include "base/json_text.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace {
std::string json_of(std::string_view text) { return tenon::json_string(text); }
}  // namespace

TEST_CASE("json text: escapes") {
  CHECK(json_of("") == "\"\"");
  CHECK(json_of("a\"b\\c\n\t\r") == R"("a\"b\\c\n\t\r")");
  CHECK(json_of(std::string_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(json_of("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
        "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

TEST_CASE("json text: whatever bytes go in, valid JSON comes out") {
  const std::string bad = "\xef\xbf\xbd";
  CHECK(json_of("\xff") == '"' + bad + '"');
  CHECK(json_of("\xc0\xaf") == '"' + bad + bad + '"');            // overlong
  CHECK(json_of("\xed\xa0\x80") == '"' + bad + bad + bad + '"');  // surrogate
  CHECK(json_of("\xe2\x82") == '"' + bad + bad + '"');            // cut off
  CHECK(json_of("\xf4\x90\x80\x80") == '"' + bad + bad + bad + bad + '"');
  uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (int k = 0; k < 6; ++k)
      text += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    CHECK(nlohmann::json::accept(json_of(text)));
  }
}

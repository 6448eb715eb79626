// Texts: what messages are put together with. The expected texts are those of the fmt library.
#include <doctest/doctest.h>

#include <bit>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>

#include "base/error.hpp"

using namespace tenon;

TEST_CASE("texts: integers, names and braces") {
  CHECK(fmt::format("") == "");
  CHECK(fmt::format("{{{}}} {}% of }}", 1, "two") == "{1} two% of }");
  CHECK(fmt::format("{}{}{}", std::string("a"), 'b', std::string_view("c\0d", 3)) ==
        std::string("abc\0d", 5));
  CHECK(fmt::format("{} {}", true, false) == "true false");
  CHECK(fmt::format("{} {}", std::numeric_limits<int64_t>::min(),
                    std::numeric_limits<uint64_t>::max()) ==
        "-9223372036854775808 18446744073709551615");
  CHECK(fmt::format("{:#x} {:#x}", 255u, uint64_t{0}) == "0xff 0x0");
  CHECK(fmt::format("{}.{:03}", 12, 7) == "12.007");
  CHECK(fmt::format("{:03} {:03}", 1234, 0) == "1234 000");
}

TEST_CASE("texts: numbers") {
  const std::pair<double, const char*> kTexts[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {0.1, "0.1"},
      {-2.5, "-2.5"},
      {100000, "100000"},
      {1e15, "1000000000000000"},
      {1e16, "1e+16"},
      {123456789012345680, "1.2345678901234568e+17"},
      {1e-4, "0.0001"},
      {1e-5, "1e-05"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {INFINITY, "inf"},
      {-INFINITY, "-inf"}};
  for (const auto& [value, text] : kTexts) CHECK(fmt::format("{}", value) == text);
  CHECK(fmt::format("{} {}", 0.1f, 16777216.f) == "0.1 16777216");
  CHECK(number_text(1.0 / 3, 1000000).size() == 56);  // every digit that it has
  CHECK(number_text(0.5, 3) == "0.5");
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    CHECK(std::strtod(fmt::format("{}", value).c_str(), nullptr) == value);
    char text[64];
    std::snprintf(text, sizeof text, "%.8g", value);
    CHECK(fmt::format("{:.8g}", value) == text);
  }
}

#include "plugin/sha256.hpp"

#include <doctest/doctest.h>

#include <string>

using tenon::Sha256;

namespace {
std::string hash(const std::string& text, size_t step) {
  Sha256 h;
  for (size_t at = 0; at < text.size(); at += step)
    h.add(text.data() + at, std::min(step, text.size() - at));
  return h.finish();
}
}  // namespace

// Vectors of FIPS 180-4's examples and of the NIST test suite (SHA256ShortMsg).
TEST_CASE("sha256: the published vectors") {
  CHECK(hash("", 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hash("abc", 3) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 100) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hash("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmno"
             "pqrlmnopqrsmnopqrstnopqrstu",
             100) == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(hash(std::string(1000000, 'a'), 4096) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: how a message is cut does not matter") {
  std::string text;
  for (size_t n = 0; n < 200; ++n) {
    const std::string whole = hash(text, 1000);
    for (size_t step : {size_t{1}, size_t{7}, size_t{63}, size_t{64}, size_t{65}})
      CHECK(hash(text, step) == whole);
    text += static_cast<char>(n * 37);
  }
}

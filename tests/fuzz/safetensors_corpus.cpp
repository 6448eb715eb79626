// The safetensors fuzzer without libFuzzer: the files named as arguments, else seeds of its own with every truncation, every byte
// of the header replaced, and random changes from a fixed start. Exit status 0: nothing broke and no truncation was taken.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "safetensors_cases.hpp"
#include "safetensors_fuzz.hpp"

namespace {

using tenon::test::offer_safetensors;
using tenon::test::safetensors;

long g_offered = 0, g_taken = 0;

bool offer(const std::string& bytes) {
  ++g_offered;
  const bool taken =
      offer_safetensors(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  g_taken += taken;
  return taken;
}

std::vector<std::string> seeds() {
  return {
      safetensors("{}", 0),
      safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  )", 8),
      safetensors(
          R"({"__metadata__":{"format":"pt","\u00e9\n":""},"w":{"dtype":"BF16","shape":[2,3],)"
          R"("data_offsets":[8,20]},"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
          R"("e":{"dtype":"U8","shape":[0,7],"data_offsets":[20,20]}})",
          20),
  };
}

void truncate_everywhere(const std::string& seed) {
  for (size_t n = 0; n < seed.size(); ++n) {
    if (offer(seed.substr(0, n))) {
      std::fprintf(stderr, "a file of %zu bytes cut off at %zu was taken\n", seed.size(), n);
      std::exit(1);
    }
  }
}

void replace_everywhere(const std::string& seed, size_t data_bytes) {
  static const std::string kInteresting("\0\x01\x1f\x7f\x80\xc3\xff \"\\{}[]:,-+.eE0189au", 25);
  for (size_t at = 0; at < seed.size() - data_bytes; ++at) {
    std::string changed = seed;
    for (const char c : kInteresting) {
      changed[at] = c;
      offer(changed);
    }
    for (int bit = 0; bit < 8; ++bit) {
      changed[at] = static_cast<char>(seed[at] ^ (1 << bit));
      offer(changed);
    }
    // A byte less and a byte more, with the length made to fit.
    for (const bool remove : {true, false}) {
      std::string header = seed.substr(8, seed.size() - 8 - data_bytes);
      if (at < 8) continue;
      if (remove) {
        header.erase(at - 8, 1);
      } else {
        header.insert(at - 8, 1, header[at - 8]);
      }
      offer(safetensors(header, data_bytes));
    }
  }
}

void change_at_random(const std::string& seed, int rounds) {
  std::mt19937 random(20240501);
  const auto below = [&](size_t n) { return random() % n; };
  for (int i = 0; i < rounds; ++i) {
    std::string changed = seed;
    for (size_t k = 1 + below(6); k > 0 && !changed.empty(); --k) {
      const size_t at = below(changed.size());
      const size_t n = std::min<size_t>(1 + below(12), changed.size() - at);
      const std::string part = changed.substr(at, n);
      switch (below(4)) {
        case 0:
          changed[at] = static_cast<char>(random());
          break;
        case 1:
          changed.erase(at, n);
          break;
        case 2:
          changed.insert(below(changed.size()), part);
          break;
        default:
          changed.replace(at, n, std::to_string(random() >> below(32)));
          break;
      }
    }
    if (changed.size() >= 8 && below(2)) {  // half of them with a length that fits
      const uint64_t length = changed.size() - 8 - std::min<size_t>(below(24), changed.size() - 8);
      std::memcpy(changed.data(), &length, 8);
    }
    offer(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream in(argv[i], std::ios::binary);
    offer({std::istreambuf_iterator<char>(in), {}});
  }
  if (argc == 1) {
    const size_t data_bytes[] = {0, 8, 20};
    size_t k = 0;
    for (const std::string& seed : seeds()) {
      if (!offer(seed)) {
        std::fprintf(stderr, "a whole file was refused\n");
        return 1;
      }
      truncate_everywhere(seed);
      replace_everywhere(seed, data_bytes[k++]);
      change_at_random(seed, 5000);
    }
    for (const auto& bad : tenon::test::bad_files()) {
      if (offer(bad.bytes)) {
        std::fprintf(stderr, "%s was taken\n", bad.what);
        return 1;
      }
    }
  }
  std::printf("offered %ld files, %ld were taken\n", g_offered, g_taken);
  return 0;
}

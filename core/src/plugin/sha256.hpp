// SHA-256 (FIPS 180-4), for the hashes of plugins.lock.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace tenon {

class Sha256 {
 public:
  // Any number of calls; their bytes are one message.
  void add(const void* data, size_t bytes);
  // 64 lower-case hexadecimal digits. Ends the message: call once.
  std::string finish();

 private:
  void block(const unsigned char* p);

  std::array<uint32_t, 8> hash_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_{};
  uint64_t bytes_ = 0;
};

}  // namespace tenon

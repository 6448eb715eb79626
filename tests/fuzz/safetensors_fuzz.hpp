// One input of the safetensors fuzzers.
#pragma once
#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace tenon::test {

// Offers the bytes to the plugin as a file, mapped and copied. True if it takes them. Aborts when the two ways differ, when what
// it took does not keep to the rules of the format, or when it cannot write and read back what it took.
bool offer_safetensors(const uint8_t* data, size_t size);

}  // namespace tenon::test

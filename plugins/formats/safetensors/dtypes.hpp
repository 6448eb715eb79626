// The dtypes of the format, by its names.
#pragma once
#include <tenon/base.h>

#include <cstdint>
#include <string_view>

namespace tenon::safetensors {

struct Dtype {
  std::string_view name;  // "F32"
  tn_dtype dtype;
  uint64_t bytes;  // of one element
  int order;  // in a file, greatest first: element sizes fall, so every tensor is aligned to its own
};

// Null where there is none.
const Dtype* find_dtype(std::string_view name);
const Dtype* find_dtype(tn_dtype dtype);

}  // namespace tenon::safetensors

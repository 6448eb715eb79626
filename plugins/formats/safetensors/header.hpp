// The header of a safetensors file: which tensors lie where. Everything is checked before anything is given out.
#pragma once
#include <tenon/plugin/format.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "dtypes.hpp"

namespace tenon::safetensors {

// The largest header that the format's own library reads.
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

// All limits set; see effective().
struct Limits {
  uint64_t max_bytes, max_tensors, max_name_bytes, max_header_bytes;
  bool copy;
};
// What the host asks for; 0 or a field that it does not know: the format's own limit.
Limits effective(const tn_format_limits* given);

struct Tensor {
  std::string_view name;  // in Header::text
  const Dtype* dtype;
  uint64_t begin, end;  // bytes of the data part
  uint32_t rank;
  uint32_t first_dim;  // in Header::dims
};

struct Header {
  std::vector<char> text;  // the JSON, strings decoded in place
  std::vector<int64_t> dims;
  std::vector<Tensor> tensors;  // in the order of their data
  std::vector<tn_metadata> metadata;
};

// text: the JSON. data_bytes: how many bytes follow it in the file. Throws sdk::Error: TN_DATA_LOSS for what the format does
// not allow, TN_OUT_OF_RANGE for what goes beyond a limit, TN_UNIMPLEMENTED for a dtype that Tenon does not have.
// What it allocates is bounded by the size of `text`.
Header parse_header(std::vector<char> text, uint64_t data_bytes, const Limits& limits);

}  // namespace tenon::safetensors

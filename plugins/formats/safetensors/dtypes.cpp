#include "dtypes.hpp"

namespace tenon::safetensors {
namespace {

// In the order in which the format's own library ranks them.
constexpr Dtype kDtypes[] = {
    {"BOOL", TN_DTYPE_BOOL, 1, 0},      {"U8", TN_DTYPE_U8, 1, 1},
    {"I8", TN_DTYPE_I8, 1, 2},          {"F8_E5M2", TN_DTYPE_F8E5M2, 1, 3},
    {"F8_E4M3", TN_DTYPE_F8E4M3, 1, 4}, {"I16", TN_DTYPE_I16, 2, 5},
    {"U16", TN_DTYPE_U16, 2, 6},        {"F16", TN_DTYPE_F16, 2, 7},
    {"BF16", TN_DTYPE_BF16, 2, 8},      {"I32", TN_DTYPE_I32, 4, 9},
    {"U32", TN_DTYPE_U32, 4, 10},       {"F32", TN_DTYPE_F32, 4, 11},
    {"C64", TN_DTYPE_C64, 8, 12},       {"F64", TN_DTYPE_F64, 8, 13},
    {"I64", TN_DTYPE_I64, 8, 14},       {"U64", TN_DTYPE_U64, 8, 15},
};

}  // namespace

const Dtype* find_dtype(std::string_view name) {
  for (const Dtype& d : kDtypes) {
    if (d.name == name) return &d;
  }
  return nullptr;
}

const Dtype* find_dtype(tn_dtype dtype) {
  for (const Dtype& d : kDtypes) {
    if (d.dtype == dtype) return &d;
  }
  return nullptr;
}

}  // namespace tenon::safetensors

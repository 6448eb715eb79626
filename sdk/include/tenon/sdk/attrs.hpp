// Attribute readers. In prepare, signature.attrs holds every attribute of the schema, so attrs[key].key == key; the key of an
// attribute is TN_<OP>_<ATTRIBUTE> of <tenon/op_ids.h>. What is read from lists and strings is valid only during prepare.
#ifndef TENON_SDK_ATTRS_HPP_
#define TENON_SDK_ATTRS_HPP_
#include <tenon/plugin/kernels.h>

#include <span>
#include <string_view>
#include <vector>

#include "guard.hpp"
#include "shape.hpp"

namespace tenon::sdk {

inline const tn_attr& attr(const tn_signature& s, uint32_t key, uint32_t tag) {
  if (key >= s.n_attrs) fail(TN_INTERNAL, "attribute ", key, " is missing: there are ", s.n_attrs);
  if (s.attrs[key].tag != tag) {
    fail(TN_INTERNAL, "attribute ", key, " has tag ", s.attrs[key].tag, ", expected ", tag);
  }
  return s.attrs[key];
}

inline int64_t attr_i64(const tn_signature& s, uint32_t key) {
  return static_cast<int64_t>(attr(s, key, TN_ATTR_I64).bits);
}
inline double attr_f64(const tn_signature& s, uint32_t key) {
  return tn_attr_get_f64(&attr(s, key, TN_ATTR_F64));
}
inline bool attr_bool(const tn_signature& s, uint32_t key) {
  return attr(s, key, TN_ATTR_BOOL).bits != 0;
}
inline tn_dtype attr_dtype(const tn_signature& s, uint32_t key) {
  return static_cast<tn_dtype>(attr(s, key, TN_ATTR_DTYPE).bits);
}
inline std::string_view attr_string(const tn_signature& s, uint32_t key) {
  const tn_attr& a = attr(s, key, TN_ATTR_STRING);
  return {static_cast<const char*>(a.data), static_cast<size_t>(a.bits)};
}
inline std::span<const int64_t> attr_i64s(const tn_signature& s, uint32_t key) {
  const tn_attr& a = attr(s, key, TN_ATTR_I64S);
  return {static_cast<const int64_t*>(a.data), static_cast<size_t>(a.bits)};
}
inline std::span<const double> attr_f64s(const tn_signature& s, uint32_t key) {
  const tn_attr& a = attr(s, key, TN_ATTR_F64S);
  return {static_cast<const double*>(a.data), static_cast<size_t>(a.bits)};
}

// A list of n entries; an empty one stands for n times `fallback`.
inline std::vector<int64_t> attr_i64s_or(const tn_signature& s, uint32_t key, size_t n,
                                         int64_t fallback) {
  const auto list = attr_i64s(s, key);
  if (list.empty()) return std::vector<int64_t>(n, fallback);
  if (list.size() != n) {
    fail(TN_INVALID_ARGUMENT, "attribute ", key, " has ", list.size(), " entries, expected ", n);
  }
  return {list.begin(), list.end()};
}

// An axis counted from the end when negative, as 0..rank-1.
inline int attr_axis(const tn_signature& s, uint32_t key, int rank) {
  return normal_axis(attr_i64(s, key), rank);
}

// The axes of a convolution or a pool from its lists of strides, paddings and dilations, each of `n` entries or empty.
inline std::vector<WindowAxis> attr_windows(const tn_signature& s, size_t n, uint32_t stride,
                                            uint32_t low, uint32_t dilation) {
  const auto strides = attr_i64s_or(s, stride, n, 1), lows = attr_i64s_or(s, low, n, 0);
  const auto dilations = attr_i64s_or(s, dilation, n, 1);
  std::vector<WindowAxis> axes(n);
  for (size_t i = 0; i < n; ++i) axes[i] = {strides[i], lows[i], dilations[i], 1};
  return axes;
}

}  // namespace tenon::sdk
#endif

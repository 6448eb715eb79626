#include "wide.hpp"

#include <cstring>

namespace tenon::reference {

template <class W>
Dense<W> load(const tn_view& v) {
  Dense<W> out;
  sdk::visit_dtype<sdk::Stored>(v.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (std::same_as<Wide<T>, W>) {
      const T* x = sdk::data<const T>(v);
      if (sdk::is_immediate(v)) {
        out.assign(1, convert<W>(*x));
        return;
      }
      out.resize(static_cast<size_t>(v.count));
      W* next = out.data();
      sdk::for_each(sdk::coalesce_views(v), [&](int64_t i) { *next++ = convert<W>(x[i]); });
    }
  });
  return out;
}

template <class W>
void store(const Dense<W>& values, const tn_view& v) {
  sdk::visit_dtype<sdk::Stored>(v.dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    T* y = sdk::data<T>(v);
    const W* next = values.data();
    sdk::for_each(sdk::coalesce_views(v), [&](int64_t i) { y[i] = convert<T>(*next++); });
  });
}

#define WIDE(W)                           \
  template Dense<W> load(const tn_view&); \
  template void store(const Dense<W>&, const tn_view&)
WIDE(uint64_t);
WIDE(int64_t);
WIDE(double);
WIDE(c128);
#undef WIDE

Dense<int64_t> load_indices(const tn_view& v) {
  Dense<int64_t> out;
  visit_wide(v.dtype, [&](auto zero) {
    using W = decltype(zero);
    if constexpr (Integer<W>) {
      for (W value : load<W>(v)) out.push_back(static_cast<int64_t>(value));
    }
  });
  return out;
}

Dense<std::byte> load_bytes(const tn_view& v) {
  const auto size = static_cast<size_t>(sdk::element_bytes(v));
  const auto* from = sdk::data<const std::byte>(v);
  if (sdk::is_immediate(v)) return {from, from + size};
  Dense<std::byte> out(static_cast<size_t>(v.count) * size);
  std::byte* next = out.data();
  sdk::for_each(sdk::coalesce_views(v), [&](int64_t i) {
    std::memcpy(next, from + i * static_cast<int64_t>(size), size);
    next += size;
  });
  return out;
}

Dense<std::byte> load_bytes_like(const tn_view& v, const tn_view& out) {
  Dense<std::byte> one = load_bytes(v);
  if (!sdk::is_immediate(v)) return one;
  Dense<std::byte> all;
  all.reserve(one.size() * static_cast<size_t>(out.count));
  for (int64_t i = 0; i < out.count; ++i) all.insert(all.end(), one.begin(), one.end());
  return all;
}

void store_bytes(const Dense<std::byte>& bytes, const tn_view& v) {
  const auto size = static_cast<size_t>(sdk::element_bytes(v));
  auto* to = sdk::data<std::byte>(v);
  const std::byte* next = bytes.data();
  sdk::for_each(sdk::coalesce_views(v), [&](int64_t i) {
    std::memcpy(to + i * static_cast<int64_t>(size), next, size);
    next += size;
  });
}

AxisSplit split_at(std::span<const int64_t> dims, int64_t axis) {
  const auto at = static_cast<size_t>(normal_axis(axis, static_cast<int64_t>(dims.size())));
  return {product(dims.first(at)), dims[at], product(dims.subspan(at + 1))};
}

int normal_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    sdk::fail(TN_OUT_OF_RANGE, "axis ", axis, " of a tensor of rank ", rank);
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

int64_t product(std::span<const int64_t> dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

}  // namespace tenon::reference

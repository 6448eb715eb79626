// Indices of gather and scatter: read as int64, negative ones counted from the end, checked.
#ifndef TENON_CPU_INDEX_HPP_
#define TENON_CPU_INDEX_HPP_
#include <tenon/sdk/dtype.hpp>

#include "../cpu.hpp"
#include "../scratch.hpp"

namespace tenon::cpu::CPU_ISA {

// `count` positions 0..size-1 out of indices, those below 0 counted from the end where `wraps`. The
// place of the first that lies outside, or -1.
template <class I>
int64_t to_positions(int64_t* to, const I* from, int64_t count, int64_t size, bool wraps) {
  const int64_t add = wraps && std::is_signed_v<I> ? size : 0;
  bool good = true;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t k = int64_t(from[i]);
    const int64_t at = k < 0 ? int64_t(uint64_t(k) + uint64_t(add)) : k;
    good &= uint64_t(at) < uint64_t(size);
    to[i] = at;
  }
  if (good) return -1;
  int64_t bad = 0;
  while (uint64_t(to[bad]) < uint64_t(size)) ++bad;
  return bad;
}

// The same from a dense view of any integer dtype. Null, or OUT_OF_RANGE: see `outside`.
inline tn_error* read_positions(const Device& device, const char* what, const tn_view* v,
                                int64_t size, bool wraps, int64_t* to) {
  int64_t bad = -1, index = 0;
  sdk::visit_dtype<sdk::Integers>(v->dtype, [&](auto type) {
    const auto* from = input<typename decltype(type)::type>(v);
    bad = to_positions(to, from, v->count, size, wraps);
    if (bad >= 0) index = int64_t(from[bad]);
  });
  return bad < 0 ? nullptr : outside(device, what, v->dtype, index, bad, size, wraps);
}

// The positions of gather and scatter. what: of their indices, in errors.
class Indices {
 public:
  tn_error* read(const Device& device, const char* what, const tn_view* v, int64_t size) {
    count_ = v->count;
    own_.reset(device, count_);
    if (!own_)
      return fail(device, TN_OUT_OF_MEMORY, "no host memory for %lld indices", (long long)count_);
    return read_positions(device, what, v, size, true, own_.get());
  }
  const int64_t* data() const { return own_.get(); }
  int64_t count() const { return count_; }

 private:
  Scratch<int64_t> own_;
  int64_t count_ = 0;
};

// What an axis splits a dense view into.
struct Split {
  int64_t outer = 1, size = 1, inner = 1;
};
inline Split split_at(const tn_view* v, int axis) {
  Split s;
  for (int i = 0; i < axis; ++i) s.outer *= v->dims[i];
  s.size = v->dims[axis];
  for (int i = axis + 1; i < v->rank; ++i) s.inner *= v->dims[i];
  return s;
}

inline bool is_index(tn_dtype dtype) { return sdk::has_dtype<sdk::Integers>(dtype); }

}  // namespace tenon::cpu::CPU_ISA

#endif

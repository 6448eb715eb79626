// Indices of gather and scatter: read as int64, negative ones counted from the end, checked.
#ifndef TENON_CPU_INDEX_HPP_
#define TENON_CPU_INDEX_HPP_
#include <tenon/sdk/dtype.hpp>

#include "../cpu.hpp"
#include "../scratch.hpp"

namespace tenon::cpu::CPU_ISA {

// Positions 0..size-1 from a dense view of any integer dtype.
class Indices {
 public:
  // Null, or OUT_OF_RANGE naming the first index that lies outside -size..size-1.
  tn_error* read(const Device& device, const tn_view* v, int64_t size) {
    count_ = v->count;
    own_.reset(device, count_);
    if (!own_)
      return fail(device, TN_OUT_OF_MEMORY, "no host memory for %lld indices", (long long)count_);
    int64_t bad = -1;
    sdk::visit_dtype<sdk::Integers>(v->dtype, [&](auto type) {
      bad = normalise(input<typename decltype(type)::type>(v), size);
    });
    if (bad < 0) return nullptr;
    return fail(device, TN_OUT_OF_RANGE,
                "index %lld at position %lld is outside an axis of %lld elements",
                (long long)own_[bad], (long long)bad, (long long)size);
  }
  const int64_t* data() const { return own_.get(); }
  int64_t count() const { return count_; }

 private:
  // The position of the first bad index, whose value is left in the array, or -1.
  template <class I>
  int64_t normalise(const I* from, int64_t size) {
    int64_t* to = own_.get();
    bool good = true;
    for (int64_t i = 0; i < count_; ++i) {
      const int64_t k = int64_t(from[i]);
      const int64_t at = k < 0 && std::is_signed_v<I> ? k + size : k;
      good &= uint64_t(at) < uint64_t(size);
      to[i] = at;
    }
    if (good) return -1;
    int64_t bad = 0;
    while (uint64_t(to[bad]) < uint64_t(size)) ++bad;
    to[bad] = int64_t(from[bad]);
    return bad;
  }

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

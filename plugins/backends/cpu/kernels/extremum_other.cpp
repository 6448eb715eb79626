// max and min of integers; any and all.
#include "fold.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

// Which items are not zero, as bytes of 0 and 1.
template <class S>
void truth(void* to, const void* from, int64_t n) {
  uint8_t* y = static_cast<uint8_t*>(to);
  const S* x = static_cast<const S*>(from);
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] != S(0);
}
void truth_small(void* to, const void* from, int64_t n) {  // f16, bf16: all but the sign
  uint8_t* y = static_cast<uint8_t*>(to);
  const uint16_t* x = static_cast<const uint16_t*>(from);
  for (int64_t i = 0; i < n; ++i) y[i] = (x[i] & 0x7fff) != 0;
}
template <class R>
void truth_complex(void* to, const void* from, int64_t n) {
  uint8_t* y = static_cast<uint8_t*>(to);
  const R* x = static_cast<const R*>(from);
  for (int64_t i = 0; i < n; ++i) y[i] = x[2 * i] != 0 || x[2 * i + 1] != 0;
}

struct AllFold : MinFold {
  template <class T>
  static constexpr T identity = T(1);
};

template <class F>
constexpr Reduction predicate(int bytes, ConvertFunction load) {
  Reduction r = Fold<F, uint8_t, uint8_t>::template of<uint8_t>();
  r.in_bytes = bytes;
  r.load = load;
  return r;
}

#define CPU_PREDICATE(dtype, bytes, load)                \
  {TN_OP_ANY, dtype, predicate<MaxFold>(bytes, load)}, { \
    TN_OP_ALL, dtype, predicate<AllFold>(bytes, load)    \
  }

constexpr ReductionEntry kEntries[] = {
    CPU_EXTREMUM(int32_t, int32_t),
    CPU_EXTREMUM(int64_t, int64_t),
    CPU_EXTREMUM(uint32_t, uint32_t),
    CPU_EXTREMUM(uint64_t, uint64_t),
    CPU_EXTREMUM(int32_t, int8_t),
    CPU_EXTREMUM(int32_t, int16_t),
    CPU_EXTREMUM(int32_t, uint8_t),
    CPU_EXTREMUM(int32_t, uint16_t),
    CPU_PREDICATE(TN_DTYPE_BOOL, 1, nullptr),
    CPU_PREDICATE(TN_DTYPE_I8, 1, truth<uint8_t>),
    CPU_PREDICATE(TN_DTYPE_U8, 1, truth<uint8_t>),
    CPU_PREDICATE(TN_DTYPE_I16, 2, truth<uint16_t>),
    CPU_PREDICATE(TN_DTYPE_U16, 2, truth<uint16_t>),
    CPU_PREDICATE(TN_DTYPE_I32, 4, truth<uint32_t>),
    CPU_PREDICATE(TN_DTYPE_U32, 4, truth<uint32_t>),
    CPU_PREDICATE(TN_DTYPE_I64, 8, truth<uint64_t>),
    CPU_PREDICATE(TN_DTYPE_U64, 8, truth<uint64_t>),
    CPU_PREDICATE(TN_DTYPE_F32, 4, truth<float>),
    CPU_PREDICATE(TN_DTYPE_F64, 8, truth<double>),
    CPU_PREDICATE(TN_DTYPE_F16, 2, truth_small),
    CPU_PREDICATE(TN_DTYPE_BF16, 2, truth_small),
    CPU_PREDICATE(TN_DTYPE_C64, 8, truth_complex<float>),
    CPU_PREDICATE(TN_DTYPE_C128, 16, truth_complex<double>),
};

}  // namespace

const Reduction* find_other_extremum(tn_op op, tn_dtype dtype) {
  return find_in(kEntries, op, dtype);
}

}  // namespace tenon::cpu::CPU_ISA

// Denormal numbers taken for 0 and made 0, by the processor's own state of this thread.
#pragma once
#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace tenon {

#if defined(__x86_64__)
constexpr bool kCanFlush = true;
constexpr uint64_t kFlushBits = 0x8040;  // of MXCSR: results to zero, inputs are zeros
inline uint64_t float_state() { return _mm_getcsr(); }
inline void set_float_state(uint64_t state) { _mm_setcsr(static_cast<uint32_t>(state)); }
#elif defined(__aarch64__)
constexpr bool kCanFlush = true;
constexpr uint64_t kFlushBits = uint64_t{1} << 24;  // of FPCR: both
inline uint64_t float_state() {
  uint64_t state;
  asm volatile("mrs %0, fpcr" : "=r"(state));
  return state;
}
inline void set_float_state(uint64_t state) { asm volatile("msr fpcr, %0" : : "r"(state)); }
#else
constexpr bool kCanFlush = false;
constexpr uint64_t kFlushBits = 0;
inline uint64_t float_state() { return 0; }
inline void set_float_state(uint64_t) {}
#endif

// While it lives, if asked to.
class FlushDenormals {
 public:
  explicit FlushDenormals(bool flush) : before_(flush ? float_state() : kFlushBits) {
    if (changed()) set_float_state(before_ | kFlushBits);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  ~FlushDenormals() {
    if (changed()) set_float_state(before_);
  }

 private:
  bool changed() const { return (before_ & kFlushBits) != kFlushBits; }
  const uint64_t before_;
};

}  // namespace tenon

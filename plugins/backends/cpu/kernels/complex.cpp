// Elementwise ops on complex numbers, one at a time.
#include <complex>

#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

using sdk::c128;
using sdk::c64;

// Numerators and denominators without the library's recovery of infinities, which is a call per
// element.
template <class C>
CPU_INLINE C product(C a, C b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}
// Smith's way: scaled by the larger part of the divisor. In double, where no sum of two floats overflows.
template <class C>
CPU_INLINE C scaled_quotient(C x, C y) {
  using R = double;
  using T = typename C::value_type;
  const std::complex<R> a(x), b(y);
  if (std::fabs(b.real()) >= std::fabs(b.imag())) {
    const R r = b.imag() / b.real(), d = b.real() + b.imag() * r;
    return {T((a.real() + a.imag() * r) / d), T((a.imag() - a.real() * r) / d)};
  }
  const R r = b.real() / b.imag(), d = b.real() * r + b.imag();
  return {T((a.real() * r + a.imag()) / d), T((a.imag() * r - a.real()) / d)};
}
// With the infinities that C's annex G asks for, by the library where there is one to recover:
// division by zero, infinite numbers.
template <class C>
CPU_INLINE C quotient(C a, C b) {
  const C y = scaled_quotient(a, b);
  return y.real() != y.real() && y.imag() != y.imag() ? a / b : y;
}

template <class C, class Y, class F>
CPU_INLINE void loop1(void* out, const void* const* in, uint32_t scalars, int64_t n, F f) {
  Y* y = static_cast<Y*>(out);
  const C* x = static_cast<const C*>(in[0]);
  const int64_t step = scalars ? 0 : 1;
  for (int64_t i = 0; i < n; ++i) y[i] = f(x[i * step]);
}
template <class C, class Y, class F>
CPU_INLINE void loop2(void* out, const void* const* in, uint32_t scalars, int64_t n, F f) {
  Y* y = static_cast<Y*>(out);
  const C* a = static_cast<const C*>(in[0]);
  const C* b = static_cast<const C*>(in[1]);
  const int64_t sa = (scalars & 1) ? 0 : 1, sb = (scalars & 2) ? 0 : 1;
  for (int64_t i = 0; i < n; ++i) y[i] = f(a[i * sa], b[i * sb]);
}

// Functions, computed in c128.
c128 power(c128 a, c128 b) {
  if (b == 0.0) return 1;
  if (a == 0.0 && b.real() > 0) return 0;
  return std::exp(b * std::log(a));
}
template <tn_op op>
c128 function(c128 z) {
  [[maybe_unused]] const double x = z.real(), y = z.imag();
  if constexpr (op == TN_OP_EXP) {
    return std::exp(z);
  } else if constexpr (op == TN_OP_EXPM1) {
    // expm1(x) cos y - 2 sin^2(y / 2), which keeps its digits near 0; where e^x may overflow the 1 is nothing.
    if (!(x < 700 && std::isfinite(y))) return std::exp(z) - 1.0;
    const double half = std::sin(y / 2);
    return {std::expm1(x) * std::cos(y) - 2 * half * half, std::exp(x) * std::sin(y)};
  } else if constexpr (op == TN_OP_LOG) {
    return std::log(z);
  } else if constexpr (op == TN_OP_LOG1P) {
    // Only near 0 does 1 + x lose anything.
    if (!(std::fabs(x) < 0.5 && std::fabs(y) < 0.5)) return std::log(c128(1 + x, y));
    return {std::log1p(x * (2 + x) + y * y) / 2, std::atan2(y, 1 + x)};
  } else if constexpr (op == TN_OP_SQRT) {
    return std::sqrt(z);
  } else if constexpr (op == TN_OP_RSQRT) {
    return 1.0 / std::sqrt(z);
  } else if constexpr (op == TN_OP_SIN) {
    return std::sin(z);
  } else if constexpr (op == TN_OP_COS) {
    return std::cos(z);
  } else if constexpr (op == TN_OP_ROUND) {
    return {std::nearbyint(x), std::nearbyint(y)};
  } else {
    static_assert(op == TN_OP_TANH);
    return std::tanh(z);
  }
}

template <class C, tn_op op>
void complex_row(void* y, const void* const* in, uint32_t s, int64_t n, const void*) {
  if constexpr (op == TN_OP_NEG) {
    loop1<C, C>(y, in, s, n, [](C x) { return -x; });
  } else if constexpr (op == TN_OP_SQUARE) {
    loop1<C, C>(y, in, s, n, [](C x) { return product(x, x); });
  } else if constexpr (op == TN_OP_RECIPROCAL) {
    loop1<C, C>(y, in, s, n, [](C x) { return quotient(C(1), x); });
  } else if constexpr (op == TN_OP_ADD) {
    loop2<C, C>(y, in, s, n, [](C a, C b) { return a + b; });
  } else if constexpr (op == TN_OP_SUB) {
    loop2<C, C>(y, in, s, n, [](C a, C b) { return a - b; });
  } else if constexpr (op == TN_OP_MUL) {
    loop2<C, C>(y, in, s, n, [](C a, C b) { return product(a, b); });
  } else if constexpr (op == TN_OP_DIV) {
    loop2<C, C>(y, in, s, n, [](C a, C b) { return quotient(a, b); });
  } else if constexpr (op == TN_OP_POW) {
    loop2<C, C>(y, in, s, n, [](C a, C b) { return C(power(c128(a), c128(b))); });
  } else if constexpr (op == TN_OP_EQ) {
    loop2<C, uint8_t>(y, in, s, n, [](C a, C b) { return uint8_t(a == b); });
  } else if constexpr (op == TN_OP_NE) {
    loop2<C, uint8_t>(y, in, s, n, [](C a, C b) { return uint8_t(a != b); });
  } else if constexpr (op == TN_OP_ABS) {
    using R = typename C::value_type;
    loop1<C, R>(y, in, s, n, [](C x) { return std::hypot(x.real(), x.imag()); });
  } else {
    loop1<C, C>(y, in, s, n, [](C x) { return C(function<op>(c128(x))); });
  }
}

template <class C, tn_op op>
struct Complex {
  static constexpr int32_t kBytes = int32_t(sizeof(C));
  static constexpr bool kTwo = op == TN_OP_ADD || op == TN_OP_SUB || op == TN_OP_MUL ||
                               op == TN_OP_DIV || op == TN_OP_POW || op == TN_OP_EQ ||
                               op == TN_OP_NE;
  static constexpr int32_t kOut = op == TN_OP_EQ || op == TN_OP_NE ? 1
                                  : op == TN_OP_ABS                ? kBytes / 2
                                                                   : kBytes;
  static constexpr Elementwise kernel = {complex_row<C, op>,
                                         kTwo ? 2 : 1,
                                         1.0f,
                                         {kBytes, kBytes, 0},
                                         kOut,
                                         {nullptr, nullptr, nullptr},
                                         nullptr,
                                         {kBytes, kBytes, 0},
                                         kOut};
  static tn_error* TN_CALL run(void* plan, void*, const tn_view* const* args) {
    run_elementwise(*static_cast<const Device*>(plan), kernel, args, nullptr);
    return nullptr;
  }
};

#define CPU_COMPLEX(id)                                               \
  {id, TN_DTYPE_C64, Complex<c64, id>::run, Complex<c64, id>::run}, { \
    id, TN_DTYPE_C128, Complex<c128, id>::run, Complex<c128, id>::run \
  }

constexpr ElementwiseEntry kEntries[] = {
    CPU_COMPLEX(TN_OP_NEG),   CPU_COMPLEX(TN_OP_SQUARE), CPU_COMPLEX(TN_OP_RECIPROCAL),
    CPU_COMPLEX(TN_OP_ADD),   CPU_COMPLEX(TN_OP_SUB),    CPU_COMPLEX(TN_OP_MUL),
    CPU_COMPLEX(TN_OP_DIV),   CPU_COMPLEX(TN_OP_EQ),     CPU_COMPLEX(TN_OP_NE),
    CPU_COMPLEX(TN_OP_ABS),   CPU_COMPLEX(TN_OP_EXP),    CPU_COMPLEX(TN_OP_EXPM1),
    CPU_COMPLEX(TN_OP_LOG),   CPU_COMPLEX(TN_OP_LOG1P),  CPU_COMPLEX(TN_OP_SQRT),
    CPU_COMPLEX(TN_OP_RSQRT), CPU_COMPLEX(TN_OP_SIN),    CPU_COMPLEX(TN_OP_COS),
    CPU_COMPLEX(TN_OP_TANH),  CPU_COMPLEX(TN_OP_ROUND),  CPU_COMPLEX(TN_OP_POW),
};

}  // namespace

EntryTable complex_entries() { return kEntries; }

}  // namespace tenon::cpu::CPU_ISA

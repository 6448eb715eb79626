// Elementwise ops on vectors of float and double. ns: one f32 element in cache.
#ifndef TENON_CPU_FLOAT_OPS_HPP_
#define TENON_CPU_FLOAT_OPS_HPP_
#include "vmath64.hpp"

namespace tenon::cpu::CPU_ISA {

#define CPU_UNARY(name, cost, expression) \
  struct name {                           \
    static constexpr float ns = cost;     \
    template <class V>                    \
    CPU_INLINE static V apply(V x) {      \
      return expression;                  \
    }                                     \
  };
#define CPU_BINARY(name, cost, expression) \
  struct name {                            \
    static constexpr float ns = cost;      \
    template <class V>                     \
    CPU_INLINE static V apply(V a, V b) {  \
      return expression;                   \
    }                                      \
  };
#define CPU_COMPARE(name, expression)             \
  struct name {                                   \
    static constexpr float ns = 0.1f;             \
    static constexpr bool compares = true;        \
    template <class V>                            \
    CPU_INLINE static IntVec<V> apply(V a, V b) { \
      return expression;                          \
    }                                             \
  };

CPU_UNARY(NegOp, 0.1f, -x)
CPU_UNARY(AbsOp, 0.1f, vabs(x))
CPU_UNARY(FloorOp, 0.1f, vfloor(x))
CPU_UNARY(CeilOp, 0.1f, vceil(x))
CPU_UNARY(RoundOp, 0.1f, vround(x))
CPU_UNARY(ExpOp, 0.4f, vexp(x))
CPU_UNARY(Expm1Op, 0.5f, vexpm1(x))
CPU_UNARY(LogOp, 0.6f, vlog(x))
CPU_UNARY(Log1pOp, 0.9f, vlog1p(x))
CPU_UNARY(SqrtOp, 0.3f, vsqrt(x))
CPU_UNARY(RsqrtOp, 0.5f, splat<V>(1) / vsqrt(x))
CPU_UNARY(SinOp, 0.9f, vsin(x))
CPU_UNARY(CosOp, 0.9f, vcos(x))
CPU_UNARY(TanhOp, 0.8f, vtanh(x))
CPU_UNARY(ErfOp, 0.8f, verf(x))
CPU_UNARY(SquareOp, 0.1f, x* x)
CPU_UNARY(ReciprocalOp, 0.3f, splat<V>(1) / x)
CPU_UNARY(SignOp, 0.1f, select(x > V{}, splat<V>(1), select(x < V{}, splat<V>(-1), x)))
CPU_UNARY(ReluOp, 0.1f, select(x <= V{}, V{}, x))  // keeps NaN, takes -0 to 0
CPU_UNARY(SigmoidOp, 0.7f, vsigmoid(x))
CPU_UNARY(SoftplusOp, 1.3f, vsoftplus(x))
CPU_UNARY(GeluOp, 0.8f, vgelu(x))
CPU_UNARY(GeluTanhOp, 0.8f, vgelu_tanh(x))
CPU_UNARY(SiluOp, 0.7f, vsilu(x))

// param: the slope, a double.
struct LeakyReluOp {
  static constexpr float ns = 0.1f;
  template <class V>
  CPU_INLINE static V apply(V x, const void* param) {
    const auto slope = ElementOf<V>(*static_cast<const double*>(param));
    return select(x > V{}, x, x * slope);
  }
};

CPU_BINARY(AddOp, 0.15f, a + b)
CPU_BINARY(SubOp, 0.15f, a - b)
CPU_BINARY(MulOp, 0.15f, a* b)
CPU_BINARY(DivOp, 0.3f, a / b)
CPU_BINARY(MaximumOp, 0.15f, vmax(a, b))
CPU_BINARY(MinimumOp, 0.15f, vmin(a, b))

#if defined(__FMA__)
inline constexpr float kRemainderNs = 0.6f;
#else
inline constexpr float kRemainderNs = 6.0f;
#endif
struct FmodOp {
  static constexpr float ns = kRemainderNs;
  static constexpr bool heavy = true;
  template <class V>
  CPU_INLINE static V apply(V a, V b) {
    return vfmod(a, b);
  }
};
struct RemOp {
  static constexpr float ns = kRemainderNs;
  static constexpr bool heavy = true;
  template <class V>
  CPU_INLINE static V apply(V a, V b) {
    return vrem(a, b);
  }
};
struct PowOp {
  static constexpr float ns = 4.0f;
  static constexpr bool heavy = true;
  template <class V>
  CPU_INLINE static V apply(V a, V b) {
    return vpow(a, b);
  }
};
struct Atan2Op {
  static constexpr float ns = 15.0f;
  static constexpr bool heavy = true;
  template <class V>
  CPU_INLINE static V apply(V a, V b) {
    return vatan2(a, b);
  }
};

CPU_COMPARE(EqOp, a == b)
CPU_COMPARE(NeOp, a != b)
CPU_COMPARE(LtOp, a < b)
CPU_COMPARE(LeOp, a <= b)
CPU_COMPARE(GtOp, a > b)
CPU_COMPARE(GeOp, a >= b)

// The ops of one and of two floating inputs that take no parameter: X(id, op).
#define CPU_FLOAT_UNARIES(X)        \
  X(TN_OP_NEG, NegOp)               \
  X(TN_OP_ABS, AbsOp)               \
  X(TN_OP_FLOOR, FloorOp)           \
  X(TN_OP_CEIL, CeilOp)             \
  X(TN_OP_ROUND, RoundOp)           \
  X(TN_OP_EXP, ExpOp)               \
  X(TN_OP_EXPM1, Expm1Op)           \
  X(TN_OP_LOG, LogOp)               \
  X(TN_OP_LOG1P, Log1pOp)           \
  X(TN_OP_SQRT, SqrtOp)             \
  X(TN_OP_RSQRT, RsqrtOp)           \
  X(TN_OP_SIN, SinOp)               \
  X(TN_OP_COS, CosOp)               \
  X(TN_OP_TANH, TanhOp)             \
  X(TN_OP_ERF, ErfOp)               \
  X(TN_OP_SQUARE, SquareOp)         \
  X(TN_OP_RECIPROCAL, ReciprocalOp) \
  X(TN_OP_SIGN, SignOp)             \
  X(TN_OP_RELU, ReluOp)             \
  X(TN_OP_SIGMOID, SigmoidOp)       \
  X(TN_OP_SOFTPLUS, SoftplusOp)     \
  X(TN_OP_GELU, GeluOp)             \
  X(TN_OP_SILU, SiluOp)
#define CPU_FLOAT_BINARIES(X) \
  X(TN_OP_ADD, AddOp)         \
  X(TN_OP_SUB, SubOp)         \
  X(TN_OP_MUL, MulOp)         \
  X(TN_OP_DIV, DivOp)         \
  X(TN_OP_REM, RemOp)         \
  X(TN_OP_MOD, FmodOp)        \
  X(TN_OP_POW, PowOp)         \
  X(TN_OP_ATAN2, Atan2Op)     \
  X(TN_OP_MAXIMUM, MaximumOp) \
  X(TN_OP_MINIMUM, MinimumOp) \
  X(TN_OP_EQ, EqOp)           \
  X(TN_OP_NE, NeOp)           \
  X(TN_OP_LT, LtOp)           \
  X(TN_OP_LE, LeOp)           \
  X(TN_OP_GT, GtOp)           \
  X(TN_OP_GE, GeOp)

}  // namespace tenon::cpu::CPU_ISA

#endif

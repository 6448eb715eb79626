// Elementwise ops, one line each: a function on wide numbers (tenon/sdk/host_kernels.hpp) stands for all dtypes of its kind.
#include "../kernels.hpp"

namespace mydevice_backend {
namespace {

using namespace tenon::sdk;

constexpr auto kSame = [](Integer auto x) { return x; };

struct Not {  // logical on bool, bitwise on integers
  static Plan<> prepare(const Signature& s) {
    if (!has_dtype<Join<Integers, Bools>>(s.input(0).dtype)) return s.decline(kNoMeaning);
    return {};
  }
  static void run(const NoData&, const Queue&, const Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) {
      if constexpr (Integer<W>) {
        auto x = load_like<W>(args[0], args[1]);
        for (W& v : x) v = args[0].dtype == TN_DTYPE_BOOL ? !v : ~v;
        store(x, args[1]);
      }
    });
  }
};

constexpr AlsoBool kBool;
constexpr tn_kernel kList[] = {
    unary("neg", []<class W>(W x) { return negative_of(x); }),
    unary("abs", Overload{[](double x) { return std::fabs(x); }, [](c128 x) { return std::abs(x); },
                          []<Integer W>(W x) { return x < 0 ? negative_of(x) : x; }}),
    unary("floor", Overload{[](double x) { return std::floor(x); }, kSame}),
    unary("ceil", Overload{[](double x) { return std::ceil(x); }, kSame}),
    unary("round", Overload{[](Fractional auto x) { return round_of(x); }, kSame}),
    unary("exp", [](Fractional auto x) { return std::exp(x); }),
    unary("expm1", [](Fractional auto x) { return expm1_of(x); }),
    unary("log", [](Fractional auto x) { return std::log(x); }),
    unary("log1p", [](Fractional auto x) { return log1p_of(x); }),
    unary("sqrt", [](Fractional auto x) { return std::sqrt(x); }),
    unary("rsqrt", [](Fractional auto x) { return 1.0 / std::sqrt(x); }),
    unary("sin", [](Fractional auto x) { return std::sin(x); }),
    unary("cos", [](Fractional auto x) { return std::cos(x); }),
    unary("tanh", [](Fractional auto x) { return std::tanh(x); }),
    unary("erf", [](double x) { return std::erf(x); }),
    host_kernel<Not>("not", TN_KERNEL_INPLACE),
    binary("add", []<class W>(W a, W b) { return sum_of(a, b); }),
    binary("sub", []<class W>(W a, W b) { return difference_of(a, b); }),
    binary("mul", []<class W>(W a, W b) { return product_of(a, b); }),
    binary("div", Overload{[]<Fractional W>(W a, W b) { return a / b; },
                           []<Integer W>(W a, W b) { return quotient_of(a, b); }}),
    binary("rem", []<Real W>(W a, W b) { return remainder_of(a, b); }),
    binary("pow", Overload{[]<Fractional W>(W a, W b) { return pow_of(a, b); },
                           []<Integer W>(W a, W b) { return power_of(a, b); }}),
    binary("atan2", [](double a, double b) { return std::atan2(a, b); }),
    binary("maximum", kBool, []<Real W>(W a, W b) { return greater_of(a, b); }),
    binary("minimum", kBool, []<Real W>(W a, W b) { return lesser_of(a, b); }),
    binary("and", kBool, []<Integer W>(W a, W b) { return a & b; }),
    binary("or", kBool, []<Integer W>(W a, W b) { return a | b; }),
    binary("xor", kBool, []<Integer W>(W a, W b) { return a ^ b; }),
    binary("shl", []<Integer W>(W a, W b) { return shifted_left(a, b); }),
    binary("shr", []<Integer W>(W a, W b) { return shifted_right(a, b); }),
    binary("eq", kBool, []<class W>(W a, W b) -> uint64_t { return a == b; }),
    binary("lt", kBool, []<Real W>(W a, W b) -> uint64_t { return a < b; }),
    binary("le", kBool, []<Real W>(W a, W b) -> uint64_t { return a <= b; }),
};

}  // namespace

std::span<const tn_kernel> elementwise_kernels() { return kList; }

}  // namespace mydevice_backend

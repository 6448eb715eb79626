// The kit itself: its number formats, its comparisons, its oracles on values worked out by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>

#include "tenon/conformance/compare.hpp"
#include "tenon/conformance/philox.hpp"

using namespace tenon::conformance;  // NOLINT(google-build-using-namespace): the subject

namespace {

Array reals(Dims dims, std::vector<double> list, tn_dtype dtype = TN_DTYPE_F64) {
  Array x(dtype, std::move(dims));
  REQUIRE(x.f.size() == list.size());
  x.f = std::move(list);
  return x;
}
Array whole(Dims dims, std::vector<int64_t> list, tn_dtype dtype = TN_DTYPE_I64) {
  Array x(dtype, std::move(dims));
  REQUIRE(x.i.size() == list.size());
  x.i = std::move(list);
  return x;
}

const OpSamples& samples(const std::string& name) {
  for (const OpSamples& s : catalogue().ops())
    if (s.name == name) return s;
  FAIL("no samples for " << name);
  return catalogue().ops().front();
}

Array oracle(const std::string& op, std::vector<Array> inputs, std::vector<Attr> attrs = {}) {
  Call call;
  call.inputs = std::move(inputs);
  call.attrs = Attrs(std::move(attrs));
  return samples(op).oracle(call).at(0);
}

void check_values(const Array& y, const Dims& dims, const std::vector<double>& expected) {
  CHECK(y.dims == dims);
  REQUIRE(y.count() == static_cast<int64_t>(expected.size()));
  for (int64_t k = 0; k < y.count(); ++k)
    CHECK(y.real(k) == doctest::Approx(expected[static_cast<size_t>(k)]).epsilon(1e-9));
}

}  // namespace

TEST_CASE("kit: every op of ops.def has samples under its id") {
  std::map<std::string, tn_op> listed;
#define TN_OP(id, name, since, flags, parameters, attributes, outputs) listed[#name] = id;
#include "../../abi/ops.def"
#undef TN_OP
  std::map<std::string, tn_op> sampled;
  for (const OpSamples& s : catalogue().ops()) {
    CHECK_MESSAGE(sampled.emplace(s.name, s.op).second, "twice: " << s.name);
    CHECK_MESSAGE(!s.cases.empty(), "no cases: " << s.name);
  }
  for (const auto& [name, id] : listed)
    CHECK_MESSAGE(sampled.count(name) == 1, "missing: " << name);
  for (const auto& [name, id] : sampled) {
    CHECK_MESSAGE(listed.count(name) == 1, "no op: " << name);
    if (listed.count(name) == 1) CHECK_MESSAGE(listed[name] == id, "other id: " << name);
  }
}

TEST_CASE("kit: philox gives the known answers") {
  using Words = std::array<uint32_t, 4>;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("kit: numbering of random words") {
  // Seed 0x299f31d0a4093822, stream 0x0370734413198a2e, offset 0x85a308d3243f6a88 is the third answer.
  const RandomState state{0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u};
  CHECK(random_word(state, 0) == 0xd16cfe09u);
  CHECK(random_word(state, 3) == 0x24126ea1u);
  RandomState next = state;
  ++next.offset;
  CHECK(random_word(state, 5) == random_word(next, 1));
  CHECK(random_unit(state, 0, false) == 0xd16cfeu / 16777216.0);
}

TEST_CASE("kit: rounding to the half formats") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(round_to(TN_DTYPE_F16, 1 + 0x1p-11) == 1);
  CHECK(round_to(TN_DTYPE_F16, 1 + 3 * 0x1p-11) == 1 + 0x1p-9);
  CHECK(round_to(TN_DTYPE_F16, 65519) == 65504);
  CHECK(round_to(TN_DTYPE_F16, 65520) == inf);
  CHECK(round_to(TN_DTYPE_F16, 0x1p-25) == 0);
  CHECK(round_to(TN_DTYPE_F16, 0x1.8p-25) == 0x1p-24);
  CHECK(round_to(TN_DTYPE_BF16, 1 + 0x1p-8) == 1);
  CHECK(round_to(TN_DTYPE_BF16, 1 + 3 * 0x1p-8) == 1 + 0x1p-6);
  CHECK(round_to(TN_DTYPE_F32, 1 + 0x1p-24) == 1);
}

TEST_CASE("kit: every 16-bit number survives decode and encode") {
  for (const tn_dtype dtype : {TN_DTYPE_F16, TN_DTYPE_BF16}) {
    std::vector<unsigned char> bytes;
    for (uint32_t k = 0; k < 0x10000; ++k) {
      bytes.push_back(static_cast<unsigned char>(k));
      bytes.push_back(static_cast<unsigned char>(k >> 8));
    }
    const Array x = decode(dtype, {0x10000}, bytes);
    const std::vector<unsigned char> again = encode(x);
    for (size_t k = 0; k < 0x10000; ++k) {
      if (std::isnan(x.f[k])) continue;
      REQUIRE(again[2 * k] == bytes[2 * k]);
      REQUIRE(again[2 * k + 1] == bytes[2 * k + 1]);
      REQUIRE(round_to(dtype, x.f[k]) == x.f[k]);
    }
  }
}

TEST_CASE("kit: a comparison can fail") {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  const Array one = reals({1}, {1}, TN_DTYPE_F32);
  CHECK(compare(one, one, kExact).empty());
  CHECK(!compare(one, reals({1}, {1 + 0x1p-23}, TN_DTYPE_F32), kExact).empty());
  CHECK(compare(one, reals({1}, {1 + 0x1p-23}, TN_DTYPE_F32), kRounded).empty());
  CHECK(!compare(one, reals({1}, {1 + 3 * 0x1p-23}, TN_DTYPE_F32), kRounded).empty());
  CHECK(!compare(one, reals({1}, {nan}, TN_DTYPE_F32), kComposite).empty());
  CHECK(!compare(one, reals({1}, {inf}, TN_DTYPE_F32), kComposite).empty());
  CHECK(!compare(one, reals({1}, {1}, TN_DTYPE_F64), kExact).empty());
  CHECK(!compare(one, reals({1, 1}, {1}, TN_DTYPE_F32), kExact).empty());
  CHECK(compare(reals({1}, {nan}), reals({1}, {nan}), kExact).empty());
  CHECK(!compare(reals({1}, {nan}), reals({1}, {0}), kExact).empty());
  CHECK(!compare(reals({1}, {inf}), reals({1}, {-inf}), kFunction).empty());
  CHECK(compare(reals({1}, {0}), reals({1}, {-0.0}), kExact).empty());
  CHECK(!compare(reals({1}, {0}), reals({1}, {-0.0}), kSameBits).empty());
  CHECK(
      compare(reals({1}, {1e39}, TN_DTYPE_F32), reals({1}, {inf}, TN_DTYPE_F32), kRounded).empty());
  CHECK(!compare(whole({2}, {1, 2}), whole({2}, {1, 3}), kComposite).empty());
  CHECK(!compare(whole({1}, {1}, TN_DTYPE_BOOL), whole({1}, {2}, TN_DTYPE_BOOL), kExact).empty());
  CHECK(compare_gradient(reals({2}, {1, 3}), reals({2}, {1, 3 + 1e-7}), 1e-6).empty());
  CHECK(!compare_gradient(reals({2}, {1, 3}), reals({2}, {1, 3.001}), 1e-6).empty());
  CHECK(!compare_gradient(reals({1}, {1}), reals({1}, {nan}), 1).empty());
}

TEST_CASE("kit: oracles of contractions and windows") {
  check_values(oracle("matmul", {reals({2, 2}, {1, 2, 3, 4}), reals({2, 2}, {5, 6, 7, 8})}), {2, 2},
               {19, 22, 43, 50});
  check_values(oracle("matmul", {reals({2, 1}, {1, 2}), reals({2, 1}, {3, 4})},
                      {flag(TN_MATMUL_TRANSPOSE_A, true)}),
               {1, 1}, {11});
  check_values(oracle("conv", {reals({1, 1, 4}, {1, 2, 3, 4}), reals({1, 1, 2}, {10, 1})}),
               {1, 1, 3}, {12, 23, 34});
  check_values(oracle("conv", {reals({1, 1, 2}, {1, 2}), reals({1, 1, 2}, {10, 1})},
                      {list(TN_CONV_LHS_DILATION, {2}), list(TN_CONV_LOW, {1})}),
               {1, 1, 3}, {1, 10, 2});
  check_values(
      oracle("conv2d_input_grad", {reals({1, 1, 1, 3}, {1, 2, 3}), reals({1, 1, 1, 2}, {10, 1})},
             {integer(TN_CONV2D_INPUT_GRAD_HEIGHT, 1), integer(TN_CONV2D_INPUT_GRAD_WIDTH, 4)}),
      {1, 1, 1, 4}, {10, 21, 32, 3});
  check_values(
      oracle("conv2d_weight_grad",
             {reals({1, 1, 1, 3}, {1, 2, 3}), reals({1, 1, 1, 4}, {1, 10, 100, 1000})},
             {integer(TN_CONV2D_WEIGHT_GRAD_HEIGHT, 1), integer(TN_CONV2D_WEIGHT_GRAD_WIDTH, 2)}),
      {1, 1, 1, 2}, {321, 3210});
  check_values(oracle("window_reduce", {reals({5}, {1, 3, 2, 5, 4})},
                      {list(TN_WINDOW_REDUCE_WINDOW, {2}), list(TN_WINDOW_REDUCE_STRIDE, {2}),
                       list(TN_WINDOW_REDUCE_LOW, {1}), text(TN_WINDOW_REDUCE_MODE, "max")}),
               {3}, {1, 3, 5});
  check_values(oracle("avg_pool2d", {reals({1, 1, 2, 2}, {1, 2, 3, 4})},
                      {list(TN_AVG_POOL2D_WINDOW, {2, 2}), list(TN_AVG_POOL2D_PADDING, {1, 1}),
                       flag(TN_AVG_POOL2D_COUNT_PADDING, false)}),
               {1, 1, 2, 2}, {1, 2, 3, 4});
}

TEST_CASE("kit: complex numbers are pairs, and each part is compared") {
  Array z(TN_DTYPE_C64, {2});
  z.f = {1, 2, 3, 4};
  CHECK(z.count() == 2);
  CHECK(decode(TN_DTYPE_C64, {2}, encode(z)).f == z.f);
  CHECK(encode(z) == encode(reals({4}, {1, 2, 3, 4}, TN_DTYPE_F32)));
  Array other = z;
  CHECK(compare(z, other, kExact).empty());
  other.f[3] = 4.001;
  CHECK(compare(z, other, kRounded).find("[1]") != std::string::npos);
  CHECK(!compare_gradient(z, other, 1e-6).empty());
  Array reversed(TN_DTYPE_C64, {2});
  reversed.copy_from(0, z, 1);
  reversed.copy_from(1, z, 0);
  CHECK(reversed.f == std::vector<double>{3, 4, 1, 2});
}

TEST_CASE("kit: oracles of linear algebra") {
  const Array x = reals({2, 2}, {4, 2, 2, 5});
  check_values(oracle("cholesky", {x}), {2, 2}, {2, 0, 1, 2});
  check_values(oracle("triangular_solve", {x, reals({2, 1}, {4, 12})}), {2, 1}, {1, 2});
  check_values(oracle("lu", {reals({2, 2}, {1, 2, 4, 4})}), {2, 2}, {4, 4, 0.25, 1});
  check_values(oracle("solve", {x, reals({2}, {8, 12})}), {2}, {1, 2});
  check_values(oracle("inverse", {x}), {2, 2}, {0.3125, -0.125, -0.125, 0.25});
  check_values(oracle("det", {reals({3, 3}, {0, 1, 0, 2, 0, 0, 0, 0, 3})}), {}, {-6});
  check_values(oracle("einsum", {x, reals({2, 3}, {1, 2, 3, 4, 5, 6})},
                      {text(TN_EINSUM_EQUATION, "ij,jk->ki")}),
               {3, 2}, {12, 22, 18, 29, 24, 36});
}

TEST_CASE("kit: oracles of indexing") {
  const Array x = reals({3, 2}, {1, 2, 3, 4, 5, 6});
  check_values(oracle("gather", {x, whole({2}, {2, -3})}), {2, 2}, {5, 6, 1, 2});
  check_values(oracle("scatter", {x, whole({2}, {1, 1}), reals({2, 2}, {7, 8, 9, 10})}), {3, 2},
               {1, 2, 9, 10, 5, 6});
  check_values(oracle("scatter_add", {x, whole({2}, {1, 1}), reals({2, 2}, {7, 8, 9, 10})}), {3, 2},
               {1, 2, 19, 22, 5, 6});
  check_values(oracle("pad", {reals({2}, {1, 2}), reals({}, {9})},
                      {list(TN_PAD_LOW, {1}), list(TN_PAD_HIGH, {-1}), list(TN_PAD_INTERIOR, {2})}),
               {4}, {9, 1, 9, 9});
  check_values(oracle("sort", {reals({4}, {2, 1, 2, 0}), reals({4}, {0, 1, 2, 3})}), {4},
               {0, 1, 2, 2});
  check_values(oracle("cumsum", {reals({3}, {1, 2, 3})},
                      {flag(TN_CUMSUM_EXCLUSIVE, true), flag(TN_CUMSUM_REVERSE, true)}),
               {3}, {5, 3, 0});
}

TEST_CASE("kit: oracles of normalisation and losses") {
  const double third = std::log(3.0);
  check_values(oracle("softmax", {reals({1, 2}, {0, third})}), {1, 2}, {0.25, 0.75});
  check_values(oracle("cross_entropy", {reals({1, 2}, {0, third}), whole({1}, {0})}), {},
               {std::log(4.0)});
  check_values(
      oracle("cross_entropy_probs", {reals({1, 2}, {0, third}), reals({1, 2}, {0.5, 0.5})}), {},
      {std::log(4.0) - third / 2});
  check_values(oracle("mse", {reals({2}, {1, 2}), reals({2}, {3, 5})}), {}, {6.5});
  check_values(oracle("bce_with_logits", {reals({1}, {0}), reals({1}, {1})}), {}, {std::log(2.0)});
  check_values(oracle("layer_norm", {reals({1, 2}, {1, 3}), reals({2}, {2, 2}), reals({2}, {1, 1})},
                      {number(TN_LAYER_NORM_EPSILON, 0)}),
               {1, 2}, {-1, 3});
  check_values(oracle("var", {reals({4}, {1, 2, 3, 4})}, {number(TN_VAR_CORRECTION, 1)}), {},
               {5.0 / 3});
  check_values(oracle("gelu", {reals({1}, {1})}), {1}, {0.8413447460685429});
}

TEST_CASE("kit: every oracle runs on its samples") {
  size_t calls = 0;
  for (const OpSamples& s : catalogue().ops())
    for (const Case& c : s.cases) {
      if (c.refusal != TN_OK || c.is_large) continue;
      for (const tn_dtype dtype : c.dtypes.empty() ? s.dtypes : c.dtypes) {
        Rng rng(1);
        Call call;
        call.attrs = c.attrs;
        for (const Input& input : c.inputs) {
          const tn_dtype own = input.dtype != TN_DTYPE_NONE ? input.dtype
                               : dtype != TN_DTYPE_NONE     ? dtype
                                                            : TN_DTYPE_F64;
          call.inputs.emplace_back(own, input.dims);
          call.inputs.back().weak = input.weak;
          call.inputs.back().absent = input.absent;
          if (!input.absent) input.fill(call.inputs.back(), rng);
        }
        for (const Array& y : s.oracle(call)) {
          CHECK_MESSAGE(y.f.size() + y.i.size() == static_cast<size_t>(y.numbers()),
                        s.name << " " << c.name);
          CHECK_MESSAGE((y.scale.empty() || y.scale.size() == y.f.size()), s.name << " " << c.name);
        }
        ++calls;
      }
    }
  CHECK(calls > 2000);
}

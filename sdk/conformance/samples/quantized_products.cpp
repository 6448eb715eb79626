// Products of quantised numbers, as the ONNX operators MatMulInteger, ConvInteger, QLinearMatMul and
// QLinearConv define them.
#include <algorithm>
#include <cmath>

#include "conv.hpp"

namespace tenon::conformance {
namespace {

// Which of the inputs are what. 99: the op has none.
struct Places {
  size_t x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
};
constexpr Places kInteger = {0, 99, 2, 1, 99, 3, 99, 99, 99}, kLinear = {0, 1, 2, 3, 4, 5, 6, 7, 8};

// What parameter `p` says at index `at` of a tensor, along `axis` of it where it is a vector.
int64_t element_of(const Array& p, const Dims& at, size_t axis) {
  if (p.rank() == 0) return 0;
  if (p.rank() == 1) return p.dims[0] == 1 ? 0 : at[axis];
  int64_t k = 0;
  for (size_t a = 0; a < p.rank(); ++a) k = k * p.dims[a] + (p.dims[a] == 1 ? 0 : at[a]);
  return k;
}
// Input k of the call without its zero point.
Array centred(const Call& call, size_t k, size_t zero, size_t axis) {
  const Array& x = call.in(k);
  Array out(TN_DTYPE_F64, x.dims);
  size_t next = 0;
  for_each(x.dims, [&](const Dims& at) {
    const int64_t z =
        call.has(zero) ? call.in(zero).integer(element_of(call.in(zero), at, axis)) : 0;
    out.f[next] = static_cast<double>(x.integer(static_cast<int64_t>(next)) - z);
    ++next;
  });
  return out;
}
double scale_of(const Call& call, size_t k, const Dims& at, size_t axis) {
  return call.in(k).real(element_of(call.in(k), at, axis));
}

// The sums as i32, or as the bytes that the scales make of them: `row` is the axis of the result
// along which x_scale and those of the result lie, `column` that of w_scale.
Array finished(const Call& call, const Places& in, const Array& sums, size_t row, size_t column) {
  if (in.y_scale == 99) {
    Array y(TN_DTYPE_I32, sums.dims);
    for (int64_t k = 0; k < y.count(); ++k) y.set(k, static_cast<int64_t>(sums.real(k)));
    return y;
  }
  const Array& zero = call.in(in.y_zero);
  Array y(zero.dtype, sums.dims);
  const double low = y.dtype == TN_DTYPE_U8 ? 0 : -128;
  int64_t next = 0;
  for_each(sums.dims, [&](const Dims& at) {
    const double scale = scale_of(call, in.x_scale, at, row) *
                         scale_of(call, in.w_scale, at, column) /
                         scale_of(call, in.y_scale, at, row);
    const double step = std::nearbyint(sums.real(next) * scale) +
                        static_cast<double>(zero.integer(element_of(zero, at, row)));
    y.set(next++, static_cast<int64_t>(std::clamp(step, low, low + 255)));
  });
  return y;
}

Oracle matrices(const Places& in) {
  return [in](const Call& call) -> std::vector<Array> {
    const size_t rank_x = call.in(in.x).rank(), rank_w = call.in(in.w).rank();
    const Array x = centred(call, in.x, in.x_zero, rank_x - 2);
    const Array w = centred(call, in.w, in.w_zero, rank_w - 1);
    Dims dims = broadcast_dims(Dims(x.dims.begin(), x.dims.end() - 2),
                               Dims(w.dims.begin(), w.dims.end() - 2));
    Dims all_x = dims, all_w = dims;
    all_x.insert(all_x.end(), x.dims.end() - 2, x.dims.end());
    all_w.insert(all_w.end(), w.dims.end() - 2, w.dims.end());
    const Array a = broadcast(x, all_x), b = broadcast(w, all_w);
    const int64_t inner = x.dims.back(), rows = x.dims[rank_x - 2], columns = w.dims.back();
    dims.push_back(rows);
    dims.push_back(columns);
    Array sums(TN_DTYPE_F64, dims);
    for (int64_t k = 0; k < sums.count(); ++k) {
      const int64_t batch = k / (rows * columns), row = k / columns % rows, column = k % columns;
      for (int64_t i = 0; i < inner; ++i)
        sums.f[static_cast<size_t>(k)] += a.real((batch * rows + row) * inner + i) *
                                          b.real((batch * inner + i) * columns + column);
    }
    return {finished(call, in, sums, dims.size() - 2, dims.size() - 1)};
  };
}

Oracle convolutions(const Places& in, uint32_t first_key) {
  return [=](const Call& call) -> std::vector<Array> {
    const size_t n = call.in(in.x).rank() - 2;
    Geometry g;
    g.stride = call.attrs.list(first_key, Dims(n, 1));
    g.low = call.attrs.list(first_key + 1, Dims(n, 0));
    g.high = call.attrs.list(first_key + 2, Dims(n, 0));
    g.lhs = Dims(n, 1);
    g.rhs = call.attrs.list(first_key + 3, Dims(n, 1));
    g.groups = call.attrs.integer(first_key + 4, 1);
    Array sums = convolved(centred(call, in.x, in.x_zero, 1), centred(call, in.w, in.w_zero, 0), g);
    const int64_t area = count_of(Dims(sums.dims.begin() + 2, sums.dims.end()));
    for (int64_t k = 0; call.has(in.bias) && k < sums.count(); ++k)
      sums.f[static_cast<size_t>(k)] +=
          static_cast<double>(call.in(in.bias).integer(k / area % sums.dims[1]));
    return {finished(call, in, sums, 1, 1)};
  };
}

constexpr tn_dtype kU8 = TN_DTYPE_U8, kI8 = TN_DTYPE_I8, kI32 = TN_DTYPE_I32;
const Fill kBytes = [](Array& x, Rng& rng) {
  for (int64_t k = 0; k < x.count(); ++k)
    x.set(k, rng.below(256) - (x.dtype == TN_DTYPE_I8 ? 128 : 0));
};
const Fill kZeros = uniform(-20, 140), kBias = uniform(-4000, 4000);
// Powers of two: no sum is rounded before it is a whole number of steps.
Input scale(double value, Dims dims = {}) {
  return in(std::move(dims), values({value, 2 * value, value / 2}), TN_DTYPE_F32);
}
Input zero(tn_dtype t, Dims dims = {}) { return in(std::move(dims), kZeros, t); }
Input bytes(Dims dims, tn_dtype t) { return in(std::move(dims), kBytes, t); }

void refuse(OpSamples& s, const char* name, std::vector<Input> what, std::vector<Attr> how = {}) {
  s.add(Case{name, std::move(what), std::move(how)}.refused(TN_INVALID_ARGUMENT));
}

void add_matrices(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_MATMUL_INTEGER, "matmul_integer");
  s.gives(matrices(kInteger), kExact);
  for (const tn_dtype a : {kU8, kI8})
    for (const tn_dtype b : {kU8, kI8}) {
      const std::string name = name_of(a) + "_" + name_of(b);
      s.add({name, {bytes({5, 7}, a), bytes({7, 3}, b), absent(), absent()}});
      s.add({name + "_zeros", {bytes({5, 7}, a), bytes({7, 3}, b), zero(a), zero(b)}});
      s.add(
          Case{name + "_large", {bytes({37, 131}, a), bytes({131, 70}, b), zero(a), zero(b, {70})}}
              .large());
    }
  s.add({"by_row", {bytes({4, 3}, kU8), bytes({3, 5}, kI8), zero(kU8, {4}), absent()}});
  s.add({"by_column", {bytes({4, 3}, kI8), bytes({3, 5}, kU8), absent(), zero(kU8, {5})}});
  s.add(
      {"batch", {bytes({2, 4, 3}, kU8), bytes({3, 5}, kU8), zero(kU8, {2, 4, 1}), zero(kU8, {5})}});
  s.add({"batch_broadcasts",
         {bytes({2, 1, 2, 3}, kI8), bytes({3, 3, 2}, kI8), zero(kI8, {1}), zero(kI8, {3, 1, 2})}});
  s.add({"ends",
         {in({2, 64}, values({255}), kU8), in({64, 2}, values({-128}), kI8), absent(), absent()}});
  s.add({"one_row", {bytes({1, 300}, kU8), bytes({300, 9}, kI8), zero(kU8), absent()}});
  s.add({"no_rows", {bytes({0, 3}, kU8), bytes({3, 2}, kU8), absent(), absent()}});
  s.add({"nothing_inside", {bytes({2, 0}, kU8), bytes({0, 3}, kU8), zero(kU8), absent()}});
  refuse(s, "float", {in({2, 3}, kBytes, TN_DTYPE_F32), bytes({3, 2}, kU8), absent(), absent()});
  refuse(s, "inner_differ", {bytes({2, 3}, kU8), bytes({4, 2}, kU8), absent(), absent()});
  refuse(s, "vector", {bytes({3}, kU8), bytes({3, 2}, kU8), absent(), absent()});
  refuse(s, "zero_of_another_dtype", {bytes({2, 3}, kU8), bytes({3, 2}, kU8), zero(kI8), absent()});
  refuse(s, "zero_does_not_fit",
         {bytes({2, 3}, kU8), bytes({3, 2}, kU8), zero(kU8, {3}), absent()});

  OpSamples& q = c.add(TN_OP_QLINEAR_MATMUL, "qlinear_matmul");
  q.gives(matrices(kLinear), kExact);
  const auto linear = [](Dims a, tn_dtype ta, Dims b, tn_dtype tb, tn_dtype ty) {
    return std::vector<Input>{bytes(std::move(a), ta),
                              scale(0.125),
                              zero(ta),
                              bytes(std::move(b), tb),
                              scale(0.25),
                              zero(tb),
                              scale(8),
                              zero(ty)};
  };
  for (const tn_dtype a : {kU8, kI8})
    for (const tn_dtype b : {kU8, kI8})
      q.add({name_of(a) + "_" + name_of(b), linear({5, 7}, a, {7, 3}, b, a)});
  std::vector<Input> parts = linear({2, 4, 3}, kU8, {3, 5}, kI8, kI8);
  parts[1] = scale(0.125, {4}), parts[2] = zero(kU8, {4});
  parts[4] = scale(0.25, {5}), parts[5] = zero(kI8, {5});
  parts[6] = scale(8, {4}), parts[7] = zero(kI8, {4});
  q.add({"by_row_and_column", parts});
  parts = linear({6, 5}, kU8, {5, 4}, kU8, kU8);
  parts[1].fill = values({0.0371}), parts[4].fill = values({0.0593}),
  parts[6].fill = values({0.211});
  q.add({"any_scales", parts});
  q.add({"no_rows", linear({0, 3}, kU8, {3, 2}, kU8, kU8)});
  q.add(Case{"large", linear({37, 131}, kU8, {131, 70}, kI8, kU8)}.large());
  parts = linear({2, 3}, kU8, {3, 2}, kU8, kU8);
  parts[6] = scale(8, {2, 2});
  refuse(q, "scale_does_not_fit", parts);
  parts[6] = in({}, values({2}), kI32);
  refuse(q, "scale_is_integer", parts);
}

void add_convolutions(Catalogue& c) {
  static_assert(TN_CONV_INTEGER_STRIDE == 0 && TN_QLINEAR_CONV_STRIDE == 0 &&
                TN_CONV_INTEGER_LOW == 1 && TN_QLINEAR_CONV_LOW == 1 && TN_CONV_INTEGER_HIGH == 2 &&
                TN_QLINEAR_CONV_HIGH == 2 && TN_CONV_INTEGER_DILATION == 3 &&
                TN_QLINEAR_CONV_DILATION == 3 && TN_CONV_INTEGER_GROUPS == 4 &&
                TN_QLINEAR_CONV_GROUPS == 4);
  const auto how = [](Dims stride, Dims low, Dims high, Dims dilation, int64_t groups) {
    return std::vector<Attr>{list(0, std::move(stride)), list(1, std::move(low)),
                             list(2, std::move(high)), list(3, std::move(dilation)),
                             integer(4, groups)};
  };
  const std::vector<Attr> all = how({2, 1}, {1, 0}, {0, 2}, {1, 2}, 2);
  OpSamples& s = c.add(TN_OP_CONV_INTEGER, "conv_integer");
  s.gives(convolutions(kInteger, 0), kExact);
  for (const tn_dtype x : {kU8, kI8})
    for (const tn_dtype w : {kU8, kI8}) {
      const std::string name = name_of(x) + "_" + name_of(w);
      s.add({name, {bytes({2, 3, 5, 4}, x), bytes({4, 3, 3, 2}, w), absent(), absent()}});
      s.add({name + "_zeros",
             {bytes({1, 4, 5, 6}, x), bytes({6, 2, 3, 2}, w), zero(x), zero(w)},
             all});
    }
  s.add({"by_channel",
         {bytes({1, 2, 4, 4}, kU8), bytes({3, 2, 2, 2}, kI8), zero(kU8), zero(kI8, {3})},
         how({1, 1}, {1, 1}, {1, 1}, {1, 1}, 1)});
  s.add({"line", {bytes({2, 2, 9}, kU8), bytes({3, 2, 3}, kU8), zero(kU8), absent()}});
  s.add(
      {"volume", {bytes({1, 2, 3, 3, 3}, kU8), bytes({2, 2, 2, 2, 2}, kI8), absent(), zero(kI8)}});
  s.add({"no_images", {bytes({0, 2, 4, 4}, kU8), bytes({3, 2, 2, 2}, kI8), absent(), absent()}});
  s.add(Case{"large",
             {bytes({2, 8, 15, 17}, kU8), bytes({12, 8, 3, 3}, kI8), zero(kU8), zero(kI8, {12})},
             how({1, 1}, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large());
  s.add(Case{"large_kernel",
             {bytes({1, 64, 32, 32}, kU8), bytes({3, 64, 3, 3}, kI8), zero(kU8), zero(kI8)},
             how({1, 1}, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large());
  refuse(s, "channels_differ",
         {bytes({1, 2, 4, 4}, kU8), bytes({3, 3, 2, 2}, kU8), absent(), absent()});
  refuse(s, "zero_by_channel_of_x",
         {bytes({1, 2, 4, 4}, kU8), bytes({3, 2, 2, 2}, kU8), zero(kU8, {2}), absent()});
  refuse(s, "kernel_too_long",
         {bytes({1, 2, 2, 2}, kU8), bytes({3, 2, 3, 3}, kU8), absent(), absent()});

  OpSamples& q = c.add(TN_OP_QLINEAR_CONV, "qlinear_conv");
  q.gives(convolutions(kLinear, 0), kExact);
  const auto linear = [](Dims x, tn_dtype tx, Dims w, tn_dtype tw, tn_dtype ty, Input bias) {
    return std::vector<Input>{bytes(std::move(x), tx),
                              scale(0.125),
                              zero(tx),
                              bytes(std::move(w), tw),
                              scale(0.25),
                              zero(tw),
                              scale(8),
                              zero(ty),
                              std::move(bias)};
  };
  for (const tn_dtype x : {kU8, kI8})
    for (const tn_dtype w : {kU8, kI8})
      q.add({name_of(x) + "_" + name_of(w),
             linear({1, 4, 5, 6}, x, {6, 2, 3, 2}, w, x, in({6}, kBias, kI32)), all});
  std::vector<Input> parts = linear({2, 2, 4, 4}, kU8, {3, 2, 2, 2}, kI8, kI8, absent());
  parts[4] = scale(0.25, {3}), parts[5] = zero(kI8, {3});
  q.add({"by_channel", parts, how({1, 1}, {1, 1}, {1, 1}, {1, 1}, 1)});
  q.add({"line", linear({2, 2, 9}, kU8, {3, 2, 3}, kU8, kU8, in({3}, kBias, kI32))});
  q.add({"no_images", linear({0, 2, 4, 4}, kU8, {3, 2, 2, 2}, kI8, kU8, absent())});
  q.add(Case{"large", linear({2, 8, 15, 17}, kU8, {12, 8, 3, 3}, kI8, kU8, in({12}, kBias, kI32)),
             how({1, 1}, {1, 1}, {1, 1}, {1, 1}, 1)}
            .large());
  refuse(q, "float_bias",
         linear({1, 2, 4, 4}, kU8, {3, 2, 2, 2}, kI8, kU8, in({3}, kBias, TN_DTYPE_F32)));
  refuse(q, "wrong_bias", linear({1, 2, 4, 4}, kU8, {3, 2, 2, 2}, kI8, kU8, in({2}, kBias, kI32)));
}

}  // namespace

void add_quantized_products(Catalogue& c) {
  add_matrices(c);
  add_convolutions(c);
}

}  // namespace tenon::conformance

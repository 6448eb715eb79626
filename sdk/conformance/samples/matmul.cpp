// matmul and linear.
#include <cmath>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

// y[.., i, j] = sum over k of a[.., i, k] b[.., k, j], batch dims broadcast.
Array product(const Array& a, const Array& b, tn_dtype dtype) {
  const size_t ra = a.rank(), rb = b.rank();
  const int64_t m = a.dims[ra - 2], n = b.dims[rb - 1], terms = a.dims[ra - 1];
  const Dims batch_a(a.dims.begin(), a.dims.end() - 2), batch_b(b.dims.begin(), b.dims.end() - 2);
  const Dims batch = broadcast_dims(batch_a, batch_b);
  Dims dims_a = batch, dims_b = batch, dims = batch;
  dims_a.insert(dims_a.end(), {m, terms});
  dims_b.insert(dims_b.end(), {terms, n});
  dims.insert(dims.end(), {m, n});
  const Array x = broadcast(a, dims_a), w = broadcast(b, dims_b);
  Array y(dtype, dims);
  y.terms = terms;
  for (int64_t at = 0; at < y.count(); ++at) {
    const int64_t which = at / (m * n), i = at / n % m, j = at % n;
    double sum = 0, size = 0;
    int64_t whole = 0;
    for (int64_t k = 0; k < terms; ++k) {
      const int64_t left = (which * m + i) * terms + k, right = (which * terms + k) * n + j;
      if (y.floating()) {
        sum += x.real(left) * w.real(right);
        size += std::fabs(x.real(left) * w.real(right));
      } else {
        whole += x.integer(left) * w.integer(right);
      }
    }
    if (y.floating()) {
      y.f[static_cast<size_t>(at)] = sum;
      y.scale.push_back(size);
    } else {
      y.set(at, whole);
    }
  }
  return y;
}

Array last_two_swapped(const Array& x) {
  std::vector<size_t> perm(x.rank());
  for (size_t k = 0; k < perm.size(); ++k) perm[k] = k;
  std::swap(perm[x.rank() - 1], perm[x.rank() - 2]);
  return transposed(x, perm);
}

std::vector<Array> matmul(const Call& call) {
  const Array& a = call.in(0);
  const Array& b = call.in(1);
  return {product(call.attrs.flag(TN_MATMUL_TRANSPOSE_A) ? last_two_swapped(a) : a,
                  call.attrs.flag(TN_MATMUL_TRANSPOSE_B) ? last_two_swapped(b) : b,
                  common_dtype(call))};
}

std::vector<Array> linear(const Call& call) {
  Array x = call.in(0);
  if (x.rank() == 1) x.dims.insert(x.dims.begin(), 1);
  Array y = product(x, last_two_swapped(call.in(1)), x.dtype);
  if (call.in(0).rank() == 1) y.dims.erase(y.dims.end() - 2);
  if (!call.has(2)) return {y};
  const Array bias = broadcast(call.in(2), y.dims);
  for (size_t k = 0; k < y.f.size(); ++k) {
    y.f[k] += bias.f[k];
    y.scale[k] += std::fabs(bias.f[k]);
  }
  return {y};
}

const Fill kAny = uniform(-2, 2);

void add_large(OpSamples& s) {
  s.add(Case{"large", {in({129, 150}, kAny), in({150, 131}, kAny)}}.large());
  s.add(Case{"large_transposed",
             {in({150, 129}, kAny), in({131, 150}, kAny)},
             {flag(TN_MATMUL_TRANSPOSE_A, true), flag(TN_MATMUL_TRANSPOSE_B, true)}}
            .large());
  s.add(Case{"long", {in({2, 6007}, kAny), in({6007, 3}, kAny)}}.large());
  s.add(Case{"tall", {in({3001, 5}, kAny), in({5, 7}, kAny)}}.large());
}

}  // namespace

void add_matmul(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_MATMUL, "matmul");
  s.on(kFloats).maybe(kIntegers).gives(matmul, kSum).gradient(Grad::yes);
  const auto how = [](bool a, bool b) {
    return std::vector<Attr>{flag(TN_MATMUL_TRANSPOSE_A, a), flag(TN_MATMUL_TRANSPOSE_B, b)};
  };
  s.add({"small", {in({3, 4}, kAny), in({4, 5}, kAny)}});
  s.add({"transpose_a", {in({4, 3}, kAny), in({4, 5}, kAny)}, how(true, false)});
  s.add({"transpose_b", {in({3, 4}, kAny), in({5, 4}, kAny)}, how(false, true)});
  s.add({"transpose_both", {in({4, 3}, kAny), in({5, 4}, kAny)}, how(true, true)});
  s.add({"row_by_column", {in({1, 6}, kAny), in({6, 1}, kAny)}});
  s.add({"outer", {in({3, 1}, kAny), in({1, 4}, kAny)}});
  s.add({"batched", {in({2, 3, 4}, kAny), in({2, 4, 2}, kAny)}});
  s.add({"batched_transposed", {in({2, 4, 3}, kAny), in({2, 2, 4}, kAny)}, how(true, true)});
  s.add({"batch_broadcast", {in({2, 1, 2, 3}, kAny), in({3, 3, 2}, kAny)}});
  s.add({"one_matrix_for_all", {in({3, 2, 4}, kAny), in({4, 2}, kAny)}});
  s.add({"no_rows", {in({0, 3}, kAny), in({3, 2}, kAny)}});
  s.add({"no_terms", {in({2, 0}, kAny), in({0, 3}, kAny)}});
  s.add({"odd", {in({17, 33}, kAny), in({33, 19}, kAny)}});
  add_large(s);
  s.add(Case{"f16_with_f32", {in({2, 3}, kAny, TN_DTYPE_F16), in({3, 2}, kAny, TN_DTYPE_F32)}}
            .no_grad()
            .only({TN_DTYPE_NONE}));
  s.add(Case{"does_not_fit", {in({2, 3}, kAny), in({4, 2}, kAny)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
  s.add(Case{"vector", {in({3}, kAny), in({3, 2}, kAny)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));

  OpSamples& l = c.add(TN_OP_LINEAR, "linear");
  l.on(kFloats).gives(linear, kBiased).gradient(Grad::yes);
  l.add({"bias", {in({3, 4}, kAny), in({5, 4}, kAny), in({5}, kAny)}});
  l.add({"no_bias", {in({3, 4}, kAny), in({5, 4}, kAny), absent()}});
  l.add({"rank3", {in({2, 3, 4}, kAny), in({2, 4}, kAny), in({2}, kAny)}});
  l.add({"one", {in({1, 1}, kAny), in({1, 1}, kAny), in({1}, kAny)}});
  l.add({"empty", {in({0, 4}, kAny), in({2, 4}, kAny), in({2}, kAny)}});
  l.add(Case{"large", {in({64, 201}, kAny), in({97, 201}, kAny), in({97}, kAny)}}.large());
  l.add(Case{"does_not_fit", {in({2, 3}, kAny), in({4, 2}, kAny), absent()}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

}  // namespace tenon::conformance

// What is made of the diagonals of the last two axes.
#include <algorithm>
#include <cmath>

#include "moved.hpp"

namespace tenon::conformance {
namespace {

const Fill kAny = uniform(-9, 9);

Oracle triangle(bool lower) {
  return [=](const Call& call) -> std::vector<Array> {
    static_assert(TN_TRIL_K == TN_TRIU_K);
    const Array& x = call.in(0);
    const int64_t k = call.attrs.integer(TN_TRIL_K, 0);
    Array y(x.dtype, x.dims);
    int64_t at = 0;
    for_each(x.dims, [&](const Dims& index) {
      const int64_t row = index[index.size() - 2], column = index[index.size() - 1];
      if (lower ? column - row <= k : column - row >= k) y.copy_from(at, x, at);
      ++at;
    });
    return {y};
  };
}

// Of a diagonal. All beyond the matrix are alike.
int64_t number(const Call& call, uint32_t key) {
  return std::clamp<int64_t>(call.attrs.integer(key, 0), -1000, 1000);
}

std::vector<Array> diagonal(const Call& call) {
  const Array& x = call.in(0);
  const int64_t k = number(call, TN_DIAGONAL_OFFSET);
  Dims dims(x.dims.begin(), x.dims.end() - 2);
  dims.push_back(0);
  for (int64_t row = 0; row < x.dims[x.rank() - 2]; ++row)
    if (row + k >= 0 && row + k < x.dims[x.rank() - 1]) ++dims.back();
  return {moved(x, dims, [&](Dims index) {
    const int64_t place = index.back();
    index.back() = place + std::max<int64_t>(-k, 0);
    index.push_back(place + std::max<int64_t>(k, 0));
    return index;
  })};
}

std::vector<Array> trace(const Call& call) {
  const Array& x = call.in(0);
  const int64_t k = call.attrs.integer(TN_TRACE_OFFSET, 0);
  const tn_dtype whole = is_integer(x.dtype) && !is_signed(x.dtype) ? TN_DTYPE_U64 : TN_DTYPE_I64;
  Array y(x.floating() ? x.dtype : whole, Dims(x.dims.begin(), x.dims.end() - 2));
  y.terms = std::max<int64_t>(x.dims.back(), 1);
  if (y.floating()) y.scale.resize(y.f.size());
  const Dims strides = strides_of(y.dims);
  int64_t from = 0;
  for_each(x.dims, [&](Dims index) {
    const int64_t column = index.back(), row = index[index.size() - 2], at = from++;
    if (column - row != k) return;
    index.resize(index.size() - 2);
    const int64_t to = offset_of(index, strides);
    if (y.floating()) {
      y.f[static_cast<size_t>(to)] += x.real(at);
      y.scale[static_cast<size_t>(to)] += std::fabs(x.real(at));
    } else {
      y.set(to, y.integer(to) + x.integer(at));
    }
  });
  return {y};
}

std::vector<Array> eye(const Call& call) {
  const int64_t n = call.attrs.integer(TN_EYE_N, 0), m = call.attrs.integer(TN_EYE_M, -1);
  Array y(call.attrs.type(TN_EYE_DTYPE, TN_DTYPE_F32), {n, m < 0 ? n : m});
  const int64_t k = number(call, TN_EYE_K);
  for (int64_t row = 0; row < n; ++row)
    if (row + k >= 0 && row + k < y.dims[1]) y.set(row * y.dims[1] + row + k, int64_t{1});
  return {y};
}

// Every op here but eye has the number of the diagonal as its only attribute.
void add_matrices(OpSamples& s) {
  const auto at = [](int64_t k) { return std::vector<Attr>{integer(TN_TRACE_OFFSET, k)}; };
  s.add({"square", {in({4, 4}, kAny)}});
  s.add({"wide", {in({3, 5}, kAny)}});
  s.add({"tall", {in({5, 3}, kAny)}});
  s.add({"above", {in({3, 5}, kAny)}, at(1)});
  s.add({"far_above", {in({3, 5}, kAny)}, at(3)});
  s.add({"below", {in({5, 3}, kAny)}, at(-1)});
  s.add({"far_below", {in({4, 4}, kAny)}, at(-3)});
  s.add({"outside_above", {in({3, 4}, kAny)}, at(4)});
  s.add({"outside_below", {in({3, 4}, kAny)}, at(-7)});
  s.add({"farthest", {in({2, 2}, kAny)}, at(INT64_MAX)});
  s.add({"least", {in({2, 2}, kAny)}, at(INT64_MIN)});
  s.add({"batch", {in({2, 3, 4, 3}, kAny)}, at(-1)});
  s.add({"one", {in({1, 1}, kAny)}});
  s.add({"no_rows", {in({0, 3}, kAny)}});
  s.add({"no_columns", {in({2, 3, 0}, kAny)}});
  s.add({"no_matrices", {in({0, 2, 2}, kAny)}});
  s.add(Case{"large", {in({3, 150, 170}, kAny)}, at(2)}.large());
  s.add(Case{"vector", {in({3}, kAny)}}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
}

}  // namespace

void add_diagonal(Catalogue& c) {
  static_assert(TN_TRIL_K == TN_TRACE_OFFSET && TN_TRIU_K == TN_TRACE_OFFSET &&
                TN_DIAGONAL_OFFSET == TN_TRACE_OFFSET);
  add_matrices(
      c.add(TN_OP_TRIL, "tril").on(kAll).gives(triangle(true), kExact).gradient(Grad::yes));
  add_matrices(
      c.add(TN_OP_TRIU, "triu").on(kAll).gives(triangle(false), kExact).gradient(Grad::yes));
  add_matrices(
      c.add(TN_OP_DIAGONAL, "diagonal").on(kAll).gives(diagonal, kSameBits).gradient(Grad::yes));
  OpSamples& trace_op = c.add(TN_OP_TRACE, "trace").on(kAll).gives(trace, kSum).gradient(Grad::yes);
  add_matrices(trace_op);
  trace_op.add(
      Case{"special_beside", {in({2, 2}, values({1, HUGE_VAL, std::nan(""), 2}))}}.no_grad().only(
          kFloats));

  OpSamples& eye_op = c.add(TN_OP_EYE, "eye");
  eye_op.gives(eye, kExact);
  const auto add = [&](const std::string& name, int64_t n, int64_t m, int64_t k,
                       tn_dtype dtype = TN_DTYPE_F32) {
    eye_op.add({name,
                {},
                {integer(TN_EYE_N, n), integer(TN_EYE_M, m), integer(TN_EYE_K, k),
                 type(TN_EYE_DTYPE, dtype)}});
  };
  for (const tn_dtype dtype : kAll) add(name_of(dtype), 3, -1, 0, dtype);
  eye_op.add({"default", {}, {integer(TN_EYE_N, 4)}});
  add("wide", 3, 5, 2);
  add("tall", 5, 3, -1);
  add("outside", 3, 3, 3);
  add("farthest", 2, 2, INT64_MAX);
  add("empty", 0, 3, 0);
  add("long", 300, 200, -50);
  eye_op.add(Case{"negative", {}, {integer(TN_EYE_N, -3)}}.refused(TN_INVALID_ARGUMENT));
}

}  // namespace tenon::conformance

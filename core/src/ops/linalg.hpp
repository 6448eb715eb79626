// What the ops of linear algebra share. A matrix is the last two axes. Private to core/src/ops.
#pragma once
#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

// Input i is [..., n, n].
tn_error* require_square(const Infer& c, uint32_t i, const char* name);
// The axes of inputs 0 and 1 before their last two (`b_axes` of input 1), broadcast.
tn_error* batch_dims(const Infer& c, uint32_t b_axes, Dims* out);

// n of [..., n, n] for a recipe that takes one step per row. -1: it is not known, or so great that
// it would be one without end, and the recipe has failed.
int64_t steps_of(const Recipe& b, Value x);

Value swapped(Value x);  // the last two axes
// Rows and columns [from, to) of a matrix.
Value part(Value x, int64_t row, int64_t row_end, int64_t column, int64_t column_end);
inline Value rows(Value x, int64_t from, int64_t to) { return part(x, from, to, 0, kToEnd); }
Value joined(const std::vector<Value>& parts, int64_t axis);
// Places (i, j): 1 where i = j.
Value identity(const Recipe& b, int64_t n, tn_dtype dtype);
// Row i of the result is row order[i] of x; order [..., n].
Value in_order(Value x, Value order);

inline Value tril(Value x, int64_t k = 0) { return {x.b(), tn_b_tril(x.b(), x.v(), k)}; }
inline Value triu(Value x, int64_t k = 0) { return {x.b(), tn_b_triu(x.b(), x.v(), k)}; }
struct Triangle {
  bool upper = false, transpose = false, unit = false;
};
inline Value triangular_solve(Value a, Value b, Triangle how) {
  return {a.b(), tn_b_triangular_solve(a.b(), a.v(), b.v(), how.upper, how.transpose, how.unit)};
}
struct Factors {
  Value packed, order;
};
inline Factors lu(Value x) {
  tn_value out[2] = {TN_NO_VALUE, TN_NO_VALUE};
  tn_b_lu(x.b(), x.v(), out);
  return {{x.b(), out[0]}, {x.b(), out[1]}};
}
inline Value argsort(Value x) { return {x.b(), tn_b_argsort(x.b(), x.v(), -1, false)}; }

}  // namespace tenon::ops

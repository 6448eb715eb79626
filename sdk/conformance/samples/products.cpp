// Products of vectors: outer, dot, vecdot.
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

std::vector<Array> outer(const Call& call) {
  const Array &a = call.in(0), &b = call.in(1);
  Array y(a.dtype, {a.count(), b.count()});
  for (int64_t k = 0; k < y.count(); ++k) {
    const int64_t i = k / b.count(), j = k % b.count();
    if (y.floating())
      y.f[static_cast<size_t>(k)] = a.real(i) * b.real(j);
    else
      y.set(k, static_cast<int64_t>(static_cast<uint64_t>(a.integer(i)) *
                                    static_cast<uint64_t>(b.integer(j))));
  }
  return {y};
}

// The sum of a b over axis `axis` of dims that both have.
Array summed_products(const Array& a, const Array& b, size_t axis) {
  Dims dims = a.dims;
  dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  Array y(a.dtype, dims);
  const Dims strides = strides_of(dims);
  y.terms = std::max<int64_t>(a.dims[axis], 1);
  if (y.floating()) y.scale.resize(y.f.size());
  int64_t from = 0;
  for_each(a.dims, [&](Dims index) {
    index.erase(index.begin() + static_cast<std::ptrdiff_t>(axis));
    const int64_t to = offset_of(index, strides), k = from++;
    if (y.floating()) {
      y.f[static_cast<size_t>(to)] += a.real(k) * b.real(k);
      y.scale[static_cast<size_t>(to)] += std::fabs(a.real(k) * b.real(k));
    } else {
      y.set(to, static_cast<int64_t>(static_cast<uint64_t>(y.integer(to)) +
                                     static_cast<uint64_t>(a.integer(k)) *
                                         static_cast<uint64_t>(b.integer(k))));
    }
  });
  return y;
}

std::vector<Array> dot(const Call& call) { return {summed_products(call.in(0), call.in(1), 0)}; }

std::vector<Array> vecdot(const Call& call) {
  const Dims dims = broadcast_dims(call.in(0).dims, call.in(1).dims);
  return {summed_products(broadcast(call.in(0), dims), broadcast(call.in(1), dims),
                          axis_of(call.attrs.integer(TN_VECDOT_AXIS, -1), dims.size()))};
}

}  // namespace

void add_products(Catalogue& c) {
  const Fill any = uniform(-4, 4), small = uniform(-1, 1);
  const auto refused = [](Case k, tn_code code = TN_INVALID_ARGUMENT) {
    return std::move(k).refused(code).only({TN_DTYPE_F32});
  };

  OpSamples& outer_op = c.add(TN_OP_OUTER, "outer");
  outer_op.on(kNumbers).gives(outer, kRounded).gradient(Grad::yes);
  outer_op.add({"few", {in({4}, any), in({3}, any)}});
  outer_op.add({"one_row", {in({1}, any), in({5}, any)}});
  outer_op.add({"no_rows", {in({0}, any), in({5}, any)}});
  outer_op.add({"no_columns", {in({3}, any), in({0}, any)}});
  outer_op.add(Case{"large", {in({301}, any), in({203}, any)}}.large());
  outer_op.add(refused({"matrix", {in({2, 3}, any), in({3}, any)}}));

  OpSamples& dot_op = c.add(TN_OP_DOT, "dot");
  dot_op.on(kNumbers).gives(dot, kSum).gradient(Grad::yes);
  dot_op.add({"few", {in({5}, any), in({5}, any)}});
  dot_op.add({"one", {in({1}, any), in({1}, any)}});
  dot_op.add({"nothing", {in({0}, any), in({0}, any)}});
  dot_op.add(Case{"large", {in({90001}, small), in({90001}, small)}}.large());
  dot_op.add(refused({"other_length", {in({4}, any), in({3}, any)}}));
  dot_op.add(refused({"matrix", {in({2, 3}, any), in({3}, any)}}));

  OpSamples& vecdot_op = c.add(TN_OP_VECDOT, "vecdot");
  const auto along = [](int64_t axis) { return std::vector<Attr>{integer(TN_VECDOT_AXIS, axis)}; };
  vecdot_op.on(kNumbers).gives(vecdot, kSum).gradient(Grad::yes);
  vecdot_op.add({"vectors", {in({5}, any), in({5}, any)}});
  vecdot_op.add({"rows", {in({3, 4}, any), in({3, 4}, any)}});
  vecdot_op.add({"columns", {in({3, 4}, any), in({3, 4}, any)}, along(-2)});
  vecdot_op.add({"row_of_all", {in({2, 3, 4}, any), in({4}, any)}});
  vecdot_op.add({"crossed", {in({3, 1, 4}, any), in({2, 4}, any)}});
  vecdot_op.add({"inside", {in({3, 1}, any), in({2, 3, 4}, any)}, along(-2)});
  vecdot_op.add({"no_rows", {in({0, 4}, any), in({4}, any)}});
  vecdot_op.add({"of_nothing", {in({2, 0}, any), in({2, 0}, any)}});
  vecdot_op.add(Case{"large", {in({7, 9001}, small), in({9001}, small)}}.large());
  vecdot_op.add(refused({"other_length", {in({2, 4}, any), in({2, 1}, any)}}));
  vecdot_op.add(refused({"other_rows", {in({2, 4}, any), in({3, 4}, any)}}));
  vecdot_op.add(
      refused({"front_axis", {in({2, 4}, any), in({2, 4}, any)}, along(1)}, TN_OUT_OF_RANGE));
  vecdot_op.add(refused({"scalars", {in({}, any), in({}, any)}}, TN_OUT_OF_RANGE));
}

}  // namespace tenon::conformance

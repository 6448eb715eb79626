// Sums, products and matrices of complex numbers, by the oracles for real ones.
#include <algorithm>
#include <cmath>
#include <complex>

#include "elementwise.hpp"

namespace tenon::conformance {
namespace {

const std::vector<tn_dtype> kComplexes{TN_DTYPE_C64, TN_DTYPE_C128};
const Fill kAny = uniform(-2, 2);

bool of_complex(const Call& call) {
  return std::any_of(call.inputs.begin(), call.inputs.end(),
                     [](const Array& x) { return !x.absent && is_complex(x.dtype); });
}
tn_dtype part_of(const Call& call) {
  for (const Array& x : call.inputs)
    if (!x.absent && x.dtype == TN_DTYPE_C128) return TN_DTYPE_F64;
  return TN_DTYPE_F32;
}

// Part 0 or 1 of x, or its size.
enum Part { kRe, kIm, kSize };
Array taken(const Array& x, Part part, tn_dtype dtype) {
  if (x.absent || !is_complex(x.dtype)) return x;
  Array y(dtype, x.dims);
  for (int64_t k = 0; k < y.count(); ++k) {
    const double re = x.real(2 * k), im = x.real(2 * k + 1);
    y.f[static_cast<size_t>(k)] = part == kRe ? re : part == kIm ? im : std::hypot(re, im);
  }
  return y;
}

// What is linear in each complex input: the sum, over all choices of a part for each, of what the oracle
// for reals says of them, times i for each imaginary part; where `conjugate`, -i for that of the first.
Oracle linear(const Oracle& of_reals, bool conjugate = false) {
  return [=](const Call& call) -> std::vector<Array> {
    if (!of_complex(call)) return of_reals(call);
    const tn_dtype t = part_of(call);
    std::vector<Array> sum;
    const size_t n = call.inputs.size();
    for (size_t choice = 0; choice < size_t{1} << n; ++choice) {
      Call parts = call;
      std::complex<double> factor = 1;
      bool none = false;  // a real input has no imaginary part
      for (size_t k = 0; k < n; ++k) {
        const bool im = (choice >> k & 1) != 0;
        none = none || (im && (call.in(k).absent || !is_complex(call.in(k).dtype)));
        parts.inputs[k] = taken(call.in(k), im ? kIm : kRe, t);
        if (im) factor *= std::complex<double>(0, conjugate && k == 0 ? -1 : 1);
      }
      if (none) continue;
      const std::vector<Array> y = of_reals(parts);
      for (size_t o = 0; o < y.size(); ++o) {
        if (sum.size() == o) {
          sum.emplace_back(t == TN_DTYPE_F64 ? TN_DTYPE_C128 : TN_DTYPE_C64, y[o].dims);
          sum[o].scale.resize(sum[o].f.size());
          sum[o].terms = y[o].terms;
        }
        for (size_t k = 0; k < y[o].f.size(); ++k)
          for (const size_t part : {0u, 1u}) {
            sum[o].f[2 * k + part] += y[o].f[k] * (part ? factor.imag() : factor.real());
            sum[o].scale[2 * k + part] += y[o].scale.empty() ? std::fabs(y[o].f[k]) : y[o].scale[k];
          }
      }
    }
    return sum;
  };
}

// What asks only for the size of each element.
Oracle by_size(const Oracle& of_reals) {
  return [=](const Call& call) -> std::vector<Array> {
    Call sizes = call;
    for (Array& x : sizes.inputs) x = taken(x, kSize, part_of(call));
    return of_reals(sizes);
  };
}

// The running product along the only axis, or, if `last`, its end.
std::vector<Array> product(const Call& call, bool last) {
  const Array& x = call.in(0);
  Array y(x.dtype, last ? Dims{} : x.dims);
  y.terms = x.count();
  std::complex<long double> p = 1;
  for (int64_t k = 0; k < x.count(); ++k) {
    p *= std::complex<long double>(x.real(2 * k), x.real(2 * k + 1));
    const auto at = static_cast<size_t>(last ? 0 : 2 * k);
    y.f[at] = static_cast<double>(p.real());
    y.f[at + 1] = static_cast<double>(p.imag());
    y.scale.resize(at);
    y.scale.resize(at + 2, static_cast<double>(std::abs(p)));
  }
  return {y};
}

// Whether all parts are equal.
std::vector<Array> equal(const Call& call, bool same) {
  const Array &a = call.in(0), &b = call.in(1);
  Array y(TN_DTYPE_BOOL, a.dims);
  for (int64_t k = 0; k < y.count(); ++k)
    y.set(k, int64_t{same ==
                     (a.real(2 * k) == b.real(2 * k) && a.real(2 * k + 1) == b.real(2 * k + 1))});
  return {y};
}

class Samples {
 public:
  Samples(Catalogue& c, tn_op op) : s_(c.at(op)) {}
  Samples& gives(const Oracle& oracle) {
    const Oracle of_reals = s_.oracle;
    s_.oracle = [=](const Call& call) { return of_complex(call) ? oracle(call) : of_reals(call); };
    return *this;
  }
  const Oracle& oracle() const { return s_.oracle; }
  Samples& add(const std::string& name, const std::vector<Input>& inputs,
               const std::vector<Attr>& attrs = {}) {
    s_.add(Case{"complex_" + name, inputs, attrs}.only(kComplexes));
    return *this;
  }
  Case& last() { return s_.cases.back(); }

 private:
  OpSamples& s_;
};

void add_sums(Catalogue& c) {
  for (const tn_op op : {TN_OP_SUM, TN_OP_MEAN}) {
    Samples s(c, op);
    s.gives(linear(s.oracle()));
    s.add("all", {in({3, 5}, kAny)}).add("rows", {in({3, 5}, kAny)}, {list(TN_SUM_AXES, {1})});
    s.add("rank0", {in({}, kAny)}).add("no_rows", {in({0, 3}, kAny)}, {list(TN_SUM_AXES, {1})});
  }
  Samples cumsum(c, TN_OP_CUMSUM);
  cumsum.gives(linear(cumsum.oracle())).add("rows", {in({3, 4}, kAny)});
  Samples trace(c, TN_OP_TRACE);
  trace.gives(linear(trace.oracle()))
      .add("batch", {in({2, 3, 4}, kAny)}, {integer(TN_TRACE_OFFSET, 1)});
  for (const tn_op op : {TN_OP_TRIL, TN_OP_TRIU})
    Samples(c, op).add("batch", {in({2, 3, 4}, kAny)}, {integer(TN_TRIL_K, -1)});
  Samples(c, TN_OP_DIAGONAL).add("batch", {in({2, 3, 4}, kAny)});

  const Fill off_zero = clear_of(-1.6, 1.6, {0}, 0.3);
  Samples prod(c, TN_OP_PROD), cumprod(c, TN_OP_CUMPROD);
  prod.gives([](const Call& call) { return product(call, true); });
  cumprod.gives([](const Call& call) { return product(call, false); });
  for (Samples* s : {&prod, &cumprod}) {
    s->add("vector", {in({5}, off_zero)}).add("one", {in({1}, off_zero)});
    s->add("with_zero", {in({4}, values({1, 2, -1, .5, 0, 0, 1, 1}))}).last().second = false;
  }

  for (const tn_op op : {TN_OP_ANY, TN_OP_ALL}) {
    Samples s(c, op);
    s.gives(by_size(s.oracle()));
    s.add("rows", {in({3, 2}, values({0, 0, 0, -0., 0, 1, 0, 0, 2, 0, 0, 3}))}, {list(0, {1})});
    s.add("nan", {in({2}, values({0, std::nan(""), 0, 0}))});
  }
  Samples norm(c, TN_OP_NORM);
  norm.gives(by_size(norm.oracle()));
  for (const double ord : {1.0, 2.0, HUGE_VAL})
    norm.add("rows" + std::to_string(static_cast<int>(std::min(ord, 9.0))),
             {in({3, 5}, distinct(1, 9))}, {number(TN_NORM_ORD, ord), list(TN_NORM_AXES, {1})});
}

void add_bilinear(Catalogue& c) {
  const auto both = [&](tn_op op, const Dims& a, const Dims& b, const std::vector<Attr>& attrs = {},
                        bool conjugate = false) {
    Samples s(c, op);
    s.gives(linear(s.oracle(), conjugate));
    s.add("few", {in(a, kAny), in(b, kAny)}, attrs);
    s.add("by_real", {in(a, kAny), in(b, kAny, TN_DTYPE_F32)}, attrs);
    s.last().second = false;  // its step is too small for f32
    s.add("nothing", {in(a, kAny), in(b, kAny)}, attrs);
    for (Input& x : s.last().inputs) x.dims.assign(x.dims.size(), 0);
  };
  both(TN_OP_OUTER, {4}, {3});
  both(TN_OP_DOT, {5}, {5});
  both(TN_OP_VECDOT, {3, 4}, {3, 4}, {}, true);
  both(TN_OP_MATMUL, {2, 3, 4}, {2, 4, 2});
  both(TN_OP_EINSUM, {3, 4}, {4, 2}, {text(TN_EINSUM_EQUATION, "ij,jk->ki")});
  Samples(c, TN_OP_MATMUL)
      .add("transposed", {in({4, 3}, kAny), in({2, 4}, kAny)},
           {flag(TN_MATMUL_TRANSPOSE_A, true), flag(TN_MATMUL_TRANSPOSE_B, true)});
  Samples(c, TN_OP_EINSUM)
      .add("three", {in({2, 3}, kAny), in({4, 3}, kAny), in({4, 2}, kAny)},
           {text(TN_EINSUM_EQUATION, "ij,kj,ki->k")});
}

void add_choices(Catalogue& c) {
  const Fill few = values({1, 2, 1, 3, 0, -0., 2, 2}), other = values({1, 2, 1, 2, -0., 0, 3, 2});
  for (const tn_op op : {TN_OP_EQ, TN_OP_NE})
    Samples(c, op)
        .gives([same = op == TN_OP_EQ](const Call& call) { return equal(call, same); })
        .add("few", {in({4}, few), in({4}, other)})
        .add("nan", {in({2}, values({std::nan(""), 1, 1, std::nan("")})),
                     in({2}, values({std::nan(""), 1, 1, std::nan("")}))});
  Samples where(c, TN_OP_WHERE);
  where.gives([](const Call& call) -> std::vector<Array> {
    Array y = call.in(1);
    for (int64_t k = 0; k < y.count(); ++k)
      if (call.in(0).integer(k) == 0) y.copy_from(k, call.in(2), k);
    return {y};
  });
  where.add("few", {in({3, 5}, uniform(0, 1), TN_DTYPE_BOOL), in({3, 5}, kAny), in({3, 5}, kAny)});

  // What moves elements moves these.
  for (const tn_op op : {TN_OP_COPY, TN_OP_TRANSPOSE, TN_OP_FLIP, TN_OP_CONCAT, TN_OP_STACK,
                         TN_OP_TILE, TN_OP_ROLL, TN_OP_TAKE_ALONG_AXIS, TN_OP_GATHER_ND})
    c.at(op).dtypes.push_back(TN_DTYPE_C64);
}

}  // namespace

void add_complex_tensors(Catalogue& c) {
  add_sums(c);
  add_bilinear(c);
  add_choices(c);
}

}  // namespace tenon::conformance

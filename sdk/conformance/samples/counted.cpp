// nonzero and unique: as many results as the data ask for.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

static_assert(TN_NONZERO_MAX_SIZE == TN_UNIQUE_MAX_SIZE);

int64_t places(const Call& call, size_t count) {
  const int64_t most = call.attrs.integer(TN_NONZERO_MAX_SIZE, -1);
  return most < 0 ? static_cast<int64_t>(count) : most;
}
Array scalar(size_t count) {
  Array y(TN_DTYPE_I64, {});
  y.set(0, static_cast<int64_t>(count));
  return y;
}

std::vector<Array> nonzero(const Call& call) {
  const Array& x = call.in(0);
  std::vector<Dims> found;
  int64_t at = 0;
  for_each(x.dims, [&](const Dims& index) {
    bool zero = true;
    for (int64_t part = 0; part < x.parts(); ++part, ++at) zero = zero && x.real(at) == 0;
    if (!zero) found.push_back(index);
  });
  const int64_t columns = places(call, found.size());
  Array y(TN_DTYPE_I64, {static_cast<int64_t>(x.rank()), columns});
  for (int64_t k = 0; k < std::min<int64_t>(columns, found.size()); ++k)
    for (size_t a = 0; a < x.rank(); ++a)
      y.set(static_cast<int64_t>(a) * columns + k, found[static_cast<size_t>(k)][a]);
  return {y, scalar(found.size())};
}

// The order of complex numbers: by the real part, of equal ones by the imaginary part; NaN is greatest.
bool before(const Array& x, int64_t a, int64_t b) {
  for (const int64_t part : {0, 1}) {
    const double p = x.real(2 * a + part), q = x.real(2 * b + part);
    if (std::isnan(p) || std::isnan(q)) {
      if (std::isnan(p) != std::isnan(q)) return std::isnan(q);
    } else if (p != q) {
      return p < q;
    }
  }
  return false;
}

std::vector<Array> unique(const Call& call) {
  const Array& x = call.in(0);
  const bool pairs = x.parts() == 2;
  const auto less = [&](int64_t a, int64_t b) {
    if (pairs) return before(x, a, b);
    if (!x.floating() && x.dtype != TN_DTYPE_U64) return x.integer(a) < x.integer(b);
    if (!x.floating())
      return static_cast<uint64_t>(x.integer(a)) < static_cast<uint64_t>(x.integer(b));
    if (std::isnan(x.real(a)) || std::isnan(x.real(b))) return !std::isnan(x.real(a));
    return x.real(a) < x.real(b);
  };
  const auto equal = [&](int64_t a, int64_t b) {
    if (pairs) return x.real(2 * a) == x.real(2 * b) && x.real(2 * a + 1) == x.real(2 * b + 1);
    return x.floating() ? x.real(a) == x.real(b) : x.integer(a) == x.integer(b);
  };
  // Where each kind stands first, then by size. A search of all that went before: slow and plain.
  std::vector<int64_t> firsts;
  std::vector<size_t> kind(static_cast<size_t>(x.count()));
  for (int64_t k = 0; k < x.count(); ++k) {
    size_t f = 0;
    while (f < firsts.size() && !equal(firsts[f], k)) ++f;
    if (f == firsts.size()) firsts.push_back(k);
    kind[static_cast<size_t>(k)] = f;
  }
  std::vector<size_t> order(firsts.size()), place(firsts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const bool nan =
        !pairs && x.floating() && std::isnan(x.real(firsts[a])) && std::isnan(x.real(firsts[b]));
    return !nan && less(firsts[a], firsts[b]);
  });
  for (size_t p = 0; p < order.size(); ++p) place[order[p]] = p;

  const int64_t n = places(call, firsts.size());
  Array values(x.dtype, {n}), indices(TN_DTYPE_I64, {n}), inverse(TN_DTYPE_I64, x.dims),
      counts(TN_DTYPE_I64, {n});
  for (int64_t p = 0; p < std::min<int64_t>(n, firsts.size()); ++p) {
    const size_t f = order[static_cast<size_t>(p)];
    values.copy_from(p, x, firsts[f]);
    indices.set(p, firsts[f]);
    counts.set(p, static_cast<int64_t>(std::count(kind.begin(), kind.end(), f)));
  }
  for (int64_t k = 0; k < x.count(); ++k)
    inverse.set(k, static_cast<int64_t>(place[kind[static_cast<size_t>(k)]]));
  return {values, indices, inverse, counts, scalar(firsts.size())};
}

// About half of the elements are 0.
Fill sparse() {
  return [](Array& x, Rng& rng) {
    for (int64_t k = 0; k < x.numbers(); ++k)
      x.set(k, rng.below(2) == 0 ? int64_t{0} : 1 + rng.below(9));
  };
}

std::vector<Attr> most(int64_t n) { return {integer(TN_NONZERO_MAX_SIZE, n)}; }

void add_sizes(OpSamples& s, const Fill& fill) {
  s.add({"vector", {in({9}, fill)}});
  s.add({"matrix", {in({3, 4}, fill)}});
  s.add({"rank4", {in({2, 3, 1, 2}, fill)}});
  s.add({"one", {in({1}, fill)}});
  s.add({"scalar", {in({}, fill)}});
  s.add({"empty", {in({0}, fill)}});
  s.add({"empty_inside", {in({2, 0, 3}, fill)}});
  s.add({"empty_padded", {in({2, 0}, fill)}, most(3)});
  s.add({"scalar_padded", {in({}, fill)}, most(2)});
  s.add({"padded", {in({3, 4}, fill)}, most(20)});
  s.add({"cut", {in({3, 4}, fill)}, most(2)});
  s.add({"none_kept", {in({3, 4}, fill)}, most(0)});
  s.add(Case{"large", {in({71, 130}, fill)}}.large());
  s.add(Case{"below", {in({3}, fill)}, most(-2)}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  s.add(Case{"endless", {in({3}, fill)}, most(INT64_MAX)}
            .refused(TN_OUT_OF_RANGE)
            .only({TN_DTYPE_F32}));
}

}  // namespace

void add_counted(Catalogue& c) {
  OpSamples& n = c.add(TN_OP_NONZERO, "nonzero");
  std::vector<tn_dtype> types = kAll;
  types.insert(types.end(), {TN_DTYPE_C64, TN_DTYPE_C128});
  n.on(types).gives(nonzero, kExact);
  add_sizes(n, sparse());
  n.add({"all", {in({2, 3}, values({1}))}});
  n.add({"nothing", {in({2, 3}, values({0}))}});
  n.add(Case{"special", {in({16}, special())}}.only(kFloats));

  OpSamples& u = c.add(TN_OP_UNIQUE, "unique");
  u.on(types).gives(unique, kSameBits).gradient(Grad::yes);
  OpSamples repeated = u;
  add_sizes(repeated, sparse());
  for (Case& k : repeated.cases) u.add(std::move(k).no_grad());
  u.add(Case{"special", {in({18}, special())}}.no_grad().only(kFloats));
  const double inf = HUGE_VAL, nan = std::nan("");
  u.add(Case{"complex_order",
             {in({14}, values({2, 1, 1, 9,   2,   -1, 1,    9, 0, -0., -0., 0,   inf, 1,
                               2, 1, 1, nan, nan, 1,  -inf, 2, 1, nan, nan, nan, 2,   -inf}))}}
            .no_grad()
            .only({TN_DTYPE_C64, TN_DTYPE_C128}));
  for (const int64_t size : {-1, 4, 20})
    u.add(Case{"distinct" + std::to_string(size), {in({3, 3}, distinct(-9, 9))}, most(size)}
              .ties()
              .only({TN_DTYPE_F64, TN_DTYPE_F32, TN_DTYPE_C128}));
}

}  // namespace tenon::conformance

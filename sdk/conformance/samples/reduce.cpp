// Reductions over axes, the place of the greatest, running sums.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

// For each element of the result the elements of x that it is made of, in row-major order.
struct Groups {
  Dims dims;  // of the result
  std::vector<std::vector<int64_t>> members;
};

Groups groups_of(const Array& x, const Dims& axes, bool keepdims) {
  std::vector<bool> reduced(x.rank(), axes.empty());
  for (const int64_t axis : axes) reduced[axis_of(axis, x.rank())] = true;
  Groups g;
  Dims kept(x.rank());
  for (size_t k = 0; k < x.rank(); ++k) {
    kept[k] = reduced[k] ? 1 : x.dims[k];
    if (!reduced[k])
      g.dims.push_back(x.dims[k]);
    else if (keepdims)
      g.dims.push_back(1);
  }
  g.members.resize(static_cast<size_t>(count_of(kept)));
  const Dims strides = strides_of(kept);
  int64_t at = 0;
  for_each(x.dims, [&](Dims index) {
    for (size_t k = 0; k < index.size(); ++k)
      if (reduced[k]) index[k] = 0;
    g.members[static_cast<size_t>(offset_of(index, strides))].push_back(at++);
  });
  return g;
}

// Every op here has the attributes axes and keepdims as its first two.
Groups groups_of(const Call& call) {
  static_assert(TN_SUM_AXES == 0 && TN_SUM_KEEPDIMS == 1 && TN_VAR_AXES == 0 &&
                TN_VAR_KEEPDIMS == 1 && TN_STD_KEEPDIMS == 1 && TN_LOGSUMEXP_KEEPDIMS == 1 &&
                TN_ALL_KEEPDIMS == 1 && TN_STD_CORRECTION == TN_VAR_CORRECTION);
  return groups_of(call.in(0), call.attrs.list(0), call.attrs.flag(1));
}

using Group = std::vector<int64_t>;
struct Outcome {
  double value = 0, scale = 0;
};
using RealGroup = std::function<Outcome(const Array& x, const Group& group)>;
using IntGroup = std::function<int64_t(const Array& x, const Group& group)>;

Oracle reduction(const RealGroup& real, const IntGroup& integer, bool widens) {
  return [=](const Call& call) -> std::vector<Array> {
    const Array& x = call.in(0);
    const Groups g = groups_of(call);
    tn_dtype dtype = x.dtype;
    if (widens && !x.floating())
      dtype = is_integer(dtype) && !is_signed(dtype) ? TN_DTYPE_U64 : TN_DTYPE_I64;
    Array y(dtype, g.dims);
    for (size_t k = 0; k < g.members.size(); ++k) {
      y.terms = std::max<int64_t>(y.terms, static_cast<int64_t>(g.members[k].size()));
      if (x.floating()) {
        const Outcome o = real(x, g.members[k]);
        y.f[k] = o.value;
        y.scale.push_back(o.scale);
      } else {
        y.set(static_cast<int64_t>(k), integer(x, g.members[k]));
      }
    }
    return {y};
  };
}

Outcome sum_of(const Array& x, const Group& group) {
  Outcome o;
  for (const int64_t k : group) {
    o.value += x.real(k);
    o.scale += std::fabs(x.real(k));
  }
  return o;
}
Outcome mean_of(const Array& x, const Group& group) {
  const Outcome s = sum_of(x, group);
  const auto n = static_cast<double>(group.size());
  return {s.value / n, s.scale / n};
}
Outcome product_of(const Array& x, const Group& group) {
  double value = 1;
  for (const int64_t k : group) value *= x.real(k);
  return {value, std::fabs(value)};
}
// -0 is less than 0.
Outcome greatest_of(const Array& x, const Group& group, double sign) {
  double best = -std::numeric_limits<double>::infinity();
  for (const int64_t k : group) {
    const double v = sign * x.real(k);
    if (std::isnan(v)) return {v, 0};
    if (v > best || (v == best && !std::signbit(v))) best = v;
  }
  return {sign * best, 0};
}
Outcome logsumexp_of(const Array& x, const Group& group) {
  const double top = greatest_of(x, group, 1).value;
  if (!std::isfinite(top)) return {top, 0};
  double sum = 0;
  for (const int64_t k : group) sum += std::exp(x.real(k) - top);
  const double y = top + std::log(sum);
  return {y, std::max({1.0, std::fabs(top), std::fabs(y)})};
}

int64_t fold(const Array& x, const Group& group, int64_t start,
             const std::function<int64_t(int64_t, int64_t)>& join) {
  for (const int64_t k : group) start = join(start, x.integer(k));
  return start;
}
int64_t int_extremum(const Array& x, const Group& group, bool greatest) {
  return fold(x, group, x.integer(group[0]),
              [=](int64_t a, int64_t b) { return (a > b) == greatest ? a : b; });
}

std::vector<Array> variance(const Call& call) {
  const double correction = call.attrs.number(TN_VAR_CORRECTION, 0);
  return reduction(
      [=](const Array& x, const Group& group) {
        const double mean = mean_of(x, group).value;
        double squares = 0, size = 0;
        for (const int64_t k : group) {
          squares += (x.real(k) - mean) * (x.real(k) - mean);
          size += x.real(k) * x.real(k);
        }
        const double n = std::max(static_cast<double>(group.size()) - correction, 0.0);
        return Outcome{squares / n, size / n};
      },
      nullptr, false)(call);
}

std::vector<Array> deviation(const Call& call) {
  std::vector<Array> y = variance(call);
  for (double& v : y[0].f) v = std::sqrt(v);
  for (double& v : y[0].scale) v = std::sqrt(v);
  return y;
}

Outcome norm_of(const Array& x, const Group& group, double ord) {
  double y = 0;
  for (const int64_t k : group) {
    const double v = std::fabs(x.real(k));
    y = std::isnan(v) || std::isnan(y) ? std::nan("")
        : ord == 1                     ? y + v
        : ord == 2                     ? std::hypot(y, v)
                                       : std::max(y, v);
  }
  return {y, y};
}
std::vector<Array> norm(const Call& call) {
  const double ord = call.attrs.number(TN_NORM_ORD, 2);
  Call reduced = call;
  reduced.attrs = std::vector<Attr>{list(0, call.attrs.list(TN_NORM_AXES)),
                                    flag(1, call.attrs.flag(TN_NORM_KEEPDIMS))};
  return reduction([=](const Array& x, const Group& g) { return norm_of(x, g, ord); }, nullptr,
                   false)(reduced);
}

Oracle truth(bool any) {
  return [=](const Call& call) -> std::vector<Array> {
    const Groups g = groups_of(call);
    Array y(TN_DTYPE_BOOL, g.dims);
    for (size_t k = 0; k < g.members.size(); ++k) {
      bool result = !any;
      for (const int64_t m : g.members[k])
        result = any ? result || call.in(0).real(m) != 0 : result && call.in(0).real(m) != 0;
      y.i[k] = result;
    }
    return {y};
  };
}

enum class OfNothing { defined, refused, open };

void add_cases(OpSamples& s, const Fill& fill, OfNothing of_nothing) {
  const auto over = [](Dims axes, bool keep = false) {
    return std::vector<Attr>{list(0, std::move(axes)), flag(1, keep)};
  };
  const auto add = [&](const char* name, Dims dims, std::vector<Attr> attrs) {
    s.add(Case{name, {in(std::move(dims), fill)}, std::move(attrs)}.ties());
  };
  add("all", {3, 5}, {});
  add("rows", {3, 5}, over({1}));
  add("columns", {3, 5}, over({0}));
  add("inside", {2, 4, 3}, over({1}));
  add("outside", {2, 4, 3}, over({0, 2}));
  add("keepdims", {2, 4, 3}, over({-1, 0}, true));
  add("keepdims_all", {2, 3}, over({}, true));
  add("rank0", {}, {});
  add("long_row", {2, 37}, over({1}));
  add("rank5", {2, 1, 2, 2, 3}, over({1, 3}));
  add("none_to_reduce", {0, 3}, over({1}));
  if (of_nothing == OfNothing::defined) {
    add("nothing", {0}, {});
    add("empty_axis", {2, 0, 3}, over({1}));
  } else if (of_nothing == OfNothing::refused) {
    s.add(Case{"nothing", {in({0}, fill)}}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  }
  s.add(Case{"axis_out_of_range", {in({2, 3}, fill)}, over({2})}
            .refused(TN_OUT_OF_RANGE)
            .only({TN_DTYPE_F32}));
}

void add_large(OpSamples& s, const Fill& fill) {
  s.add(Case{"large_all", {in({90001}, fill)}}.large());
  s.add(Case{"large_rows", {in({5, 20011}, fill)}, {list(0, {1})}}.large());
  s.add(Case{"large_columns", {in({700, 131}, fill)}, {list(0, {0})}}.large());
}

void add_places(Catalogue& c) {
  static_assert(TN_ARGMAX_AXIS == TN_ARGMIN_AXIS && TN_ARGMAX_KEEPDIMS == TN_ARGMIN_KEEPDIMS);
  for (const bool greatest : {true, false}) {
    OpSamples& s = greatest ? c.add(TN_OP_ARGMAX, "argmax") : c.add(TN_OP_ARGMIN, "argmin");
    const Oracle place = [greatest](const Call& call) -> std::vector<Array> {
      const Array& x = call.in(0);
      const Groups g = groups_of(x, {call.attrs.integer(TN_ARGMAX_AXIS, -1)},
                                 call.attrs.flag(TN_ARGMAX_KEEPDIMS));
      Array y(TN_DTYPE_I64, g.dims);
      for (size_t k = 0; k < g.members.size(); ++k) {
        const Group& group = g.members[k];
        size_t best = 0;
        const auto beats = [&](double a, double b) {
          if (std::isnan(b)) return false;
          return std::isnan(a) || (greatest ? a > b : a < b);
        };
        for (size_t m = 1; m < group.size(); ++m)
          if (beats(x.real(group[m]), x.real(group[best]))) best = m;
        y.i[k] = static_cast<int64_t>(best);
      }
      return {y};
    };
    s.on(kNumbers).gives(place, kExact);
    const Fill any = uniform(-9, 9);
    const auto along = [](int64_t axis, bool keep = false) {
      return std::vector<Attr>{integer(TN_ARGMAX_AXIS, axis), flag(TN_ARGMAX_KEEPDIMS, keep)};
    };
    s.add({"rows", {in({3, 7}, any)}});
    s.add({"columns", {in({5, 4}, any)}, along(0)});
    s.add({"inside", {in({2, 5, 3}, any)}, along(1)});
    s.add({"keepdims", {in({2, 5}, any)}, along(1, true)});
    s.add({"ties", {in({2, 6}, values({1, 3, 3, 0, 0, 3}))}});
    s.add({"one", {in({4, 1}, any)}});
    s.add({"no_rows", {in({0, 4}, any)}});
    s.add(Case{"special", {in({16}, special())}}.only(kFloats));
    s.add(Case{"infinities", {in({2, 3}, values({-HUGE_VAL, -HUGE_VAL, 1, HUGE_VAL, 1, HUGE_VAL}))}}
              .only(kFloats));
    s.add(Case{"large", {in({7, 9001}, any)}}.large());
    s.add(Case{"nothing", {in({2, 0}, any)}}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  }
}

std::vector<Array> cumsum(const Call& call) {
  const Array& x = call.in(0);
  const int64_t axis = call.attrs.integer(TN_CUMSUM_AXIS, 0);
  const bool exclusive = call.attrs.flag(TN_CUMSUM_EXCLUSIVE);
  const bool reverse = call.attrs.flag(TN_CUMSUM_REVERSE);
  const tn_dtype wide = is_integer(x.dtype) && !is_signed(x.dtype) ? TN_DTYPE_U64 : TN_DTYPE_I64;
  Array y(x.floating() ? x.dtype : wide, x.dims);
  y.terms = x.rank() > 0 ? x.dims[axis_of(axis, x.rank())] : 1;
  if (x.floating()) y.scale.resize(x.f.size());
  for (Group group : groups_of(x, {axis}, false).members) {
    if (reverse) std::reverse(group.begin(), group.end());
    double sum = 0, size = 0;
    int64_t whole = 0;
    for (const int64_t k : group) {
      const auto at = static_cast<size_t>(k);
      const double before = sum;
      const int64_t whole_before = whole;
      if (x.floating()) {
        sum += x.real(k);
        size += std::fabs(x.real(k));
        y.f[at] = exclusive ? before : sum;
        y.scale[at] = size;
      } else {
        whole += x.integer(k);
        y.set(k, exclusive ? whole_before : whole);
      }
    }
  }
  return {y};
}

void add_cumsum(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CUMSUM, "cumsum");
  s.on(kAll).gives(cumsum, kSum).gradient(Grad::yes);
  const Fill any = uniform(-4, 4);
  for (const bool exclusive : {false, true})
    for (const bool reverse : {false, true}) {
      const std::string name =
          std::string(exclusive ? "exclusive" : "inclusive") + (reverse ? "_reverse" : "");
      const auto along = [&](int64_t axis) {
        return std::vector<Attr>{integer(TN_CUMSUM_AXIS, axis),
                                 flag(TN_CUMSUM_EXCLUSIVE, exclusive),
                                 flag(TN_CUMSUM_REVERSE, reverse)};
      };
      s.add({name, {in({5}, any)}, along(0)});
      s.add({name + "_inside", {in({2, 4, 3}, any)}, along(1)});
      s.add({name + "_last", {in({3, 4}, any)}, along(-1)});
    }
  s.add({"empty", {in({0, 3}, any)}});
  s.add({"one", {in({1}, any)}});
  s.add(Case{"large", {in({5, 9001}, any)}, {integer(TN_CUMSUM_AXIS, 1)}}.large());
}

std::vector<Array> cumprod(const Call& call) {
  const Array& x = call.in(0);
  const int64_t axis = call.attrs.integer(TN_CUMPROD_AXIS, 0);
  const tn_dtype wide = is_integer(x.dtype) && !is_signed(x.dtype) ? TN_DTYPE_U64 : TN_DTYPE_I64;
  Array y(x.floating() ? x.dtype : wide, x.dims);
  y.terms = x.dims[axis_of(axis, x.rank())];
  for (const Group& group : groups_of(x, {axis}, false).members) {
    double product = 1;
    uint64_t whole = 1;
    for (const int64_t k : group) {
      if (x.floating()) {
        product *= x.real(k);
        y.f[static_cast<size_t>(k)] = product;
      } else {
        whole *= static_cast<uint64_t>(x.integer(k));
        y.set(k, static_cast<int64_t>(whole));
      }
    }
  }
  return {y};
}

void add_cumprod(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CUMPROD, "cumprod");
  s.on(kAll).gives(cumprod, Tolerance{8, false, false}).gradient(Grad::yes);
  const Fill any = clear_of(-1.6, 1.6, {0}, 0.5);
  const auto along = [](int64_t axis) { return std::vector<Attr>{integer(TN_CUMPROD_AXIS, axis)}; };
  s.add({"vector", {in({5}, any)}});
  s.add({"inside", {in({2, 4, 3}, any)}, along(1)});
  s.add({"last", {in({3, 9}, any)}, along(-1)});
  s.add({"one", {in({1}, any)}});
  s.add({"ones", {in({3, 1}, any)}, along(1)});
  s.add({"empty", {in({0, 3}, any)}});
  s.add({"no_lines", {in({3, 0}, any)}});
  s.add(Case{"zeros",
             {in({4, 5}, values({0, 2, 3, 1, 2, 3, 0, 2, 1, 2, 2, 3, 0, 1, 0, 2, 1, 3, 2, 0}))},
             along(1)}
            .first_only());
  s.add({"zeros_of_integers", {in({2, 4}, values({3, 0, 2, 1, 2, 3, 1, 0}))}, along(1)});
  s.cases.back().grad = false;
  const auto special = [&](const char* name, std::vector<double> list) {
    const auto n = static_cast<int64_t>(list.size());
    s.add(Case{name, {in({n}, values(std::move(list)))}}.no_grad().only(
        {TN_DTYPE_F32, TN_DTYPE_F64}));
  };
  special("overflow_behind_zero", {2, 0, 1e30, 1e30, 1e200, 1e200});
  special("nan", {2, std::nan(""), 0, 3});
  special("infinity_behind_zero", {2, 0, HUGE_VAL, 3});
  special("zero_behind_infinity", {2, HUGE_VAL, -3, 0, 1});
  s.add(Case{"large", {in({5, 9001}, uniform(0.999, 1.001))}, along(1)}.large());
  s.add(Case{"scalar", {in({}, any)}}.refused(TN_OUT_OF_RANGE).only({TN_DTYPE_F32}));
}

void add_norms(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_NORM, "norm");
  s.on(kFloats).gives(norm, kComposite).gradient(Grad::yes);
  // Of both signs, and no two as far from 0.
  const Fill apart = [](Array& x, Rng& rng) {
    distinct(1, 9)(x, rng);
    for (int64_t k = 1; k < x.count(); k += 2) x.set(k, -x.real(k));
  };
  for (const double ord : {1.0, 2.0, HUGE_VAL}) {
    const std::string name = ord == 1 ? "one" : ord == 2 ? "two" : "infinity";
    const auto over = [&](Dims axes, bool keep = false) {
      return std::vector<Attr>{number(TN_NORM_ORD, ord), list(TN_NORM_AXES, std::move(axes)),
                               flag(TN_NORM_KEEPDIMS, keep)};
    };
    const auto add = [&](const char* title, Dims dims, std::vector<Attr> attrs) {
      s.add(Case{name + title, {in(std::move(dims), apart)}, std::move(attrs)}.ties());
    };
    add("_all", {3, 5}, over({}));
    add("_rows", {3, 5}, over({1}));
    add("_columns", {3, 5}, over({0}));
    add("_keepdims", {2, 4, 3}, over({-1, 0}, true));
    add("_rank0", {}, over({}));
    add("_no_rows", {0, 3}, over({1}));
    s.add(Case{name + "_zeros", {in({2, 3}, values({0, 0, 0, 3, 0, -4}))}, over({1})}.first_only());
    s.add(Case{name + "_large", {in({5, 20011}, uniform(-1, 1))}, over({1})}.large());
    s.add(Case{name + "_special",
               {in({3, 2}, values({HUGE_VAL, 1, std::nan(""), 2, -HUGE_VAL, -1}))},
               over({1})}
              .no_grad());
    if (ord == HUGE_VAL)
      s.add(Case{name + "_of_nothing", {in({2, 0}, apart)}, over({1})}
                .refused(TN_INVALID_ARGUMENT)
                .only({TN_DTYPE_F32}));
    else
      s.add(Case{name + "_of_nothing", {in({2, 0}, apart)}, over({1})});
  }
  s.add({"default", {in({4}, apart)}});
  s.add(Case{"three", {in({4}, apart)}, {number(TN_NORM_ORD, 3)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

void add_sums(Catalogue& c) {
  const Fill any = uniform(-4, 4);
  const auto plus = [](int64_t a, int64_t b) { return a + b; };
  const auto times = [](int64_t a, int64_t b) { return a * b; };
  OpSamples& sum = c.add(TN_OP_SUM, "sum");
  sum.on(kAll)
      .gives(reduction(
                 sum_of, [=](const Array& x, const Group& g) { return fold(x, g, 0, plus); }, true),
             kSum)
      .gradient(Grad::yes);
  add_cases(sum, any, OfNothing::defined);
  add_large(sum, uniform(-1, 1));
  sum.add(Case{
      "special", {in({2, 3}, values({HUGE_VAL, 1, 2, HUGE_VAL, -HUGE_VAL, 0}))}, {list(0, {1})}}
              .no_grad()
              .only(kFloats));

  OpSamples& prod = c.add(TN_OP_PROD, "prod");
  prod.on(kAll)
      .gives(reduction(
                 product_of, [=](const Array& x, const Group& g) { return fold(x, g, 1, times); },
                 true),
             Tolerance{8, false, false})
      .gradient(Grad::yes);
  add_cases(prod, clear_of(-1.6, 1.6, {0}, 0.5), OfNothing::defined);
  prod.add(
      Case{"with_zero", {in({2, 3}, values({0, 2, 3, 1, 2, 2}))}, {list(0, {1})}}.first_only());
  prod.add(Case{"with_two_zeros", {in({2, 3}, values({0, 2, 0, 1, 0, 2}))}, {list(0, {1})}}
               .first_only());

  OpSamples& mean = c.add(TN_OP_MEAN, "mean");
  mean.on(kFloats).gives(reduction(mean_of, nullptr, false), kComposite).gradient(Grad::yes);
  add_cases(mean, any, OfNothing::defined);
  add_large(mean, uniform(-1, 1));
}

// var and std have the same attributes.
void add_spreads(Catalogue& c) {
  for (const bool root : {false, true}) {
    OpSamples& s = root ? c.add(TN_OP_STD, "std") : c.add(TN_OP_VAR, "var");
    s.on(kFloats).gives(root ? deviation : variance, kComposite).gradient(Grad::yes);
    add_cases(s, uniform(-4, 4), OfNothing::defined);
    s.add(
        Case{"unbiased", {in({3, 5}, uniform(-4, 4))}, {list(0, {1}), number(TN_VAR_CORRECTION, 1)}}
            .ties());
    for (const int64_t n :
         {int64_t{0}, int64_t{1}, int64_t{2}}) {  // less than nothing is left: NaN, NaN, infinity
      s.add(Case{"correction_above_" + std::to_string(n),
                 {in({2, n}, uniform(-4, 4))},
                 {list(0, {1}), number(TN_VAR_CORRECTION, static_cast<double>(n) + 1)}}
                .no_grad());
    }
    s.add(Case{"all_equal", {in({2, 3}, values({2, 2, 2, 1, 2, 4}))}, {list(0, {1})}}.first_only());
    add_large(s, uniform(-1, 1));
  }
}

}  // namespace

void add_reduce(Catalogue& c) {
  add_sums(c);
  add_places(c);
  add_cumsum(c);
  add_cumprod(c);
  add_norms(c);
  for (const bool greatest : {true, false}) {
    OpSamples& s = greatest ? c.add(TN_OP_MAX, "max") : c.add(TN_OP_MIN, "min");
    s.on(kNumbers)
        .gives(
            reduction([=](const Array& x,
                          const Group& g) { return greatest_of(x, g, greatest ? 1 : -1); },
                      [=](const Array& x, const Group& g) { return int_extremum(x, g, greatest); },
                      false),
            kSameBits)
        .gradient(Grad::yes);
    for (const int64_t axis : {0, 1})
      s.add(Case{"zeros" + std::to_string(axis),
                 {in({2, 2}, values({-0.0, 0.0, -0.0, -0.0}))},
                 {list(0, {axis})}}
                .no_grad()
                .only(kFloats));
    s.add(Case{"zeros_long", {in({3, 301}, values({-0.0, -0.0, -0.0, 0.0, -0.0}))}, {list(0, {0})}}
              .no_grad()
              .only(kFloats));
    add_cases(s, distinct(-9, 9), OfNothing::refused);
    add_large(s, uniform(-9, 9));
    s.add(Case{"special", {in({16}, special())}}.no_grad().only(kFloats));
    s.add(Case{"infinities",
               {in({2, 2}, values({-HUGE_VAL, -HUGE_VAL, HUGE_VAL, HUGE_VAL}))},
               {list(0, {1})}}
              .no_grad()
              .only(kFloats));
  }

  OpSamples& lse = c.add(TN_OP_LOGSUMEXP, "logsumexp");
  lse.on(kFloats).gives(reduction(logsumexp_of, nullptr, false), kComposite).gradient(Grad::yes);
  add_cases(lse, uniform(-4, 4), OfNothing::open);
  lse.add(Case{"far_apart", {in({2, 3}, values({-200, 300, 10, 300, 300, -300}))}, {list(0, {1})}}
              .no_grad());

  // The log of a sum of nothing.
  lse.add(Case{"nothing", {in({0}, uniform(-4, 4))}}.no_grad());
  lse.add(Case{"empty_axis", {in({2, 0, 3}, uniform(-4, 4))}, {list(0, {1})}}.no_grad());
  lse.add(Case{"empty_rows", {in({3, 0}, uniform(-4, 4))}, {list(0, {-1})}}.no_grad());

  add_spreads(c);

  for (const bool is_any : {true, false}) {
    OpSamples& s = is_any ? c.add(TN_OP_ANY, "any") : c.add(TN_OP_ALL, "all");
    s.on({TN_DTYPE_BOOL}).maybe(kNumbers).gives(truth(is_any), kExact);
    add_cases(s, uniform(0, 1), OfNothing::defined);
    s.add({"clear", {in({2, 3}, values({0, 0, 0, 1, 1, 1}))}, {list(0, {1})}});
  }
}

}  // namespace tenon::conformance

// gather, scatter and what is made of them.
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

const Fill kAny = uniform(-9, 9);

// Where element `index` of a gather's result comes from: index[axis .. axis + rank of indices) picks.
struct Picker {
  Picker(const Array& x, const Array& indices, size_t axis)
      : x_(x),
        indices_(indices),
        axis_(axis),
        strides_(strides_of(x.dims)),
        index_strides_(strides_of(indices.dims)) {
    for (size_t k = 0; k < axis; ++k) dims_.push_back(x.dims[k]);
    dims_.insert(dims_.end(), indices.dims.begin(), indices.dims.end());
    for (size_t k = axis + 1; k < x.rank(); ++k) dims_.push_back(x.dims[k]);
  }
  const Dims& dims() const { return dims_; }
  int64_t operator()(const Dims& index) const {
    int64_t which = 0, offset = 0;
    for (size_t k = 0; k < indices_.rank(); ++k) which += index[axis_ + k] * index_strides_[k];
    int64_t at = indices_.integer(which);
    if (at < 0) at += x_.dims[axis_];
    at = std::clamp<int64_t>(at, 0, x_.dims[axis_] - 1);
    for (size_t k = 0; k < x_.rank(); ++k) {
      const int64_t i = k < axis_ ? index[k] : k == axis_ ? at : index[k - 1 + indices_.rank()];
      offset += i * strides_[k];
    }
    return offset;
  }

 private:
  const Array& x_;
  const Array& indices_;
  size_t axis_;
  Dims strides_, index_strides_, dims_;
};

std::vector<Array> gather_along(const Array& x, const Array& indices, size_t axis) {
  const Picker pick(x, indices, axis);
  Array y(x.dtype, pick.dims());
  int64_t at = 0;
  for_each(y.dims, [&](const Dims& index) { y.copy_from(at++, x, pick(index)); });
  return {y};
}

// As IEEE 754-2019 has maximum and minimum: -0 is less than 0, and NaN wins.
double extremum(double a, double b, bool greatest) {
  if (std::isnan(a) || std::isnan(b)) return std::nan("");
  if (a == b) return std::signbit(a) == greatest ? b : a;
  return (a > b) == greatest ? a : b;
}

std::vector<Array> scatter_along(const Call& call, size_t axis, const std::string& mode) {
  const Array& updates = call.in(2);
  Array y = call.in(0);
  const Picker pick(call.in(0), call.in(1), axis);
  std::vector<double> size(static_cast<size_t>(y.count()), 0);
  for (int64_t k = 0; k < y.count(); ++k) size[static_cast<size_t>(k)] = std::fabs(y.real(k));
  int64_t from = 0;
  for_each(updates.dims, [&](const Dims& index) {
    const int64_t to = pick(index), k = from++;
    const auto at = static_cast<size_t>(to);
    if (mode == "set") {
      y.copy_from(to, updates, k);
    } else if (y.floating()) {
      const double u = updates.real(k), old = y.f[at];
      size[at] += std::fabs(u);
      y.f[at] = mode == "add" ? old + u : extremum(old, u, mode == "max");
    } else {
      const int64_t u = updates.integer(k), old = y.i[at];
      y.set(to, mode == "add" ? old + u : mode == "max" ? std::max(old, u) : std::min(old, u));
    }
  });
  if (mode == "add" && y.floating()) {
    y.scale = size;
    y.terms = std::max<int64_t>(8, call.in(1).count());
  }
  return {y};
}

void add_gather(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_GATHER, "gather");
  s.on(kAll)
      .gives(
          [](const Call& call) {
            return gather_along(call.in(0), call.in(1),
                                axis_of(call.attrs.integer(TN_GATHER_AXIS, 0), call.in(0).rank()));
          },
          kSameBits)
      .gradient(Grad::yes);
  const auto at = [](Dims dims, int64_t n, tn_dtype dtype = TN_DTYPE_I64) {
    return in(std::move(dims), any_indices(n), dtype);
  };
  s.add({"rows", {in({5, 3}, kAny), at({4}, 5)}});
  s.add({"columns", {in({3, 5}, kAny), at({4}, 5)}, {integer(TN_GATHER_AXIS, 1)}});
  s.add({"inside", {in({2, 4, 3}, kAny), at({2, 3}, 4)}, {integer(TN_GATHER_AXIS, -2)}});
  s.add({"one", {in({5, 3}, kAny), at({}, 5)}});
  s.add({"from_vector", {in({7}, kAny), at({2, 3}, 7, TN_DTYPE_I32)}});
  s.add({"no_indices", {in({5, 3}, kAny), at({0}, 5)}});
  s.add({"many_repeats", {in({2, 3}, kAny), at({11}, 2)}});
  s.add({"empty_rows", {in({5, 0}, kAny), at({4}, 5)}});
  s.add(Case{"outside", {in({5, 3}, kAny), in({3}, values({1, 7, -5}), TN_DTYPE_I64)}}
            .out_of_range());
  s.add(Case{"large", {in({97, 31}, kAny), at({1500}, 97)}}.large());
  s.add(Case{"real_indices", {in({5, 3}, kAny), in({2}, uniform(0, 1), TN_DTYPE_F32)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
}

void add_scatter(Catalogue& c) {
  const auto axis_in = [](const Call& call, uint32_t key) {
    return axis_of(call.attrs.integer(key, 0), call.in(0).rank());
  };
  const auto at = [](Dims dims, int64_t n, tn_dtype dtype = TN_DTYPE_I64) {
    return in(std::move(dims), any_indices(n), dtype);
  };
  // Far apart, so that no two of them tie.
  const Fill apart = distinct(-9, 9);

  OpSamples& s = c.add(TN_OP_SCATTER, "scatter");
  s.on(kNumbers)
      .gives(
          [=](const Call& call) {
            return scatter_along(call, axis_in(call, TN_SCATTER_AXIS),
                                 call.attrs.text(TN_SCATTER_MODE, "set"));
          },
          kSum)
      .gradient(Grad::yes);
  for (const char* mode : {"set", "add", "max", "min"}) {
    const std::string name = mode;
    const auto with = [&](int64_t axis) {
      return std::vector<Attr>{integer(TN_SCATTER_AXIS, axis), text(TN_SCATTER_MODE, name)};
    };
    const bool sums = name == "add";
    const Fill fill = sums ? kAny : apart;
    const Fill updates = sums ? kAny : distinct(-8.7, 9.2);
    const auto add = [&](const char* title, const Input& x, const Input& i, const Input& u,
                         int64_t axis) {
      s.add(Case{name + title, {x, i, u}, with(axis)}.ties());
    };
    add("_rows", in({5, 3}, fill), at({2}, 5), in({2, 3}, updates), 0);
    add("_repeats", in({3, 2}, fill), at({7}, 3), in({7, 2}, updates), 0);
    add("_columns", in({2, 5}, fill), at({2, 2}, 5, TN_DTYPE_I32), in({2, 2, 2}, updates), -1);
    add("_one", in({4, 2}, fill), at({}, 4), in({2}, updates), 0);
    add("_nothing", in({4, 2}, fill), at({0}, 4), in({0, 2}, updates), 0);
  }
  s.add(Case{"large",
             {in({301, 17}, kAny), at({400}, 301), in({400, 17}, kAny)},
             {text(TN_SCATTER_MODE, "add")}}
            .large());
  // So many that a half format, which counts ones to 2048 or 256, would lose the later ones.
  const Fill once = values({1});
  s.add(Case{"many_repeats",
             {in({3, 2}, values({0})), in({4100}, values({0, 0, 0, 2}), TN_DTYPE_I64),
              in({4100, 2}, once)},
             {text(TN_SCATTER_MODE, "add")}}
            .plain()
            .no_grad()
            .only(kFloats));
  s.add(Case{"many_repeats_of_columns",
             {in({2, 70}, values({1, 3})), in({300}, any_indices(70), TN_DTYPE_I64),
              in({2, 300}, values({0.25, 64, -32}))},
             {integer(TN_SCATTER_AXIS, 1), text(TN_SCATTER_MODE, "add")}}
            .plain()
            .no_grad()
            .only(kFloats));
  s.add(Case{"wide_rows",
             {in({3, 1001}, kAny), in({7}, any_indices(3), TN_DTYPE_I64), in({7, 1001}, kAny)},
             {text(TN_SCATTER_MODE, "add")}}
            .plain()
            .no_grad()
            .only(kFloats));
  for (const std::string mode : {"max", "min"}) {
    s.add(Case{mode + "_zeros",
               {in({4}, values({0, -0.0, 0, -0.0})), in({4}, values({0, 1, 2, 3}), TN_DTYPE_I64),
                in({4}, values({-0.0, 0, 0, -0.0}))},
               {text(TN_SCATTER_MODE, mode)}}
              .no_grad()
              .within(kSameBits)
              .only(kFloats));
  }
  s.add(Case{
      "unknown_mode", {in({4}, kAny), at({2}, 4), in({2}, kAny)}, {text(TN_SCATTER_MODE, "mean")}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));
  s.add(Case{"wrong_updates", {in({4, 2}, kAny), at({2}, 4), in({3, 2}, kAny)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));

  OpSamples& add_op = c.add(TN_OP_SCATTER_ADD, "scatter_add");
  add_op.on(kNumbers)
      .gives(
          [=](const Call& call) {
            return scatter_along(call, axis_in(call, TN_SCATTER_ADD_AXIS), "add");
          },
          kSum)
      .gradient(Grad::yes);
  add_op.add({"rows", {in({5, 3}, kAny), at({4}, 5), in({4, 3}, kAny)}});
  add_op.add({"columns",
              {in({3, 4}, kAny), at({2}, 4), in({3, 2}, kAny)},
              {integer(TN_SCATTER_ADD_AXIS, 1)}});
  add_op.add({"repeats", {in({2}, kAny), at({9}, 2), in({9}, kAny)}});
  add_op.add(Case{"many_repeats",
                  {in({2}, values({0})), in({4100}, values({1}), TN_DTYPE_I64), in({4100}, once)}}
                 .plain()
                 .no_grad()
                 .only(kFloats));
  add_op.add(Case{"large", {in({97, 11}, kAny), at({600}, 97), in({600, 11}, kAny)}}.large());
}

std::vector<Array> one_hot(const Call& call) {
  const Array& at = call.in(0);
  Dims dims = at.dims;
  const int64_t depth = call.attrs.integer(TN_ONE_HOT_DEPTH, 0);
  dims.push_back(depth);
  Array y(call.attrs.type(TN_ONE_HOT_DTYPE, TN_DTYPE_F32), dims);
  for (int64_t k = 0; k < at.count(); ++k) y.set(k * depth + at.integer(k), int64_t{1});
  return {y};
}

void add_checked_index(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_CHECKED_INDEX, "checked_index");
  s.gives(
      [](const Call& call) {
        const Array& at = call.in(0);
        Array y(TN_DTYPE_I64, at.dims);
        for (int64_t k = 0; k < at.count(); ++k) {
          const int64_t i = at.integer(k);
          y.set(k, i < 0 ? i + call.attrs.integer(TN_CHECKED_INDEX_SIZE, 0) : i);
        }
        return std::vector<Array>{y};
      },
      kExact);
  const auto size = [](int64_t n) { return integer(TN_CHECKED_INDEX_SIZE, n); };
  const Attr front = flag(TN_CHECKED_INDEX_FROM_END, false);
  for (const tn_dtype dtype : kIntegers) {
    const bool natural = std::ranges::count(kUnsigned, dtype) > 0;
    const Fill any = natural ? indices(7) : any_indices(7);
    s.add({name_of(dtype), {in({3, 4}, any, dtype)}, {size(7)}});
    s.add({name_of(dtype) + "_front", {in({5}, indices(7), dtype)}, {size(7), front}});
    s.add(Case{name_of(dtype) + "_outside", {in({3}, values({1, 7, 0}), dtype)}, {size(7)}}
              .out_of_range());
  }
  const auto add = [&](const char* name, Dims dims, int64_t n) {
    s.add({name, {in(std::move(dims), any_indices(n), TN_DTYPE_I64)}, {size(n)}});
  };
  add("rank0", {}, 4);
  add("empty", {0, 2}, 0);
  add("long", {3000}, 301);
  const Input before = in({2}, values({0, -1}), TN_DTYPE_I64);
  s.add(Case{"before_front", {before}, {size(7), front}}.out_of_range());
  s.add(Case{"no_size", {before}, {size(-1)}}.refused(TN_INVALID_ARGUMENT));
}

}  // namespace

void add_index(Catalogue& c) {
  add_gather(c);
  add_scatter(c);
  add_checked_index(c);

  OpSamples& hot = c.add(TN_OP_ONE_HOT, "one_hot");
  hot.on({TN_DTYPE_I64, TN_DTYPE_I32, TN_DTYPE_U8}).gives(one_hot, kExact);
  for (const tn_dtype dtype : kAll)
    hot.add({"to_" + name_of(dtype),
             {in({4}, indices(3))},
             {integer(TN_ONE_HOT_DEPTH, 3), type(TN_ONE_HOT_DTYPE, dtype)}});
  hot.add({"matrix", {in({2, 3}, indices(5))}, {integer(TN_ONE_HOT_DEPTH, 5)}});
  hot.add({"rank0", {in({}, indices(4))}, {integer(TN_ONE_HOT_DEPTH, 4)}});
  hot.add({"empty", {in({0}, indices(4))}, {integer(TN_ONE_HOT_DEPTH, 4)}});

  OpSamples& embedding = c.add(TN_OP_EMBEDDING, "embedding");
  embedding.on(kFloats)
      .maybe(kIntegers)
      .gives([](const Call& call) { return gather_along(call.in(0), call.in(1), 0); }, kSameBits)
      .gradient(Grad::yes);
  embedding.add({"tokens", {in({7, 4}, kAny), in({2, 3}, indices(7), TN_DTYPE_I64)}});
  embedding.add({"i32", {in({3, 2}, kAny), in({6}, indices(3), TN_DTYPE_I32)}});
  embedding.add({"one", {in({3, 2}, kAny), in({}, indices(3), TN_DTYPE_I64)}});
  embedding.add(
      Case{"outside", {in({3, 2}, kAny), in({2}, values({1, 3}), TN_DTYPE_I64)}}.out_of_range());
  embedding.add(
      Case{"large", {in({211, 33}, kAny), in({40, 25}, indices(211), TN_DTYPE_I64)}}.large());
}

}  // namespace tenon::conformance

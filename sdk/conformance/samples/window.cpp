// Windows over any axes, and pooling.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

struct Windows {
  Dims size, stride, low, high, dilation;
  Dims result;  // dims
};

Windows completed(Windows w, const Dims& dims) {
  const Dims ones(dims.size(), 1), zeros(dims.size(), 0);
  if (w.stride.empty()) w.stride = ones;
  if (w.low.empty()) w.low = zeros;
  if (w.high.empty()) w.high = zeros;
  if (w.dilation.empty()) w.dilation = ones;
  for (size_t k = 0; k < dims.size(); ++k) {
    const int64_t room = dims[k] + w.low[k] + w.high[k] - ((w.size[k] - 1) * w.dilation[k] + 1);
    w.result.push_back(room < 0 ? 0 : room / w.stride[k] + 1);
  }
  return w;
}

Windows windows_of(const Call& call) {
  static_assert(TN_WINDOW_REDUCE_WINDOW == TN_WINDOW_SCATTER_WINDOW &&
                TN_WINDOW_REDUCE_STRIDE == TN_WINDOW_SCATTER_STRIDE &&
                TN_WINDOW_REDUCE_LOW == TN_WINDOW_SCATTER_LOW &&
                TN_WINDOW_REDUCE_HIGH == TN_WINDOW_SCATTER_HIGH &&
                TN_WINDOW_REDUCE_DILATION == TN_WINDOW_SCATTER_DILATION);
  Windows w;
  w.size = call.attrs.list(TN_WINDOW_REDUCE_WINDOW);
  w.stride = call.attrs.list(TN_WINDOW_REDUCE_STRIDE);
  w.low = call.attrs.list(TN_WINDOW_REDUCE_LOW);
  w.high = call.attrs.list(TN_WINDOW_REDUCE_HIGH);
  w.dilation = call.attrs.list(TN_WINDOW_REDUCE_DILATION);
  return completed(w, call.in(0).dims);
}

// Of the pools: along the spatial axes.
Windows pool_windows(const Call& call) {
  const Dims window = call.attrs.list(TN_MAX_POOL2D_WINDOW);
  const Dims stride = call.attrs.list(TN_MAX_POOL2D_STRIDE, window);
  const Dims padding = call.attrs.list(TN_MAX_POOL2D_PADDING, Dims(window.size(), 0));
  Windows w;
  w.size = w.stride = {1, 1};
  w.low = {0, 0};
  w.size.insert(w.size.end(), window.begin(), window.end());
  w.stride.insert(w.stride.end(), stride.begin(), stride.end());
  w.low.insert(w.low.end(), padding.begin(), padding.end());
  w.high = w.low;
  return completed(w, call.in(0).dims);
}

// The offsets of the elements of x, padding left out, that each result is made of.
void for_each_window(const Dims& dims, const Windows& w,
                     const std::function<void(int64_t, const std::vector<int64_t>&)>& visit) {
  const Dims strides = strides_of(dims);
  int64_t to = 0;
  for_each(w.result, [&](const Dims& index) {
    std::vector<int64_t> members;
    for_each(w.size, [&](const Dims& tap) {
      int64_t offset = 0;
      for (size_t k = 0; k < dims.size(); ++k) {
        const int64_t at = index[k] * w.stride[k] + tap[k] * w.dilation[k] - w.low[k];
        if (at < 0 || at >= dims[k]) return;
        offset += at * strides[k];
      }
      members.push_back(offset);
    });
    visit(to++, members);
  });
}

Array reduced(const Array& x, const Windows& w, const std::string& mode) {
  Array y(x.dtype, w.result);
  const bool sums = mode == "sum";
  if (sums) y.scale.assign(y.f.size(), 0);
  for_each_window(x.dims, w, [&](int64_t to, const std::vector<int64_t>& members) {
    y.terms = std::max<int64_t>(y.terms, static_cast<int64_t>(members.size()));
    bool first = true;
    for (const int64_t m : members) {
      if (x.floating()) {
        double& value = y.f[static_cast<size_t>(to)];
        const double next = x.real(m);
        if (sums) y.scale[static_cast<size_t>(to)] += std::fabs(next);
        value = sums            ? value + next
                : first         ? next
                : mode == "max" ? std::max(value, next)
                                : std::min(value, next);
      } else {
        const int64_t value = y.integer(to), next = x.integer(m);
        y.set(to, sums            ? value + next
                  : first         ? next
                  : mode == "max" ? std::max(value, next)
                                  : std::min(value, next));
      }
      first = false;
    }
  });
  return y;
}

std::vector<Array> window_scatter(const Call& call) {
  const Array &x = call.in(0), &g = call.in(1);
  Array y(x.dtype, x.dims);
  y.scale.assign(y.f.size(), 0);
  y.terms = 9;
  for_each_window(x.dims, windows_of(call), [&](int64_t from, const std::vector<int64_t>& members) {
    if (members.empty()) return;
    int64_t best = members[0];
    for (const int64_t m : members)
      if (x.real(m) > x.real(best)) best = m;
    y.f[static_cast<size_t>(best)] += g.real(from);
    y.scale[static_cast<size_t>(best)] += std::fabs(g.real(from));
  });
  return {y};
}

std::vector<Array> max_pool(const Call& call) {
  return {reduced(call.in(0), pool_windows(call), "max")};
}

std::vector<Array> avg_pool(const Call& call) {
  const Array& x = call.in(0);
  const Windows w = pool_windows(call);
  const bool all = call.attrs.flag(TN_AVG_POOL2D_COUNT_PADDING, true);
  Array y = reduced(x, w, "sum");
  for_each_window(x.dims, w, [&](int64_t to, const std::vector<int64_t>& members) {
    const auto n =
        static_cast<double>(all ? count_of(w.size) : static_cast<int64_t>(members.size()));
    y.f[static_cast<size_t>(to)] /= n;
    y.scale[static_cast<size_t>(to)] /= n;
  });
  return {y};
}

std::vector<Array> global_pool(const Call& call, bool greatest) {
  const Array& x = call.in(0);
  Windows w;
  w.size = {1, 1, x.dims[2], x.dims[3]};
  Array y = reduced(x, completed(w, x.dims), greatest ? "max" : "sum");
  const auto area = static_cast<double>(x.dims[2] * x.dims[3]);
  for (size_t k = 0; k < y.f.size() && !greatest; ++k) {
    y.f[k] /= area;
    y.scale[k] /= area;
  }
  return {y};
}

std::vector<Attr> how(Dims window, Dims stride = {}, Dims low = {}, Dims high = {},
                      Dims dilation = {}) {
  std::vector<Attr> attrs{list(TN_WINDOW_REDUCE_WINDOW, std::move(window))};
  const auto add = [&](uint32_t key, Dims& value) {
    if (!value.empty()) attrs.push_back(list(key, std::move(value)));
  };
  add(TN_WINDOW_REDUCE_STRIDE, stride);
  add(TN_WINDOW_REDUCE_LOW, low);
  add(TN_WINDOW_REDUCE_HIGH, high);
  add(TN_WINDOW_REDUCE_DILATION, dilation);
  return attrs;
}

struct Shape {
  const char* name;
  Dims x;
  std::vector<Attr> attrs;
};

std::vector<Shape> shapes() {
  return {
      {"line", {7}, how({3})},
      {"disjoint", {6, 4}, how({2, 2}, {2, 2})},
      {"disjoint_uneven", {2, 5, 7}, how({1, 2, 2}, {1, 2, 2})},
      {"overlapping", {5, 4}, how({3, 2})},
      {"padding", {4, 3}, how({3, 2}, {2, 1}, {1, 0}, {2, 1})},
      {"dilation", {7, 5}, how({2, 3}, {1, 1}, {0, 1}, {0, 1}, {3, 2})},
      {"rank4", {2, 2, 4, 5}, how({1, 1, 2, 3}, {1, 1, 2, 1}, {0, 0, 0, 1}, {0, 0, 0, 1})},
      {"rank6", {2, 1, 3, 2, 3, 2}, how({1, 1, 2, 1, 2, 2}, {}, {0, 0, 1, 0, 0, 1})},
      {"rank7",
       {3, 1, 2, 2, 1, 3, 3},
       how({2, 1, 1, 2, 1, 1, 2}, {1, 1, 1, 1, 1, 2, 1}, {}, {0, 0, 0, 1, 0, 0, 0})},
      {"rank8",
       {2, 2, 1, 2, 1, 2, 3, 4},
       how({1, 2, 1, 1, 1, 2, 2, 2}, {}, {}, {}, {1, 1, 1, 1, 1, 1, 2, 3})},
      {"whole", {3, 4}, how({3, 4})},
      {"empty", {0, 4}, how({1, 2})},
  };
}

void add_windows(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_WINDOW_REDUCE, "window_reduce");
  s.on(kFloats)
      .maybe(kIntegers)
      .gives(
          [](const Call& call) -> std::vector<Array> {
            return {reduced(call.in(0), windows_of(call),
                            call.attrs.text(TN_WINDOW_REDUCE_MODE, "max"))};
          },
          kSum)
      .gradient(Grad::yes);
  for (const char* mode : {"max", "sum", "min"})
    for (const Shape& shape : shapes()) {
      std::vector<Attr> attrs = shape.attrs;
      attrs.push_back(text(TN_WINDOW_REDUCE_MODE, mode));
      s.add(
          Case{std::string(mode) + "_" + shape.name, {in(shape.x, distinct(-9, 9))}, attrs}.ties());
    }
  s.add(
      Case{"large", {in({3, 4, 31, 33}, uniform(-9, 9))}, how({1, 1, 3, 3}, {1, 1, 2, 2})}.large());
  s.add(Case{"too_few_axes", {in({4, 4}, uniform(-1, 1))}, how({2})}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));

  OpSamples& scatter = c.add(TN_OP_WINDOW_SCATTER, "window_scatter");
  scatter.on(kFloats).gives(window_scatter, kRounded).gradient(Grad::yes);
  for (const Shape& shape : shapes()) {
    Call call;
    call.inputs.emplace_back(TN_DTYPE_F32, shape.x);
    call.attrs = Attrs(shape.attrs);
    scatter.add(Case{shape.name,
                     {in(shape.x, distinct(-9, 9)), in(windows_of(call).result, uniform(-3, 3))},
                     shape.attrs}
                    .ties());
  }
  scatter.add(Case{"first_of_equals",
                   {in({6}, values({1, 2, 2, 0, 2, 2})), in({4}, values({1, 10, 100, 1000}))},
                   how({3})}
                  .no_grad());
  const std::vector<Attr> pairs = how({1, 2, 2}, {1, 2, 2});
  scatter.add(
      Case{"first_of_equals_in_pairs",
           {in({2, 3, 4}, values({1, 1, 0, 2, 1, 1, 2, 2, 0, 0, 0, 0, 3, 3, 5, 4, 4, 3, 5, 5})),
            in({2, 1, 2}, values({1, 10, 100, 1000}))},
           pairs}
          .no_grad());
  scatter.add(Case{"large", {in({6, 9, 75}, uniform(-9, 9)), in({6, 4, 37}, uniform(-3, 3))}, pairs}
                  .large());
}

std::vector<Attr> how2d(Dims window, Dims stride, Dims padding) {
  return {list(TN_MAX_POOL2D_WINDOW, std::move(window)),
          list(TN_MAX_POOL2D_STRIDE, std::move(stride)),
          list(TN_MAX_POOL2D_PADDING, std::move(padding))};
}

void add_pools(Catalogue& c) {
  const Fill apart = distinct(-5, 5), any = uniform(-5, 5);
  for (const bool greatest : {true, false}) {
    OpSamples& s =
        greatest ? c.add(TN_OP_MAX_POOL2D, "max_pool2d") : c.add(TN_OP_AVG_POOL2D, "avg_pool2d");
    if (greatest)
      s.gives(max_pool, kExact);
    else
      s.gives(avg_pool, kComposite);
    s.on(kFloats).gradient(Grad::yes);
    const auto add = [&](const char* name, Dims dims, std::vector<Attr> attrs) {
      s.add(Case{name, {in(std::move(dims), apart)}, std::move(attrs)}.ties());
    };
    add("default_stride", {1, 2, 4, 6}, {list(TN_MAX_POOL2D_WINDOW, {2, 3})});
    add("overlapping", {2, 1, 5, 5}, how2d({3, 2}, {1, 2}, {0, 0}));
    add("padding", {1, 2, 5, 4}, how2d({3, 3}, {2, 2}, {1, 1}));
    add("uneven", {1, 1, 5, 7}, how2d({2, 2}, {2, 3}, {0, 0}));
    add("uneven_padding", {1, 1, 4, 6}, how2d({3, 2}, {2, 2}, {1, 0}));
    add("window_of_one", {1, 2, 3, 3}, how2d({1, 1}, {1, 1}, {0, 0}));
    add("no_images", {0, 2, 4, 4}, how2d({2, 2}, {2, 2}, {0, 0}));
    if (!greatest) {
      std::vector<Attr> attrs = how2d({3, 3}, {2, 2}, {1, 1});
      attrs.push_back(flag(TN_AVG_POOL2D_COUNT_PADDING, false));
      add("padding_not_counted", {1, 2, 5, 4}, attrs);
      attrs[1] = list(TN_AVG_POOL2D_STRIDE, {1, 1});
      add("padding_not_counted_dense", {1, 1, 3, 3}, attrs);
    }
    s.add(Case{"large", {in({3, 6, 28, 28}, any)}, how2d({2, 2}, {2, 2}, {0, 0})}.large());
    s.add(Case{"large_uneven", {in({3, 2, 9, 75}, any)}, how2d({2, 2}, {2, 2}, {0, 0})}.large());
    s.add(Case{"rank3", {in({2, 4, 4}, any)}, how2d({2, 2}, {2, 2}, {0, 0})}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  }
  for (const bool greatest : {true, false}) {
    OpSamples& s = greatest ? c.add(TN_OP_GLOBAL_MAX_POOL, "global_max_pool")
                            : c.add(TN_OP_GLOBAL_AVG_POOL, "global_avg_pool");
    s.on(kFloats)
        .gives([greatest](const Call& call) { return global_pool(call, greatest); },
               greatest ? kExact : kComposite)
        .gradient(Grad::yes);
    s.add(Case{"plane", {in({2, 3, 4, 3}, apart)}}.ties());
    s.add(Case{"one", {in({1, 2, 1, 1}, apart)}}.ties());
    s.add(Case{"no_images", {in({0, 2, 3, 3}, apart)}}.ties());
    s.add(Case{"large", {in({8, 16, 21, 21}, any)}}.large());
  }
}

// One and three spatial axes.
void add_other_pools(Catalogue& c) {
  struct Pool {
    tn_op op;
    const char* name;
    bool line, greatest;
  };
  static_assert(TN_AVG_POOL1D_COUNT_PADDING == TN_AVG_POOL2D_COUNT_PADDING &&
                TN_AVG_POOL3D_COUNT_PADDING == TN_AVG_POOL2D_COUNT_PADDING);
  const Fill apart = distinct(-5, 5);
  for (const Pool& p : {Pool{TN_OP_MAX_POOL1D, "max_pool1d", true, true},
                        Pool{TN_OP_AVG_POOL1D, "avg_pool1d", true, false},
                        Pool{TN_OP_MAX_POOL3D, "max_pool3d", false, true},
                        Pool{TN_OP_AVG_POOL3D, "avg_pool3d", false, false}}) {
    OpSamples& s = c.add(p.op, p.name);
    s.on(kFloats).gradient(Grad::yes);
    if (p.greatest)
      s.gives(max_pool, kExact);
    else
      s.gives(avg_pool, kComposite);
    const auto add = [&](const char* name, Dims dims, std::vector<Attr> attrs) {
      s.add(Case{name, {in(std::move(dims), apart)}, std::move(attrs)}.ties());
    };
    const Dims x = p.line ? Dims{2, 2, 7} : Dims{1, 2, 3, 4, 3};
    const Dims window = p.line ? Dims{3} : Dims{2, 3, 2}, stride = p.line ? Dims{2} : Dims{1, 2, 2};
    const Dims padding = p.line ? Dims{1} : Dims{1, 0, 1}, none(window.size(), 0);
    add("default_stride", x, {list(TN_MAX_POOL2D_WINDOW, window)});
    add("stride", x, how2d(window, stride, none));
    add("padding", x, how2d(window, stride, padding));
    add("overlapping", x, how2d(window, Dims(window.size(), 1), none));
    Dims empty = x;
    empty[0] = 0;
    add("no_images", empty, how2d(window, stride, none));
    if (!p.greatest) {
      std::vector<Attr> attrs = how2d(window, stride, padding);
      attrs.push_back(flag(TN_AVG_POOL2D_COUNT_PADDING, false));
      add("padding_not_counted", x, attrs);
    }
    const Dims many = p.line ? Dims{8, 16, 301} : Dims{2, 6, 12, 13, 14};
    s.add(Case{"large", {in(many, uniform(-5, 5))}, how2d(window, stride, none)}.large());
    s.add(Case{"rank4", {in({2, 2, 4, 4}, apart)}, how2d(window, stride, none)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
    s.add(Case{"padding_too_large", {in(x, apart)}, how2d(window, stride, window)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  }
}

}  // namespace

void add_window(Catalogue& c) {
  add_windows(c);
  add_pools(c);
  add_other_pools(c);
}

}  // namespace tenon::conformance

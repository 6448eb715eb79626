// Ops that move elements.
#include <numeric>

#include "moved.hpp"

namespace tenon::conformance {
namespace {

Array with_dims(Array x, Dims dims) {
  x.dims = std::move(dims);
  return x;
}

std::vector<Array> reshape(const Call& call) {
  Dims dims = call.attrs.list(TN_RESHAPE_DIMS);
  int64_t known = 1;
  for (const int64_t d : dims) known *= d < 0 ? 1 : d;
  for (int64_t& d : dims)
    if (d < 0) d = call.in(0).count() / known;
  return {with_dims(call.in(0), dims)};
}

std::vector<Array> expand(const Call& call) {
  return {broadcast(call.in(0), call.attrs.list(TN_EXPAND_DIMS))};
}

std::vector<Array> transpose(const Call& call) {
  std::vector<size_t> perm;
  for (const int64_t axis : call.attrs.list(TN_TRANSPOSE_PERM))
    perm.push_back(axis_of(axis, call.in(0).rank()));
  return {transposed(call.in(0), perm)};
}

// The places that Python's range(n)[start:stop:step] holds.
Dims range_places(int64_t n, int64_t start, int64_t stop, int64_t step) {
  const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
  const auto bound = [&](int64_t at) {
    return at < 0 ? std::max(at + n, low) : std::min(at, high);
  };
  Dims places;
  for (int64_t i = bound(start); step < 0 ? i > bound(stop) : i < bound(stop); i += step) {
    places.push_back(i);
    if (std::abs(step / 2) > n) break;  // the next one is outside, and might overflow
  }
  return places;
}

std::vector<Array> slice(const Call& call) {
  const Array& x = call.in(0);
  const Dims starts = call.attrs.list(TN_SLICE_STARTS), stops = call.attrs.list(TN_SLICE_STOPS);
  const Dims steps = call.attrs.list(TN_SLICE_STEPS, Dims(x.rank(), 1));
  std::vector<Dims> places;
  Dims dims;
  for (size_t k = 0; k < x.rank(); ++k) {
    places.push_back(range_places(x.dims[k], starts[k], stops[k], steps[k]));
    dims.push_back(static_cast<int64_t>(places[k].size()));
  }
  return {moved(x, dims, [&](Dims index) {
    for (size_t k = 0; k < index.size(); ++k) index[k] = places[k][static_cast<size_t>(index[k])];
    return index;
  })};
}

std::vector<Array> flip(const Call& call) {
  const Array& x = call.in(0);
  std::vector<bool> turned(x.rank(), false);
  for (const int64_t axis : call.attrs.list(TN_FLIP_AXES)) turned[axis_of(axis, x.rank())] = true;
  return {moved(x, x.dims, [&](Dims index) {
    for (size_t k = 0; k < index.size(); ++k)
      if (turned[k]) index[k] = x.dims[k] - 1 - index[k];
    return index;
  })};
}

std::vector<Array> pad(const Call& call) {
  const Array& x = call.in(0);
  const Dims low = call.attrs.list(TN_PAD_LOW), high = call.attrs.list(TN_PAD_HIGH);
  const Dims interior = call.attrs.list(TN_PAD_INTERIOR, Dims(x.rank(), 0));
  Dims dims(x.rank());
  for (size_t k = 0; k < dims.size(); ++k)
    dims[k] = low[k] + high[k] + x.dims[k] + (x.dims[k] > 0 ? (x.dims[k] - 1) * interior[k] : 0);
  Array y(x.dtype, dims);
  if (call.has(1))
    for (int64_t k = 0; k < y.count(); ++k) {
      if (y.floating())
        y.f[static_cast<size_t>(k)] = call.in(1).real(0);
      else
        y.set(k, call.in(1).integer(0));
    }
  const Dims strides = strides_of(dims);
  int64_t from = -1;
  for_each(x.dims, [&](const Dims& index) {
    Dims to(index.size());
    ++from;
    for (size_t k = 0; k < index.size(); ++k) {
      to[k] = low[k] + index[k] * (interior[k] + 1);
      if (to[k] < 0 || to[k] >= dims[k]) return;
    }
    y.copy_from(offset_of(to, strides), x, from);
  });
  return {y};
}

Array concatenated(const std::vector<Array>& xs, size_t axis) {
  Dims dims = xs[0].dims;
  dims[axis] = 0;
  for (const Array& x : xs) dims[axis] += x.dims[axis];
  Array y(xs[0].dtype, dims);
  const Dims strides = strides_of(dims);
  int64_t start = 0;
  for (const Array& x : xs) {
    int64_t from = 0;
    for_each(x.dims, [&](Dims index) {
      index[axis] += start;
      y.copy_from(offset_of(index, strides), x, from++);
    });
    start += x.dims[axis];
  }
  return y;
}

std::vector<Array> concat(const Call& call) {
  return {
      concatenated(call.inputs, axis_of(call.attrs.integer(TN_CONCAT_AXIS, 0), call.in(0).rank()))};
}

std::vector<Array> stack(const Call& call) {
  const size_t axis = axis_of(call.attrs.integer(TN_STACK_AXIS, 0), call.in(0).rank() + 1);
  std::vector<Array> xs;
  for (const Array& x : call.inputs) {
    Dims dims = x.dims;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    xs.push_back(with_dims(x, dims));
  }
  return {concatenated(xs, axis)};
}

std::vector<Array> split(const Call& call) {
  const Array& x = call.in(0);
  const size_t axis = axis_of(call.attrs.integer(TN_SPLIT_AXIS, 0), x.rank());
  std::vector<Array> out;
  int64_t start = 0;
  for (const int64_t size : call.attrs.list(TN_SPLIT_SIZES)) {
    Dims dims = x.dims;
    dims[axis] = size;
    out.push_back(moved(x, dims, [&](Dims index) {
      index[axis] += start;
      return index;
    }));
    start += size;
  }
  return out;
}

std::vector<Array> squeeze(const Call& call) {
  const Array& x = call.in(0);
  const Dims axes = call.attrs.list(TN_SQUEEZE_AXES);
  std::vector<bool> gone(x.rank(), false);
  for (size_t k = 0; k < x.rank(); ++k) gone[k] = axes.empty() && x.dims[k] == 1;
  for (const int64_t axis : axes) gone[axis_of(axis, x.rank())] = true;
  Dims dims;
  for (size_t k = 0; k < x.rank(); ++k)
    if (!gone[k]) dims.push_back(x.dims[k]);
  return {with_dims(x, dims)};
}

std::vector<Array> unsqueeze(const Call& call) {
  const Array& x = call.in(0);
  const Dims axes = call.attrs.list(TN_UNSQUEEZE_AXES);
  std::vector<bool> fresh(x.rank() + axes.size(), false);
  for (const int64_t axis : axes) fresh[axis_of(axis, fresh.size())] = true;
  Dims dims;
  size_t next = 0;
  for (const bool is_fresh : fresh) dims.push_back(is_fresh ? 1 : x.dims[next++]);
  return {with_dims(x, dims)};
}

const Fill kAny = uniform(-9, 9);

OpSamples& add_move(Catalogue& c, tn_op op, const char* name, const Oracle& oracle) {
  return c.add(op, name).on(kAll).gives(oracle, kSameBits).gradient(Grad::yes);
}

void add_views(Catalogue& c) {
  const auto f32 = [](Case k) {
    return std::move(k).refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32});
  };
  add_move(c, TN_OP_RESHAPE, "reshape", reshape)
      .add({"matrix", {in({3, 4}, kAny)}, {list(TN_RESHAPE_DIMS, {2, 6})}})
      .add({"infer", {in({2, 3, 4}, kAny)}, {list(TN_RESHAPE_DIMS, {4, -1})}})
      .add({"to_rank0", {in({1, 1}, kAny)}, {list(TN_RESHAPE_DIMS, {})}})
      .add({"from_rank0", {in({}, kAny)}, {list(TN_RESHAPE_DIMS, {1, 1, 1})}})
      .add({"empty", {in({0, 3}, kAny)}, {list(TN_RESHAPE_DIMS, {3, 0, 2})}})
      .add({"rank8", {in({16}, kAny)}, {list(TN_RESHAPE_DIMS, {2, 1, 2, 1, 2, 1, 2, 1})}})
      .add(f32({"wrong_count", {in({3, 4}, kAny)}, {list(TN_RESHAPE_DIMS, {5, 2})}}));
  add_move(c, TN_OP_EXPAND, "expand", expand)
      .add({"row", {in({3}, kAny)}, {list(TN_EXPAND_DIMS, {2, 3})}})
      .add({"column", {in({3, 1}, kAny)}, {list(TN_EXPAND_DIMS, {2, 3, 4})}})
      .add({"rank0", {in({}, kAny)}, {list(TN_EXPAND_DIMS, {2, 2})}})
      .add({"nothing", {in({2, 3}, kAny)}, {list(TN_EXPAND_DIMS, {2, 3})}})
      .add({"to_empty", {in({1, 3}, kAny)}, {list(TN_EXPAND_DIMS, {0, 3})}})
      .add(f32({"does_not_fit", {in({2, 3}, kAny)}, {list(TN_EXPAND_DIMS, {4, 3})}}));
  add_move(c, TN_OP_TRANSPOSE, "transpose", transpose)
      .add({"matrix", {in({3, 4}, kAny)}, {list(TN_TRANSPOSE_PERM, {1, 0})}})
      .add({"rank4", {in({2, 3, 4, 2}, kAny)}, {list(TN_TRANSPOSE_PERM, {2, 0, 3, 1})}})
      .add({"identity", {in({2, 3}, kAny)}, {list(TN_TRANSPOSE_PERM, {0, 1})}})
      .add({"empty", {in({0, 2}, kAny)}, {list(TN_TRANSPOSE_PERM, {1, 0})}})
      .add(f32({"twice_the_same", {in({2, 3}, kAny)}, {list(TN_TRANSPOSE_PERM, {0, 0})}}));
  constexpr int64_t kLast = INT64_MAX, kFront = INT64_MIN;
  add_move(c, TN_OP_SLICE, "slice", slice)
      .add({"inside",
            {in({5, 6}, kAny)},
            {list(TN_SLICE_STARTS, {1, 2}), list(TN_SLICE_STOPS, {4, 6})}})
      .add({"steps",
            {in({7, 6}, kAny)},
            {list(TN_SLICE_STARTS, {1, 0}), list(TN_SLICE_STOPS, {7, 6}),
             list(TN_SLICE_STEPS, {2, 3})}})
      .add({"uneven_step",
            {in({8}, kAny)},
            {list(TN_SLICE_STARTS, {0}), list(TN_SLICE_STOPS, {8}), list(TN_SLICE_STEPS, {3})}})
      .add({"nothing_left",
            {in({4, 3}, kAny)},
            {list(TN_SLICE_STARTS, {2, 0}), list(TN_SLICE_STOPS, {2, 3})}})
      .add({"all",
            {in({2, 3}, kAny)},
            {list(TN_SLICE_STARTS, {0, 0}), list(TN_SLICE_STOPS, {2, 3})}})
      .add({"from_the_end",
            {in({5, 6}, kAny)},
            {list(TN_SLICE_STARTS, {-4, -100}), list(TN_SLICE_STOPS, {-1, 100})}})
      .add({"backwards",
            {in({5}, kAny)},
            {list(TN_SLICE_STARTS, {kLast}), list(TN_SLICE_STOPS, {kFront}),
             list(TN_SLICE_STEPS, {-1})}})
      .add({"mixed_signs",
            {in({7, 4, 6}, kAny)},
            {list(TN_SLICE_STARTS, {-2, 0, 4}), list(TN_SLICE_STOPS, {0, 4, -100}),
             list(TN_SLICE_STEPS, {-2, 3, -3})}})
      .add({"backwards_clipped",
            {in({4, 5}, kAny)},
            {list(TN_SLICE_STARTS, {100, 3}), list(TN_SLICE_STOPS, {0, -5}),
             list(TN_SLICE_STEPS, {-1, -2})}})
      .add({"backwards_nothing",
            {in({4, 3}, kAny)},
            {list(TN_SLICE_STARTS, {1, kLast}), list(TN_SLICE_STOPS, {2, kFront}),
             list(TN_SLICE_STEPS, {-1, -1})}})
      .add({"backwards_from_before_all",
            {in({4}, kAny)},
            {list(TN_SLICE_STARTS, {-6}), list(TN_SLICE_STOPS, {kFront}),
             list(TN_SLICE_STEPS, {-1})}})
      .add({"backwards_empty",
            {in({0, 3}, kAny)},
            {list(TN_SLICE_STARTS, {kLast, 2}), list(TN_SLICE_STOPS, {kFront, 0}),
             list(TN_SLICE_STEPS, {-1, -1})}})
      .add({"huge_steps",
            {in({4, 3}, kAny)},
            {list(TN_SLICE_STARTS, {2, 1}), list(TN_SLICE_STOPS, {kFront, kLast}),
             list(TN_SLICE_STEPS, {kFront, kLast})}})
      .add(f32({"step_0",
                {in({2, 3}, kAny)},
                {list(TN_SLICE_STARTS, {0, 0}), list(TN_SLICE_STOPS, {2, 3}),
                 list(TN_SLICE_STEPS, {1, 0})}}));
  add_move(c, TN_OP_FLIP, "flip", flip)
      .add({"one", {in({3, 4}, kAny)}, {list(TN_FLIP_AXES, {1})}})
      .add({"both", {in({3, 4}, kAny)}, {list(TN_FLIP_AXES, {0, -1})}})
      .add({"empty", {in({0, 4}, kAny)}, {list(TN_FLIP_AXES, {0})}});
  add_move(c, TN_OP_SQUEEZE, "squeeze", squeeze)
      .add({"all", {in({1, 3, 1, 2}, kAny)}})
      .add({"some", {in({1, 3, 1, 2}, kAny)}, {list(TN_SQUEEZE_AXES, {2})}})
      .add({"negative", {in({1, 3, 1}, kAny)}, {list(TN_SQUEEZE_AXES, {-1})}})
      .add({"to_rank0", {in({1, 1}, kAny)}})
      .add(f32({"not_one", {in({1, 3}, kAny)}, {list(TN_SQUEEZE_AXES, {1})}}));
  add_move(c, TN_OP_UNSQUEEZE, "unsqueeze", unsqueeze)
      .add({"front", {in({3, 2}, kAny)}, {list(TN_UNSQUEEZE_AXES, {0})}})
      .add({"several", {in({3, 2}, kAny)}, {list(TN_UNSQUEEZE_AXES, {1, 3})}})
      .add({"last", {in({3, 2}, kAny)}, {list(TN_UNSQUEEZE_AXES, {-1})}})
      .add({"rank0", {in({}, kAny)}, {list(TN_UNSQUEEZE_AXES, {0, 1})}});
}

void add_pad(Catalogue& c) {
  const auto amounts = [](Dims low, Dims high, Dims interior = {}) {
    std::vector<Attr> attrs{list(TN_PAD_LOW, std::move(low)), list(TN_PAD_HIGH, std::move(high))};
    if (!interior.empty()) attrs.push_back(list(TN_PAD_INTERIOR, std::move(interior)));
    return attrs;
  };
  add_move(c, TN_OP_PAD, "pad", pad)
      .add({"zeros", {in({2, 3}, kAny), absent()}, amounts({1, 0}, {0, 2})})
      .add({"value", {in({2, 3}, kAny), in({}, kAny)}, amounts({1, 2}, {2, 1})})
      .add({"host_value", {in({2, 3}, kAny), weak(kAny)}, amounts({0, 1}, {0, 1})})
      .add({"crop", {in({4, 5}, kAny), absent()}, amounts({-1, 1}, {0, -2})})
      .add({"interior", {in({3, 2}, kAny), in({}, kAny)}, amounts({0, 1}, {1, 0}, {2, 1})})
      .add({"interior_and_crop", {in({4, 3}, kAny), absent()}, amounts({-2, 0}, {-1, -1}, {1, 2})})
      .add({"from_empty", {in({0, 3}, kAny), in({}, kAny)}, amounts({1, 0}, {1, 0}, {2, 0})})
      .add({"rank0", {in({}, kAny), absent()}, amounts({}, {})})
      .add(Case{"large", {in({200, 150}, kAny), absent()}, amounts({3, 1}, {2, 5})}.large());
}

void add_joining(Catalogue& c) {
  add_move(c, TN_OP_CONCAT, "concat", concat)
      .add({"rows", {in({2, 3}, kAny), in({1, 3}, kAny), in({3, 3}, kAny)}})
      .add({"columns", {in({2, 3}, kAny), in({2, 1}, kAny)}, {integer(TN_CONCAT_AXIS, 1)}})
      .add({"negative_axis",
            {in({2, 2, 2}, kAny), in({2, 2, 1}, kAny)},
            {integer(TN_CONCAT_AXIS, -1)}})
      .add({"one", {in({2, 3}, kAny)}})
      .add({"with_empty", {in({0, 3}, kAny), in({2, 3}, kAny)}})
      .add({"nine", std::vector<Input>(9, in({1, 2}, kAny))})
      .add(Case{"large", {in({100, 151}, kAny), in({100, 203}, kAny)}, {integer(TN_CONCAT_AXIS, 1)}}
               .large())
      .add(Case{"other_dims", {in({2, 3}, kAny), in({2, 4}, kAny)}}
               .refused(TN_INVALID_ARGUMENT)
               .only({TN_DTYPE_F32}));
  add_move(c, TN_OP_STACK, "stack", stack)
      .add({"front", {in({2, 3}, kAny), in({2, 3}, kAny)}})
      .add({"inside", {in({2, 3}, kAny), in({2, 3}, kAny)}, {integer(TN_STACK_AXIS, 1)}})
      .add({"last", {in({2, 3}, kAny), in({2, 3}, kAny)}, {integer(TN_STACK_AXIS, -1)}})
      .add({"rank0", {in({}, kAny), in({}, kAny), in({}, kAny)}});
  add_move(c, TN_OP_SPLIT, "split", split)
      .add({"rows", {in({5, 2}, kAny)}, {list(TN_SPLIT_SIZES, {2, 3})}})
      .add({"columns",
            {in({2, 6}, kAny)},
            {list(TN_SPLIT_SIZES, {1, 2, 3}), integer(TN_SPLIT_AXIS, 1)}})
      .add({"empty_part", {in({4}, kAny)}, {list(TN_SPLIT_SIZES, {4, 0})}})
      .add({"one", {in({4}, kAny)}, {list(TN_SPLIT_SIZES, {4}), integer(TN_SPLIT_AXIS, -1)}})
      .add(Case{"wrong_sum", {in({4}, kAny)}, {list(TN_SPLIT_SIZES, {2, 1})}}
               .refused(TN_INVALID_ARGUMENT)
               .only({TN_DTYPE_F32}));
}

void add_making(Catalogue& c) {
  OpSamples& iota = c.add(TN_OP_IOTA, "iota");
  iota.gives(
      [](const Call& call) -> std::vector<Array> {
        Array y(call.attrs.type(TN_IOTA_DTYPE, TN_DTYPE_I64), call.attrs.list(TN_IOTA_DIMS));
        const size_t axis = axis_of(call.attrs.integer(TN_IOTA_AXIS, 0), y.rank());
        int64_t at = 0;
        for_each(y.dims, [&](const Dims& index) { y.set(at++, index[axis]); });
        return {y};
      },
      kExact);
  for (const tn_dtype dtype : kNumbers)
    for (const int64_t axis : {0, 1, -1})
      iota.add(
          {name_of(dtype) + "_axis" + std::to_string(axis),
           {},
           {list(TN_IOTA_DIMS, {3, 5}), integer(TN_IOTA_AXIS, axis), type(TN_IOTA_DTYPE, dtype)}});
  iota.add({"default", {}, {list(TN_IOTA_DIMS, {7})}});
  iota.add({"empty", {}, {list(TN_IOTA_DIMS, {0, 2})}});
  iota.add({"long", {}, {list(TN_IOTA_DIMS, {40009})}});

  OpSamples& fill = c.add(TN_OP_FILL, "fill");
  fill.gives(
      [](const Call& call) -> std::vector<Array> {
        Array y(call.attrs.type(TN_FILL_DTYPE, TN_DTYPE_F32), call.attrs.list(TN_FILL_DIMS));
        for (int64_t k = 0; k < y.count(); ++k) {
          if (call.in(0).floating())
            y.set(k, call.in(0).real(0));
          else
            y.set(k, call.in(0).integer(0));
        }
        return {y};
      },
      kExact);
  fill.gradient(Grad::either);
  const auto add = [&](const std::string& name, const Input& value, tn_dtype dtype, Dims dims) {
    fill.add({name, {value}, {list(TN_FILL_DIMS, std::move(dims)), type(TN_FILL_DTYPE, dtype)}});
  };
  for (const tn_dtype dtype : kAll) {
    const Fill value = uniform(1, 9);
    Input host = weak(value);
    host.dtype = is_float(dtype) ? TN_DTYPE_F64 : dtype == TN_DTYPE_BOOL ? dtype : TN_DTYPE_I64;
    host.fill = is_float(dtype) ? values({2.5}) : values({3});
    add("host_" + name_of(dtype), host, dtype, {2, 3});
    add("tensor_" + name_of(dtype), in({}, value, dtype), dtype, {3, 2});
  }
  fill.add(Case{"by_value",
                {in({}, uniform(1, 9))},
                {list(TN_FILL_DIMS, {2, 3}), type(TN_FILL_DTYPE, TN_DTYPE_F64)}}
               .only({TN_DTYPE_F64}));
  add("rank0", in({}, values({1.5}), TN_DTYPE_F32), TN_DTYPE_F32, {});
  add("empty", in({}, values({1.5}), TN_DTYPE_F32), TN_DTYPE_F32, {0});
  add("long", in({}, values({1.5}), TN_DTYPE_F32), TN_DTYPE_F32, {3, 30011});
}

}  // namespace

void add_movement(Catalogue& c) {
  add_views(c);
  add_pad(c);
  add_joining(c);
  add_making(c);
}

}  // namespace tenon::conformance

// scatter (set, add, max, min along an axis) and scatter_add.
#include "index.hpp"
#include "narrow.hpp"
#include "simd.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

enum class Mode { set, add, max, min };

// y[0..n) with u[0..n) combined.
using CombineFunction = void (*)(char* y, const char* u, int64_t n);

template <Mode mode, class T>
CPU_INLINE T combine_one(T y, T u) {
  if constexpr (mode == Mode::set) {
    return u;
  } else if constexpr (std::is_class_v<T> && sdk::is_small_float<T>) {
    return T(combine_one<mode>(float(y), float(u)));
  } else if constexpr (mode == Mode::add) {
    return T(y + u);
  } else {
    using One = VecN<T, 1>;
    const One a = splat<One>(y), b = splat<One>(u);
    return mode == Mode::max ? vmax(a, b)[0] : vmin(a, b)[0];
  }
}

template <Mode mode, class T>
void combine_run(char* to, const char* from, int64_t n) {
  T* y = reinterpret_cast<T*>(to);
  const T* u = reinterpret_cast<const T*>(from);
  for (int64_t i = 0; i < n; ++i) y[i] = combine_one<mode>(y[i], u[i]);
}

template <int bytes>
void set_run(char* to, const char* from, int64_t n) {
  std::memcpy(to, from, size_t(n * bytes));
}

CombineFunction find_set(tn_dtype dtype) {
  switch (tn_dtype_bytes(dtype, 1)) {
    case 1:
      return set_run<1>;
    case 2:
      return set_run<2>;
    case 4:
      return set_run<4>;
    case 8:
      return set_run<8>;
    default:
      return set_run<16>;
  }
}

CombineFunction find_combine(Mode mode, tn_dtype dtype) {
  CombineFunction found = nullptr;
  if (mode == Mode::set) return find_set(dtype);
  if (mode == Mode::add) {
    using Added =
        sdk::Types<float, double, uint8_t, uint16_t, uint32_t, uint64_t, sdk::c64, sdk::c128>;
    if (TN_DTYPE_CODE(dtype) == 0) dtype = TN_DTYPE_MAKE(1, TN_DTYPE_BITS(dtype), 1);  // wraps
    sdk::visit_dtype<Added>(
        dtype, [&](auto type) { found = combine_run<Mode::add, typename decltype(type)::type>; });
    return found;
  }
  sdk::visit_dtype<sdk::Reals>(dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    found = mode == Mode::max ? combine_run<Mode::max, T> : combine_run<Mode::min, T>;
  });
  return found;
}

constexpr int64_t kPiece = 128;  // columns that a thread takes at a time, at most

// Sums of half formats are rounded once: y[0..n), n at most kPiece, and the updates that go there, of which `next`
// names the one behind each. u is the first row of updates, `step` bytes from one to the next.
using SumFunction = void (*)(char* y, const char* u, int64_t step, uint32_t first,
                             const uint32_t* next, int64_t n);
constexpr uint32_t kNone = UINT32_MAX;

template <class T>
void sum_run(char* to, const char* u, int64_t step, uint32_t first, const uint32_t* next,
             int64_t n) {
  alignas(64) float sums[kPiece], terms[kPiece];
  convert_run<float, T>(sums, to, n);
  for (uint32_t i = first; i != kNone; i = next[i]) {
    convert_run<float, T>(terms, u + int64_t(i) * step, n);
    for (int64_t c = 0; c < n; ++c) sums[c] += terms[c];
  }
  convert_run<T, float>(to, sums, n);
}

// The same for many updates of short rows: all of y, which is s.size rows of s.inner elements, in
// `sums`, and the updates in order.
using SlabFunction = void (*)(char* y, const char* u, const Indices& at, const Split& s,
                              float* sums);
constexpr int64_t kShort = 16;

template <class T>
void sum_slab(char* to, const char* u, const Indices& at, const Split& s, float* sums) {
  constexpr int64_t kBlock = 64;  // rows
  alignas(64) float terms[kBlock * kShort];
  convert_run<float, T>(sums, to, s.size * s.inner);
  for (int64_t i = 0; i < at.count(); i += kBlock) {
    const int64_t n = at.count() - i < kBlock ? at.count() - i : kBlock;
    convert_run<float, T>(terms, u + i * s.inner * int64_t(sizeof(T)), n * s.inner);
    for (int64_t k = 0; k < n; ++k) {
      float* row = sums + at.data()[i + k] * s.inner;
      for (int64_t c = 0; c < s.inner; ++c) row[c] += terms[k * s.inner + c];
    }
  }
  convert_run<T, float>(to, sums, s.size * s.inner);
}

struct Sums {
  SumFunction run = nullptr;
  SlabFunction slab = nullptr;
};
Sums find_sums(Mode mode, tn_dtype dtype) {
  if (mode != Mode::add) return {};
  if (dtype == TN_DTYPE_F16) return {sum_run<f16>, sum_slab<f16>};
  if (dtype == TN_DTYPE_BF16) return {sum_run<bf16>, sum_slab<bf16>};
  return {};
}

// Which updates meet at one place: the first of each, and the next one of each, in order.
struct Chains {
  Scratch<uint32_t> next, firsts;
  int64_t count = 0;  // of firsts

  // Null, or what went wrong. `size`: places.
  tn_error* find(const Device& device, const Indices& indices, int64_t size) {
    const int64_t n = indices.count();
    if (n >= int64_t(kNone))
      return fail(device, TN_OUT_OF_RANGE, "%lld updates are too many to add up", (long long)n);
    // A table of the places, or, where those are many, of slots that places are put in by a hash.
    int64_t slots = 1;
    while (slots < 2 * n) slots *= 2;
    const bool direct = size <= slots;
    const Scratch<uint32_t> table(device, direct ? size : slots);
    next.reset(device, n);
    firsts.reset(device, n);
    if (!table || !next || !firsts)
      return fail(device, TN_OUT_OF_MEMORY, "no host memory for %lld updates", (long long)n);
    std::memset(table.get(), 0xff, size_t(direct ? size : slots) * sizeof(uint32_t));
    const int64_t* at = indices.data();
    const auto slot_of = [&](int64_t place) {
      if (direct) return place;
      int64_t k = int64_t(uint64_t(place) * 0x9e3779b97f4a7c15u >> 20) & (slots - 1);
      while (table[k] != kNone && at[table[k]] != place) k = (k + 1) & (slots - 1);
      return k;
    };
    for (int64_t i = n - 1; i >= 0; --i) {
      uint32_t& first = table[slot_of(at[i])];
      next[i] = first;
      first = uint32_t(i);
    }
    for (int64_t i = 0; i < n; ++i)
      if (table[slot_of(at[i])] == uint32_t(i)) firsts[count++] = uint32_t(i);
    return nullptr;
  }
};

struct ScatterPlan {
  const Device& device;
  const char* what;
  int axis;
  CombineFunction combine;
  Sums sums;  // instead, where not null
};

// Updates of all indices in order, for columns begin..end of the inner dims.
void apply(const ScatterPlan& plan, const Split& s, const Indices& indices, const Chains& chains,
           char* y, const char* u, int64_t bytes, int64_t begin, int64_t end) {
  const auto at = [&](int64_t i, int64_t c) {
    return y + (indices.data()[i] * s.inner + c) * bytes;
  };
  if (!plan.sums.run) {
    for (int64_t i = 0; i < indices.count(); ++i)
      plan.combine(at(i, begin), u + (i * s.inner + begin) * bytes, end - begin);
    return;
  }
  for (int64_t k = 0; k < chains.count; ++k) {
    const uint32_t first = chains.firsts[k];
    for (int64_t c = begin; c < end; c += kPiece)
      plan.sums.run(at(first, c), u + c * bytes, s.inner * bytes, first, chains.next.get(),
                    end - c < kPiece ? end - c : kPiece);
  }
}

tn_error* sum_slabs(const ScatterPlan& plan, const Split& s, const Indices& indices, char* y,
                    const char* u) {
  constexpr int64_t kBytes = 2;
  const int64_t slab = s.size * s.inner, updates = indices.count() * s.inner;
  const ThreadScratch<float> memory(plan.device, s.outer, slab);
  if (!memory)
    return fail(plan.device, TN_OUT_OF_MEMORY, "no host memory for %lld sums", (long long)slab);
  parallel(plan.device, s.outer, 1, double(updates) * 2, [&](int64_t begin, int64_t end) {
    const ThreadScratch<float>::Mine sums(memory);
    for (int64_t o = begin; o < end; ++o)
      plan.sums.slab(y + o * slab * kBytes, u + o * updates * kBytes, indices, s, sums.get());
  });
  return nullptr;
}

tn_error* TN_CALL run_scatter(void* data, void*, const tn_view* const* args) {
  const ScatterPlan& plan = *static_cast<const ScatterPlan*>(data);
  const tn_view* x = args[0];
  const int64_t bytes = int64_t(tn_dtype_bytes(x->dtype, 1));
  const Split s = split_at(x, plan.axis);
  Indices indices;
  if (tn_error* error = indices.read(plan.device, plan.what, args[1], s.size)) return error;
  const char* from = input<char>(x);
  const char* updates = input<char>(args[2]);
  char* y = output<char>(args[3]);
  const int64_t count = x->count;
  Scratch<char> kept;  // the updates, where the result takes their place
  if (y == updates && args[2]->count > 0) {
    kept.reset(plan.device, count * bytes);
    if (!kept)
      return fail(plan.device, TN_OUT_OF_MEMORY, "no host memory for a copy of the updates");
    std::memcpy(kept.get(), updates, size_t(args[2]->count * bytes));
    updates = kept.get();
  }
  if (y != from) {
    parallel(plan.device, count, 16384, 0.1 * double(bytes), [&](int64_t begin, int64_t end) {
      std::memcpy(y + begin * bytes, from + begin * bytes, size_t((end - begin) * bytes));
    });
  }
  if (args[2]->count == 0) return nullptr;
  if (plan.sums.slab && s.inner <= kShort && s.size <= indices.count())
    return sum_slabs(plan, s, indices, y, updates);
  Chains chains;
  if (plan.sums.run) {
    if (tn_error* error = chains.find(plan.device, indices, s.size)) return error;
  }
  // Threads take columns or outer slices, so that equal indices meet in one thread, in order.
  const int64_t piece = s.inner < kPiece ? s.inner : kPiece / 2;
  const int64_t pieces = (s.inner + piece - 1) / piece;
  const double cost = double(indices.count()) * (double(piece) * 0.2 + 3);
  parallel(plan.device, s.outer * pieces, 1, cost, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t o = begin / pieces;
      const int64_t last = (o + 1) * pieces < end ? (o + 1) * pieces : end;
      const int64_t first = begin % pieces * piece;
      const int64_t stop = (last - o * pieces) * piece;
      apply(plan, s, indices, chains, y + o * s.size * s.inner * bytes,
            updates + o * indices.count() * s.inner * bytes, bytes, first,
            stop < s.inner ? stop : s.inner);
      begin = last;
    }
  });
  return nullptr;
}

tn_error* prepare_combine(const Device& device, const tn_signature& sig, tn_plan* plan,
                          const char* what, Mode mode, int64_t axis) {
  const tn_view* x = sig.inputs[0];
  if (TN_DTYPE_BITS(x->dtype) < 8) return decline(plan, "elements smaller than a byte");
  if (!is_index(sig.inputs[1]->dtype)) return decline(plan, "indices that are not integers");
  if (sig.inputs[2]->dtype != x->dtype) return decline(plan, "updates of another dtype");
  for (uint32_t k = 0; k < 3; ++k) {
    if (!contiguous(sig.inputs[k])) return decline(plan, "not dense");
  }
  if (!contiguous(sig.outputs[0])) return decline(plan, "not dense");
  const CombineFunction combine = find_combine(mode, x->dtype);
  const Sums sums = find_sums(mode, x->dtype);
  if (!combine && !sums.run) return decline(plan, "no kernel for this dtype");
  const int at = int(axis < 0 ? axis + x->rank : axis);
  if (!make_plan<ScatterPlan>(plan, run_scatter, device, what, at, combine, sums))
    return out_of_memory(device);
  return nullptr;
}

}  // namespace

CPU_PREPARE(scatter) {
  Mode mode = Mode::set;
  if (attr_is(sig, TN_SCATTER_MODE, "add")) mode = Mode::add;
  if (attr_is(sig, TN_SCATTER_MODE, "max")) mode = Mode::max;
  if (attr_is(sig, TN_SCATTER_MODE, "min")) mode = Mode::min;
  return prepare_combine(device, sig, plan, "scatter: indices", mode,
                         attr_i64(sig, TN_SCATTER_AXIS));
}
CPU_PREPARE(scatter_add) {
  return prepare_combine(device, sig, plan, "scatter_add: indices", Mode::add,
                         attr_i64(sig, TN_SCATTER_ADD_AXIS));
}

}  // namespace tenon::cpu::CPU_ISA

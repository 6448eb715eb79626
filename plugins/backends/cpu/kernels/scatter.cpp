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
  } else if constexpr (mode == Mode::max) {
    return u != u || u > y ? u : y;
  } else {
    return u != u || u < y ? u : y;
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
    using Added = sdk::Types<float, double, f16, bf16, uint8_t, uint16_t, uint32_t, uint64_t,
                             sdk::c64, sdk::c128>;
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

struct ScatterPlan {
  const Device& device;
  int axis;
  CombineFunction combine;
};

// Updates of all indices in order, for columns begin..end of the inner dims.
void apply(const ScatterPlan& plan, const Split& s, const Indices& indices, char* y, const char* u,
           int64_t bytes, int64_t begin, int64_t end) {
  const int64_t n = end - begin;
  for (int64_t i = 0; i < indices.count(); ++i) {
    plan.combine(y + (indices.data()[i] * s.inner + begin) * bytes,
                 u + (i * s.inner + begin) * bytes, n);
  }
}

tn_error* TN_CALL run_scatter(void* data, void*, const tn_view* const* args) {
  const ScatterPlan& plan = *static_cast<const ScatterPlan*>(data);
  const tn_view* x = args[0];
  const int64_t bytes = int64_t(tn_dtype_bytes(x->dtype, 1));
  const Split s = split_at(x, plan.axis);
  Indices indices;
  if (tn_error* error = indices.read(plan.device, args[1], s.size)) return error;
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
  // Threads take columns or outer slices, so that equal indices meet in one thread, in order.
  const int64_t piece = s.inner < 128 ? s.inner : 64;
  const int64_t pieces = (s.inner + piece - 1) / piece;
  const double cost = double(indices.count()) * (double(piece) * 0.2 + 3);
  parallel(plan.device, s.outer * pieces, 1, cost, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t o = begin / pieces;
      const int64_t last = (o + 1) * pieces < end ? (o + 1) * pieces : end;
      const int64_t first = begin % pieces * piece;
      const int64_t stop = (last - o * pieces) * piece;
      apply(plan, s, indices, y + o * s.size * s.inner * bytes,
            updates + o * indices.count() * s.inner * bytes, bytes, first,
            stop < s.inner ? stop : s.inner);
      begin = last;
    }
  });
  return nullptr;
}

tn_error* prepare_combine(const Device& device, const tn_signature& sig, tn_plan* plan, Mode mode,
                          int64_t axis) {
  const tn_view* x = sig.inputs[0];
  if (TN_DTYPE_BITS(x->dtype) < 8) return decline(plan, "elements smaller than a byte");
  if (!is_index(sig.inputs[1]->dtype)) return decline(plan, "indices that are not integers");
  if (sig.inputs[2]->dtype != x->dtype) return decline(plan, "updates of another dtype");
  for (uint32_t k = 0; k < 3; ++k) {
    if (!contiguous(sig.inputs[k])) return decline(plan, "not dense");
  }
  if (!contiguous(sig.outputs[0])) return decline(plan, "not dense");
  const CombineFunction combine = find_combine(mode, x->dtype);
  if (!combine) return decline(plan, "no kernel for this dtype");
  const int at = int(axis < 0 ? axis + x->rank : axis);
  if (!make_plan<ScatterPlan>(plan, run_scatter, device, at, combine)) return out_of_memory(device);
  return nullptr;
}

}  // namespace

CPU_PREPARE(scatter) {
  Mode mode = Mode::set;
  if (attr_is(sig, TN_SCATTER_MODE, "add")) mode = Mode::add;
  if (attr_is(sig, TN_SCATTER_MODE, "max")) mode = Mode::max;
  if (attr_is(sig, TN_SCATTER_MODE, "min")) mode = Mode::min;
  return prepare_combine(device, sig, plan, mode, attr_i64(sig, TN_SCATTER_AXIS));
}
CPU_PREPARE(scatter_add) {
  return prepare_combine(device, sig, plan, Mode::add, attr_i64(sig, TN_SCATTER_ADD_AXIS));
}

}  // namespace tenon::cpu::CPU_ISA

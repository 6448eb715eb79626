// sort: stable by key along an axis, NaN last, with values that follow.
//
// A key becomes an unsigned number of the same order, with the position below it; these are all
// different, so any sort of them is stable.
#include <algorithm>

#include "index.hpp"
#include "narrow.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct Long {
  uint64_t key;
  uint32_t at;
  bool operator<(const Long& o) const { return key != o.key ? key < o.key : at < o.at; }
};

// Up to 32 bits of key go with the position into one number.
template <class T>
using Ticket = std::conditional_t<(sizeof(T) > 4), Long, uint64_t>;

template <class T, class U>
CPU_INLINE U ordered_float(T x, bool descending) {
  if (x != x) return U(~U(0));
  const U bits = bits_as<U>(x == T(0) ? T(0) : x);
  const U top = U(1) << (8 * sizeof(U) - 1);
  const U up = (bits & top) ? U(~bits) : U(bits | top);
  return descending ? U(~up) : up;
}

template <class T>
CPU_INLINE auto ordered(T x, bool descending) {
  if constexpr (std::is_same_v<T, double>) {
    return ordered_float<double, uint64_t>(x, descending);
  } else if constexpr (sdk::is_float<T>) {
    return ordered_float<float, uint32_t>(float(x), descending);
  } else if constexpr (std::is_same_v<T, bool>) {
    return uint32_t(descending ? !x : x);
  } else {
    using U = std::conditional_t<(sizeof(T) > 4), uint64_t, uint32_t>;
    const U bias = std::is_signed_v<T> ? U(1) << (8 * sizeof(U) - 1) : U(0);
    const U up = U(std::conditional_t<std::is_signed_v<T>, std::make_signed_t<U>, U>(x)) ^ bias;
    return descending ? U(~up) : up;
  }
}

[[gnu::noinline]] void sort_tickets(uint64_t* t, int64_t n) { std::sort(t, t + n); }
[[gnu::noinline]] void sort_tickets(Long* t, int64_t n) { std::sort(t, t + n); }

template <class T>
void sort_positions(Ticket<T>* tickets, uint32_t* at, const T* keys, int64_t step, int64_t n,
                    bool descending) {
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (sizeof(T) > 4) {
      tickets[i] = {ordered(keys[i * step], descending), uint32_t(i)};
    } else {
      tickets[i] = uint64_t(ordered(keys[i * step], descending)) << 32 | uint64_t(i);
    }
  }
  sort_tickets(tickets, n);
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (sizeof(T) > 4) {
      at[i] = tickets[i].at;
    } else {
      at[i] = uint32_t(tickets[i]);
    }
  }
}

void take(char* y, const char* x, const uint32_t* at, int64_t step, int64_t n, int bytes) {
  const auto move = [&](auto sample) {
    using T = decltype(sample);
    for (int64_t i = 0; i < n; ++i) {
      std::memcpy(y + i * step * int64_t(sizeof(T)), x + at[i] * step * int64_t(sizeof(T)),
                  sizeof(T));
    }
  };
  switch (bytes) {
    case 1:
      move(uint8_t{});
      break;
    case 2:
      move(uint16_t{});
      break;
    case 4:
      move(uint32_t{});
      break;
    case 8:
      move(uint64_t{});
      break;
    default:
      move(sdk::c128{});
      break;
  }
}

struct SortPlan {
  const Device& device;
  int axis;
  bool descending;
};

template <class T>
tn_error* TN_CALL run_sort(void* data, void*, const tn_view* const* args) {
  const SortPlan& plan = *static_cast<const SortPlan*>(data);
  const tn_view* keys = args[0];
  if (keys->count == 0) return nullptr;
  const Split s = split_at(keys, plan.axis);
  const int64_t n = s.size;
  if (n > int64_t(UINT32_MAX)) {
    return fail(plan.device, TN_OUT_OF_RANGE, "an axis of %lld elements is too long to sort",
                (long long)n);
  }
  const int value_bytes = int(tn_dtype_bytes(args[1]->dtype, 1));
  bool enough = true;
  parallel(plan.device, s.outer * s.inner, 1, double(n) * 40, [&](int64_t begin, int64_t end) {
    const Scratch<Ticket<T>> tickets(plan.device, n);
    const Scratch<uint32_t> at(plan.device, n);
    if (!tickets || !at) {
      __atomic_store_n(&enough, false, __ATOMIC_RELAXED);
      return;
    }
    for (int64_t r = begin; r < end; ++r) {
      const int64_t first = r / s.inner * n * s.inner + r % s.inner;
      sort_positions<T>(tickets.get(), at.get(), input<T>(keys) + first, s.inner, n,
                        plan.descending);
      take(output<char>(args[2]) + first * int64_t(sizeof(T)),
           input<char>(keys) + first * int64_t(sizeof(T)), at.get(), s.inner, n, int(sizeof(T)));
      take(output<char>(args[3]) + first * value_bytes, input<char>(args[1]) + first * value_bytes,
           at.get(), s.inner, n, value_bytes);
    }
  });
  if (!enough)
    return fail(plan.device, TN_OUT_OF_MEMORY, "no host memory to sort %lld elements",
                (long long)n);
  return nullptr;
}

}  // namespace

CPU_PREPARE(sort) {
  const tn_view* keys = sig.inputs[0];
  for (uint32_t k = 0; k < 2; ++k) {
    if (!contiguous(sig.inputs[k]) || !contiguous(sig.outputs[k]))
      return decline(plan, "not dense");
  }
  const int bits = int(TN_DTYPE_BITS(sig.inputs[1]->dtype));
  if (bits < 8) return decline(plan, "values of this dtype");
  tn_kernel_run run = nullptr;
  using Keys = sdk::Join<sdk::Reals, sdk::Bools>;
  sdk::visit_dtype<Keys>(keys->dtype,
                         [&](auto type) { run = run_sort<typename decltype(type)::type>; });
  if (!run || keys->rank == 0) return decline(plan, "no kernel for this dtype or rank");
  const int64_t axis = attr_i64(sig, TN_SORT_AXIS);
  if (!make_plan<SortPlan>(plan, run, device, int(axis < 0 ? axis + keys->rank : axis),
                           attr_bool(sig, TN_SORT_DESCENDING))) {
    return out_of_memory(device);
  }
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

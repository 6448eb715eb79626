// sort: stable by key along an axis, NaN counting as greatest, with values that follow.
#include "index.hpp"
#include "tickets.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

template <class T>
void sort_positions(Ticket<T>* tickets, uint32_t* at, const T* keys, int64_t step, int64_t n,
                    bool descending) {
  for (int64_t i = 0; i < n; ++i) tickets[i] = ticket(keys[i * step], descending, i);
  sort_tickets(tickets, tickets + n, n);
  for (int64_t i = 0; i < n; ++i) at[i] = position(tickets[i]);
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
  const int64_t units = s.outer * s.inner;
  const ThreadScratch<Ticket<T>> own_tickets(plan.device, units, 2 * n);
  const ThreadScratch<uint32_t> own_places(plan.device, units, n);
  if (!own_tickets || !own_places)
    return fail(plan.device, TN_OUT_OF_MEMORY, "no host memory to sort %lld elements",
                (long long)n);
  parallel(plan.device, units, 1, double(n) * 20, [&](int64_t begin, int64_t end) {
    const typename ThreadScratch<Ticket<T>>::Mine tickets(own_tickets);
    const ThreadScratch<uint32_t>::Mine at(own_places);
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

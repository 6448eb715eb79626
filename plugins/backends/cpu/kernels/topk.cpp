// topk: the k first tickets of each line, in order.
#include "index.hpp"
#include "tickets.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int64_t kFew = 24;
constexpr int64_t kSkip = 32;       // elements that are looked at together
constexpr int64_t kMostLines = 16;  // that lie side by side are copied out together

struct TopkPlan {
  const Device& device;
  int axis;
  bool largest;
};

// How many tickets are kept before all but k of them are thrown out.
int64_t room_for(int64_t n, int64_t k) { return k > n / 4 ? n : 4 * k; }

// Which of kSkip elements behind those of all tickets come before this ticket, a bit for each.
template <class T>
CPU_INLINE uint32_t those_before(const T* x, const Ticket<T>& last, bool largest) {
  using Key = decltype(ordered_up(*x));
  const auto key = Key(key_of(last));
  Key found = 0;
  for (int64_t i = 0; i < kSkip; ++i)
    found |= ordered(x[i], largest) < key ? Key(Key(1) << i) : Key(0);
  return uint32_t(found);
}

// body(ticket) for those behind the first `from` that come before `last`, a reference.
template <class T, class Body>
CPU_INLINE void for_better(const T* x, int64_t from, int64_t n, bool largest, const Ticket<T>& last,
                           Body&& body) {
  const auto look_at = [&](int64_t i) {
    const Ticket<T> next = ticket(x[i], largest, i);
    if (next < last) body(next);
  };
  int64_t i = from;
  for (; i + kSkip <= n; i += kSkip) {
    for (uint32_t left = those_before(x + i, last, largest); left; left &= left - 1)
      look_at(i + __builtin_ctz(left));
  }
  for (; i < n; ++i) look_at(i);
}

// The first k of n tickets, in order, at t[0]: a few are kept sorted.
template <class T>
void choose_few(Ticket<T>* t, const T* x, int64_t n, int64_t k, bool largest) {
  const auto insert = [&](const Ticket<T>& next, int64_t at) {
    for (; at > 0 && next < t[at - 1]; --at) t[at] = t[at - 1];
    t[at] = next;
  };
  for (int64_t i = 0; i < k; ++i) insert(ticket(x[i], largest, i), i);
  for_better(x, k, n, largest, t[k - 1], [&](const Ticket<T>& next) { insert(next, k - 1); });
}
// The same for many, of which t has room for twice room_for(n, k).
template <class T>
void choose_many(Ticket<T>* t, const T* x, int64_t n, int64_t k, bool largest) {
  const int64_t room = room_for(n, k);
  int64_t kept = 0;
  for (; kept < room; ++kept) t[kept] = ticket(x[kept], largest, kept);
  if (room == n) return sort_tickets(t, t + n, n);
  const auto keep_best = [&] {
    std::nth_element(t, t + (k - 1), t + kept);
    kept = k;
  };
  keep_best();
  for_better(x, room, n, largest, t[k - 1], [&](const Ticket<T>& next) {
    t[kept++] = next;
    if (kept == room) keep_best();
  });
  keep_best();
  std::sort(t, t + k);
}

// Lines first..first + m of the inner ones, one behind the other.
template <class T>
void copy_lines(T* to, const T* x, int64_t n, int64_t inner, int64_t m) {
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < m; ++c) to[c * n + i] = x[i * inner + c];
}

template <class T>
tn_error* TN_CALL run_topk(void* data, void*, const tn_view* const* args) {
  const TopkPlan& plan = *static_cast<const TopkPlan*>(data);
  const tn_view* x = args[0];
  if (args[1]->count == 0) return nullptr;
  const Split s = split_at(x, plan.axis);
  const int64_t n = s.size, k = args[1]->dims[plan.axis];
  if (n > int64_t(UINT32_MAX)) {
    return fail(plan.device, TN_OUT_OF_RANGE, "an axis of %lld elements is too long to choose from",
                (long long)n);
  }
  const T* from = input<T>(x);
  T* values = output<T>(args[1]);
  int64_t* places = output<int64_t>(args[2]);
  const int64_t side = s.inner < kMostLines ? s.inner : kMostLines;
  const int64_t groups = (s.inner + side - 1) / side;
  const bool gather = s.inner > 1;  // lines next to one another are first copied apart
  const ThreadScratch<Ticket<T>> own_tickets(plan.device, s.outer * groups, 2 * room_for(n, k));
  const ThreadScratch<T> own_lines(plan.device, s.outer * groups, gather ? n * side : 1);
  if (!own_tickets || !own_lines)
    return fail(plan.device, TN_OUT_OF_MEMORY, "no host memory to choose from %lld elements",
                (long long)n);
  const double ns = double(n) * 1.5 + double(k) * 20;
  parallel(plan.device, s.outer * groups, 1, ns * double(side), [&](int64_t begin, int64_t end) {
    const typename ThreadScratch<Ticket<T>>::Mine tickets(own_tickets);
    const typename ThreadScratch<T>::Mine lines(own_lines);
    for (int64_t g = begin; g < end; ++g) {
      const int64_t outer = g / groups, first = g % groups * side;
      const int64_t m = s.inner - first < side ? s.inner - first : side;
      const T* line = from + outer * n * s.inner + first;
      if (gather) {
        copy_lines(lines.get(), line, n, s.inner, m);
        line = lines.get();
      }
      for (int64_t c = 0; c < m; ++c, line += n) {
        (k <= kFew ? choose_few<T> : choose_many<T>)(tickets.get(), line, n, k, plan.largest);
        const int64_t to = outer * k * s.inner + first + c;
        for (int64_t i = 0; i < k; ++i) {
          const uint32_t at = position(tickets[i]);
          values[to + i * s.inner] = line[at];
          places[to + i * s.inner] = at;
        }
      }
    }
  });
  return nullptr;
}

}  // namespace

CPU_PREPARE(topk) {
  const tn_view* x = sig.inputs[0];
  if (!contiguous(x) || !contiguous(sig.outputs[0]) || !contiguous(sig.outputs[1]))
    return decline(plan, "not dense");
  tn_kernel_run run = nullptr;
  sdk::visit_dtype<sdk::Reals>(x->dtype,
                               [&](auto type) { run = run_topk<typename decltype(type)::type>; });
  if (!run || x->rank == 0) return decline(plan, "no kernel for this dtype or rank");
  const int64_t axis = attr_i64(sig, TN_TOPK_AXIS);
  if (!make_plan<TopkPlan>(plan, run, device, int(axis < 0 ? axis + x->rank : axis),
                           attr_bool(sig, TN_TOPK_LARGEST)))
    return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

// The memory plan: greedy by size, each temporary goes to the lowest place that none alive at the same time covers (Pisarchyk and Lee,
// Efficient Memory Management for Deep Neural Net Inference, 2020); once more in the order of steps, and the smaller arena is taken.
//
// What is taken is in a tree over the steps: each node has the places of what covers all its steps, and of what is alive in any of them.
// Places that touch are one, and most do, so that a temporary costs as good as the logarithm of the number of steps.
#include <algorithm>
#include <bit>

#include "base/heap_sort.hpp"
#include "recipe/program.hpp"

namespace tenon {

namespace {

using Run = std::pair<uint64_t, uint64_t>;  // begin, end
using Runs = std::vector<Run>;              // ascending, none touches the next

// Whether that was not there.
bool add(Runs& runs, Run r) {
  auto from = runs.begin();
  while (from != runs.end() && from->second < r.first) ++from;
  if (from != runs.end() && from->first <= r.first && r.second <= from->second) return false;
  auto to = from;
  for (; to != runs.end() && to->first <= r.second; ++to)
    r = {std::min(r.first, to->first), std::max(r.second, to->second)};
  if (from == to)
    runs.insert(from, r);
  else
    *from = r, runs.erase(from + 1, to);
  return true;
}

struct Taken {
  Runs whole, any;
};

// The arena of these, placed one after the other.
uint64_t place(const std::vector<Temporary*>& order, size_t steps) {
  steps = std::bit_ceil(steps);  // so that the steps of each node follow each other
  std::vector<Taken> tree(2 * steps);
  uint64_t arena = 0;
  for (Temporary* t : order) {
    const size_t first = steps + static_cast<size_t>(t->first);
    const size_t last = steps + static_cast<size_t>(t->last);
    // f of the nodes that make up its steps.
    const auto each = [&](auto f) {
      for (size_t a = first, b = last + 1; a < b; a /= 2, b /= 2) {
        if (a % 2) f(tree[a++]);
        if (b % 2) f(tree[--b]);
      }
    };
    Runs taken;
    const auto take = [&](const Runs& runs) {
      for (const Run& r : runs) add(taken, r);
    };
    each([&](const Taken& n) { take(n.any); });
    for (size_t a = first, b = last; a; a /= 2, b /= 2) {
      take(tree[a].whole);
      if (a != b) take(tree[b].whole);
    }
    uint64_t at = 0;
    for (const auto& [begin, end] : taken) {
      if (at + t->bytes <= begin) break;
      at = end;
    }
    t->offset = at;
    arena = std::max(arena, at + t->bytes);
    const Run run(at, at + t->bytes);
    each([&](Taken& n) { add(n.whole, run); });
    for (size_t end : {first, last})  // what a node has its parent has
      while (end && add(tree[end].any, run)) end /= 2;
    each([&](Taken& n) { add(n.any, run); });
  }
  return arena;
}

}  // namespace

uint64_t plan_memory(std::vector<Temporary*> temps, size_t steps, uint64_t align) {
  if (temps.empty()) return 0;
  std::vector<uint64_t> live(steps + 1);
  for (Temporary* t : temps) {
    t->bytes = (t->bytes + align - 1) / align * align;
    t->first = std::max(t->first, 0);
    t->last = std::min(t->last, static_cast<int>(steps) - 1);
    live[static_cast<size_t>(t->first)] += t->bytes;
    live[static_cast<size_t>(t->last) + 1] -= t->bytes;
  }
  uint64_t most = 0, now = 0;
  for (const uint64_t change : live) most = std::max(most, now += change);
  const auto sorted = [&](bool by_size) {
    const auto key = [by_size](const Temporary* t) {
      return by_size ? ~t->bytes : static_cast<uint64_t>(t->first);
    };
    heap_sort(temps, [&](const Temporary* a, const Temporary* b) {
      return key(a) != key(b) ? key(a) < key(b) : a < b;
    });
    return place(temps, steps);
  };
  const uint64_t in_order = sorted(false);
  if (in_order <= most) return in_order;  // no plan takes less
  const uint64_t arena = sorted(true);
  return arena <= in_order ? arena : sorted(false);
}

}  // namespace tenon

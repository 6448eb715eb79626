// The memory plan: greedy by size, each temporary goes to the lowest place that none alive at the same time covers (Pisarchyk and Lee,
// Efficient Memory Management for Deep Neural Net Inference, 2020); once more in the order of steps, and the smaller arena is taken.
//
// What is taken is in a tree over the steps: each node has the places of what covers all its steps, and of what is alive in any of them.
// Places that touch are one, and most do, so that a temporary costs as good as the logarithm of the number of steps.
#include <algorithm>
#include <bit>

#include "recipe/lowered.hpp"

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

// To the lowest place that is free. Gives its end.
uint64_t put(Temporary& t, const Runs& taken) {
  t.offset = 0;
  for (const auto& [begin, end] : taken) {
    if (t.offset + t.bytes <= begin) break;
    t.offset = end;
  }
  return t.offset + t.bytes;
}

// In the order of steps; by_last: the same in the order in which they end. most: bytes that are alive.
uint64_t in_order(const std::vector<Temporary*>& order, const std::vector<Temporary*>& by_last,
                  uint64_t& most) {
  Runs taken;
  uint64_t arena = 0, live = 0;
  auto gone = by_last.begin();
  for (Temporary* t : order) {
    for (; (*gone)->last < t->first; ++gone) {
      const uint64_t begin = (*gone)->offset, bytes = (*gone)->bytes;
      auto r = taken.begin();
      while (r->second <= begin) ++r;
      const Run left(r->first, begin);
      r->first = begin + bytes;
      if (r->first == r->second) r = taken.erase(r);
      if (left.first < left.second) taken.insert(r, left);
      live -= bytes;
    }
    arena = std::max(arena, put(*t, taken));
    add(taken, {t->offset, t->offset + t->bytes});
    most = std::max(most, live += t->bytes);
  }
  return arena;
}

// The arena of these, placed one after the other.
uint64_t place(const std::vector<Temporary*>& order, size_t steps) {
  steps = std::bit_ceil(steps);  // so that the steps of each node follow each other
  std::vector<Runs> whole(4 * steps);
  Runs* const any = &whole[2 * steps];
  std::vector<size_t> nodes;
  uint64_t arena = 0;
  for (Temporary* t : order) {
    const size_t first = steps + static_cast<size_t>(t->first);
    const size_t last = steps + static_cast<size_t>(t->last);
    Runs taken;
    const auto take = [&](const Runs& runs) {
      for (const Run& r : runs) add(taken, r);
    };
    nodes.clear();  // that make up its steps
    for (size_t a = first, b = last + 1; a < b; a /= 2, b /= 2) {
      if (a % 2) nodes.push_back(a++);
      if (b % 2) nodes.push_back(--b);
    }
    for (size_t n : nodes) take(any[n]);
    for (size_t end : {first, last})
      for (; end; end /= 2) take(whole[end]);
    arena = std::max(arena, put(*t, taken));
    const Run run(t->offset, t->offset + t->bytes);
    for (size_t end : {first, last})  // what a node has its parent has
      while (end && add(any[end], run)) end /= 2;
    for (size_t n : nodes) add(whole[n], run), add(any[n], run);
  }
  return arena;
}

// In the order of their first or last steps.
std::vector<Temporary*> by_step(const std::vector<Temporary*>& temps, size_t steps,
                                int Temporary::*step) {
  std::vector<size_t> at(steps + 1);
  for (const Temporary* t : temps) ++at[static_cast<size_t>(t->*step) + 1];
  for (size_t k = 0; k < steps; ++k) at[k + 1] += at[k];
  std::vector<Temporary*> order = temps;
  for (Temporary* t : temps) order[at[static_cast<size_t>(t->*step)]++] = t;
  return order;
}

}  // namespace

uint64_t plan_memory(const std::vector<Temporary*>& temps, size_t steps, uint64_t align) {
  if (temps.empty()) return 0;
  for (Temporary* t : temps) {
    t->bytes = (t->bytes + align - 1) / align * align;
    t->first = std::max(t->first, 0);
    t->last = std::min(t->last, static_cast<int>(steps) - 1);
  }
  const std::vector<Temporary*> by_first = by_step(temps, steps, &Temporary::first),
                                by_last = by_step(temps, steps, &Temporary::last);
  uint64_t most = 0;
  const uint64_t arena = in_order(by_first, by_last, most);
  // None takes less than that; of many, hardly less is not worth a tree.
  if (arena <= most + (temps.size() > 512 ? most / 64 : 0)) return arena;
  std::vector<std::pair<double, size_t>> sizes;
  for (size_t k = 0; k < temps.size(); ++k)
    sizes.emplace_back(static_cast<double>(temps[k]->bytes), ~k);
  std::vector<Temporary*> largest = temps;
  auto next = largest.begin();
  for (std::ranges::make_heap(sizes); !sizes.empty(); sizes.pop_back()) {
    std::ranges::pop_heap(sizes);
    *next++ = temps[~sizes.back().second];
  }
  const uint64_t by_size = place(largest, steps);
  return by_size <= arena ? by_size : in_order(by_first, by_last, most);
}

}  // namespace tenon

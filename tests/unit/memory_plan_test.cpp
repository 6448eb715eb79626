// The memory plan: what is alive at the same time lies apart, and the arena is that of the greedy rule or smaller.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "recipe/lowered.hpp"

using namespace tenon;

namespace {

constexpr uint64_t kAlign = 64;
constexpr int kForEver = 1 << 30;

// The rule by its words: in this order, each to the lowest place that none of those before it, alive at the same time, covers.
template <class Less>
uint64_t greedy(std::vector<Temporary> temps, Less less) {
  std::stable_sort(temps.begin(), temps.end(), less);
  uint64_t arena = 0;
  for (size_t k = 0; k < temps.size(); ++k) {
    Temporary& t = temps[k];
    bool moved = true;
    for (t.offset = 0; moved;) {
      moved = false;
      for (size_t i = 0; i < k; ++i) {
        const Temporary& o = temps[i];
        if (o.first > t.last || t.first > o.last || o.offset >= t.offset + t.bytes ||
            t.offset >= o.offset + o.bytes)
          continue;
        t.offset = o.offset + o.bytes;
        moved = true;
      }
    }
    arena = std::max(arena, t.offset + t.bytes);
  }
  return arena;
}

}  // namespace

TEST_CASE("memory plan: apart, and never more than either order takes") {
  std::mt19937 random(5);
  const auto up_to = [&](size_t n) { return static_cast<int>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    const int steps = 1 + up_to(round % 3 ? 20 : 150);
    std::vector<Temporary> temps(static_cast<size_t>(1 + up_to(round % 3 ? 40 : 300)));
    std::vector<Temporary*> given;
    for (Temporary& t : temps) {
      t.bytes = static_cast<uint64_t>(1 + up_to(round % 2 ? 5000 : 4 * kAlign));
      t.first = up_to(static_cast<size_t>(steps));
      t.last = std::min(steps - 1, t.first + up_to(up_to(4) ? 4 : 100));
      if (up_to(20) == 0) t.first = -1, t.last = kForEver;
      given.push_back(&t);
    }
    const uint64_t arena = plan_memory(given, static_cast<size_t>(steps), kAlign);
    uint64_t end = 0;
    for (const Temporary& a : temps) {
      CHECK(a.offset % kAlign == 0);
      end = std::max(end, a.offset + a.bytes);
      for (const Temporary& b : temps)
        if (&a < &b && a.first <= b.last && b.first <= a.last)
          CHECK((a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset));
    }
    CHECK(arena == end);
    const uint64_t by_size =
        greedy(temps, [](const Temporary& a, const Temporary& b) { return a.bytes > b.bytes; });
    const uint64_t in_order =
        greedy(temps, [](const Temporary& a, const Temporary& b) { return a.first < b.first; });
    CHECK(arena == std::min(by_size, in_order));
  }
}

TEST_CASE("memory plan: nothing takes nothing") {
  CHECK(plan_memory({}, 3, kAlign) == 0);
  CHECK(plan_memory({}, 0, kAlign) == 0);
}

// Which of several dtypes is wrong, where none of them is the judge of the others.
#pragma once
#include <functional>

#include "check.hpp"

namespace tenon::conformance {

// f64 is wrong, not the dtype that was held against it.
struct WrongInF64 : Wrong {
  using Wrong::Wrong;
};

// Which of `n` no other agrees with, while all others agree with each other; -1 where that cannot be said. disagree(a, b): a < b.
inline int odd_one(size_t n, const std::function<bool(size_t, size_t)>& disagree) {
  for (size_t odd = 0; odd < n && n > 2; ++odd) {
    bool alone = true;
    for (size_t a = 0; a < n; ++a)
      for (size_t b = a + 1; b < n; ++b) alone &= disagree(a, b) == (a == odd || b == odd);
    if (alone) return static_cast<int>(odd);
  }
  return -1;
}

}  // namespace tenon::conformance

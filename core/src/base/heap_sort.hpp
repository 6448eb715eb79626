// std::sort in a third of its code, for what is off the way of a call.
#pragma once
#include <algorithm>
#include <functional>

namespace tenon {

// Equal elements end in no particular order.
template <class Range, class Less = std::less<>>
void heap_sort(Range& range, Less less = {}) {
  std::make_heap(range.begin(), range.end(), less);
  std::sort_heap(range.begin(), range.end(), less);
}

}  // namespace tenon

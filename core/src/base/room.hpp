// Room for one more element, so that adding it cannot fail; twice as much each time, so that adding many takes linear time.
#pragma once
#include <cstddef>

namespace tenon {

template <class Vector>
void make_room(Vector& v) {
  if (v.size() == v.capacity()) v.reserve(2 * v.size() + 1);
}

}  // namespace tenon

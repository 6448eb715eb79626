// Updates in place. A kernel may write a result over the input that it is the new value of; which one, lowering has put down.
#include "recipe/lowered.hpp"

#include <algorithm>

namespace tenon {

// Keeps those of the last step alone, so that after a step that fails everything is as it was; and where that step sees the input once and
// no result is a view of it.
void overwrite_in_place(Lowered& l) {
  std::vector<int> uses(l.inputs.size());
  const auto use = [&](int value) {
    if (value < 0) return;
    const LValue& v = l.values[static_cast<size_t>(value)];
    if (v.base == Base::kInput) ++uses[static_cast<size_t>(v.index)];
  };
  if (!l.steps.empty()) std::ranges::for_each(l.steps.back().inputs, use);
  for (int r : l.results) {
    use(r);
    use(r);  // more than once, whatever the step does
  }
  for (Temp& t : l.temps)
    if (t.alias >= 0 && (t.first + 1 != static_cast<int>(l.steps.size()) ||
                         uses[static_cast<size_t>(t.alias)]++ != 1))
      t.alias = -1;
}

}  // namespace tenon

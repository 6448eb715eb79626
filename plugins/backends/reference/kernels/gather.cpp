// Reading and writing at indices along one axis. Negative indices count from the end; one outside its bounds is an error that
// names it.
#include <algorithm>

#include "elementwise.hpp"

namespace tenon::reference {
namespace {

// Indices along an axis of `size`, made non-negative. Unsigned ones beyond 2^63 are none.
Dense<int64_t> load_positions(const tn_view& indices, int64_t size) {
  Dense<int64_t> positions = load_indices(indices);
  const int64_t least = sdk::has_dtype<sdk::Unsigned>(indices.dtype) ? 0 : -size;
  for (size_t i = 0; i < positions.size(); ++i) {
    const int64_t index = positions[i];
    if (index < least || index >= size) {
      sdk::fail(TN_OUT_OF_RANGE, "index ", index, " at position ", i, " is outside an axis of ",
                size, " elements");
    }
    if (index < 0) positions[i] += size;
  }
  return positions;
}

// gather(x, indices) -> y: dims of y are x[:axis] + indices.dims + x[axis+1:].
struct Gather {
  static sdk::Plan<int64_t> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Integers>(s.input(1).dtype)) return s.decline("indices not integer");
    if (!is_movable(s.output().dtype)) return s.decline("elements smaller than a byte");
    return sdk::attr_i64(s, TN_GATHER_AXIS);
  }
  static void run(int64_t axis, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &x = args[0], &y = args[2];
    const AxisSplit at = split_at(sdk::dims(x), axis);
    const Dense<int64_t> positions = load_positions(args[1], at.size);
    const Dense<std::byte> from = load_bytes(x);
    Dense<std::byte> result(static_cast<size_t>(y.count * sdk::element_bytes(y)));
    const int64_t row = at.inner * sdk::element_bytes(x);
    std::byte* next = result.data();
    for (int64_t o = 0; o < at.outer; ++o) {
      for (int64_t p : positions)
        next = std::copy_n(from.data() + (o * at.size + p) * row, row, next);
    }
    store_bytes(result, y);
  }
};

// scatter(x, indices, updates) -> y: x with the updates, whose dims are those of the gather, combined in order at their positions.
struct Scatter {
  enum class Mode { set, add, max, min };
  struct Data {
    int64_t axis = 0;
    Mode mode = Mode::set;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    if (!sdk::has_dtype<sdk::Integers>(s.input(1).dtype)) return s.decline("indices not integer");
    const tn_dtype dtype = s.output().dtype;
    if (!sdk::has_dtype<sdk::Computable>(dtype)) return s.decline(kNoMeaning);
    if (s.input(0).dtype != dtype || s.input(2).dtype != dtype) {
      return s.decline("x and updates differ in dtype");
    }
    const Mode mode = mode_of(sdk::attr_string(s, TN_SCATTER_MODE));
    if (sdk::has_dtype<sdk::Complexes>(dtype) && (mode == Mode::max || mode == Mode::min)) {
      return s.decline("complex numbers have no order");
    }
    return Data{sdk::attr_i64(s, TN_SCATTER_AXIS), mode};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const AxisSplit at = split_at(sdk::dims(args[0]), plan.axis);
    const Dense<int64_t> positions = load_positions(args[1], at.size);
    visit_wide(args[0].dtype, [&]<class W>(W) {
      Dense<W> result = load<W>(args[0]);
      const Dense<W> updates = load_like<W>(args[2], args[3]);
      size_t next = 0;
      for (int64_t o = 0; o < at.outer; ++o) {
        for (int64_t p : positions) {
          W* row = result.data() + (o * at.size + p) * at.inner;
          for (int64_t i = 0; i < at.inner; ++i) {
            row[i] = combine(plan.mode, row[i], updates[next++]);
          }
        }
      }
      store(result, args[3]);
    });
  }

 private:
  static Mode mode_of(std::string_view name) {
    if (name == "set") return Mode::set;
    if (name == "add") return Mode::add;
    if (name == "max") return Mode::max;
    if (name == "min") return Mode::min;
    sdk::fail(TN_INVALID_ARGUMENT, "unknown mode \"", name, "\"; there are set, add, max, min");
  }
  template <class W>
  static W combine(Mode mode, W old, W update) {
    if (mode == Mode::set) return update;
    if (mode == Mode::add) return sum_of(old, update);
    if constexpr (Real<W>) {
      return mode == Mode::max ? greater_of(old, update) : lesser_of(old, update);
    } else {
      return old;
    }
  }
};

}  // namespace

REFERENCE_KERNEL(gather, Gather, 0);
REFERENCE_KERNEL(scatter, Scatter, TN_KERNEL_INPLACE);

}  // namespace tenon::reference

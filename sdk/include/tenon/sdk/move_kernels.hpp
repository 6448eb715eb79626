// Kernels for memory that the host can address, ready to be listed: sdk::host_kernel<sdk::Concat>("concat"). They move elements of every
// dtype of whole bytes, or (Philox) fill a tensor with random bits. Their meaning: docs/ops.md.
#ifndef TENON_SDK_MOVE_KERNELS_HPP_
#define TENON_SDK_MOVE_KERNELS_HPP_
#include <string>
#include <vector>

#include "host_kernels.hpp"
#include "philox.hpp"
#include "shape.hpp"

namespace tenon::sdk {

// Also elements smaller than a byte, between dense tensors.
struct Copy {
  static Plan<> prepare(const Signature& s) {
    return when(s.input(0).dtype == s.output().dtype, "copy does not convert");
  }
  static void run(const NoData&, const Queue&, const Args& args) { assign(args[0], args[1]); }
};

struct Bitcast {  // packed ones too
  static Plan<> prepare(const Signature& s) {
    const bool same = TN_DTYPE_BITS(s.input(0).dtype) == TN_DTYPE_BITS(s.output().dtype);
    return when(same, "the dtypes differ in size");
  }
  static void run(const NoData&, const Queue&, const Args& args) { assign(args[0], args[1]); }
};

struct Where {
  static Plan<> prepare(const Signature& s) {
    if (s.input(0).dtype != TN_DTYPE_BOOL) return s.decline("the condition is not bool");
    if (!is_movable(s.output().dtype)) return s.decline(kPacked);
    return when(s.input(1).dtype == s.output().dtype && s.input(2).dtype == s.output().dtype,
                kDtypesDiffer);
  }
  static void run(const NoData&, const Queue&, const Args& args) {
    const int64_t size = element_bytes(args[3]);
    const auto* condition = data<const bool>(args[0]);
    const auto *a = data<const std::byte>(args[1]), *b = data<const std::byte>(args[2]);
    auto* y = data<std::byte>(args[3]);
    walk(
        [&](int64_t o, int64_t c, int64_t i, int64_t j) {
          std::memmove(y + o * size, condition[c] ? a + i * size : b + j * size, size);
        },
        args[3], args[0], args[1], args[2]);
  }
};

struct Pad {  // negative low and high crop
  struct Data {
    std::vector<int64_t> low, interior;
    int inputs = 0;
  };
  static Plan<Data> prepare(const Signature& s) {
    if (!is_movable(s.output().dtype)) return s.decline(kPacked);
    const size_t rank = s.output().rank;
    return Data{attr_i64s_or(s, TN_PAD_LOW, rank, 0), attr_i64s_or(s, TN_PAD_INTERIOR, rank, 0),
                s.input_count()};
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    const tn_view &x = args[0], &y = args[plan.inputs];
    fill(y, plan.inputs > 1 && !is_absent(args[1]) ? load_bytes(args[1]) : Dense<std::byte>());
    Region from(x), to(y);
    for (int i = 0; i < y.rank; ++i) {
      const int64_t low = plan.low.data()[i], step = 1 + plan.interior.data()[i];
      const int64_t first = low < 0 ? (step - 1 - low) / step : 0;  // that is not cropped
      const int64_t room = y.dims[i] - low;
      const int64_t end = room > 0 ? std::min(x.dims[i], (room - 1) / step + 1) : 0;
      if (end <= first) return;
      from = from.part(i, first, end - first);
      to = to.part(i, low + first * step, end - first, step);
    }
    assign(from, to);
  }
};

struct Concat {
  struct Data {
    int axis = 0, inputs = 0;
  };
  static Plan<Data> prepare(const Signature& s) {
    if (!is_movable(s.output().dtype)) return s.decline(kPacked);
    return Data{attr_axis(s, TN_CONCAT_AXIS, s.output().rank), s.input_count()};
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    for (int64_t start = 0, k = 0; k < plan.inputs; ++k) {
      const tn_view& x = args[static_cast<int>(k)];
      const int64_t size = x.dims[plan.axis];
      assign(Region(x), Region(args[plan.inputs]).part(plan.axis, start, size));
      start += size;
    }
  }
};

struct Gather {  // dims of y are x[:axis] + indices.dims + x[axis+1:]
  static Plan<int64_t> prepare(const Signature& s) {
    if (!has_dtype<Integers>(s.input(1).dtype)) return s.decline("indices not integer");
    if (!is_movable(s.output().dtype)) return s.decline(kPacked);
    return attr_axis(s, TN_GATHER_AXIS, s.input(0).rank);
  }
  static void run(int64_t axis, const Queue&, const Args& args) {
    const AxisSplit at = split_at(dims(args[0]), axis);
    Dense<int64_t> from;  // rows of at.inner elements
    const auto positions = load_positions("gather: indices", args[1], at.size);
    for (int64_t o = 0; o < at.outer; ++o) {
      for (int64_t p : positions) from.push_back(o * at.size + p);
    }
    const int64_t row = at.inner * element_bytes(args[0]);
    store_bytes(select_bytes(load_bytes(args[0]), from, row), args[2]);
  }
};

struct CheckedIndex {
  struct Data {
    int64_t size = 0;
    std::string what;
    bool from_end = true;
  };
  static Plan<Data> prepare(const Signature& s) {
    if (!has_dtype<Integers>(s.input(0).dtype)) return s.decline("indices not integer");
    return Data{attr_i64(s, TN_CHECKED_INDEX_SIZE),
                std::string(attr_string(s, TN_CHECKED_INDEX_WHAT)),
                attr_bool(s, TN_CHECKED_INDEX_FROM_END)};
  }
  static void run(const Data& plan, const Queue&, const Args& args) {
    store(load_positions(plan.what, args[0], plan.size, plan.from_end), args[1]);
  }
};

struct Philox {
  static Plan<> prepare(const Signature& s) {
    for (int i = 0; i < 3; ++i) {
      if (s.input(i).dtype != TN_DTYPE_U64) return s.decline("the random state is not u64");
    }
    return when(s.output().dtype == TN_DTYPE_U32, "the bits are not u32");
  }
  static void run(const NoData&, const Queue&, const Args& args) {
    const auto value = [&](int i) { return scalar<uint64_t>(args[i]); };
    const auto n = static_cast<size_t>(args[3].count);
    store(philox_bits(value(0), value(1), value(2), n), args[3]);
  }
};

}  // namespace tenon::sdk
#endif

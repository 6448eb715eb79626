// gather (take along an axis), embedding and checked_index.
#include <memory>

#include "index.hpp"
#include "simd.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct GatherPlan {
  const Device& device;
  const char* what;
  int axis;
};

// Rows of so few bytes, which may begin at any multiple of an element's.
template <int row>
void take_small(char* y, const char* x, const int64_t* at, int64_t n) {
  for (int64_t i = 0; i < n; ++i) __builtin_memcpy(y + i * row, x + at[i] * row, row);
}

void take_rows(char* y, const char* x, const int64_t* at, int64_t n, int64_t row) {
  for (int64_t i = 0; i < n; ++i) std::memcpy(y + i * row, x + at[i] * row, size_t(row));
}

void take(char* y, const char* x, const int64_t* at, int64_t n, int64_t row) {
  switch (row) {
    case 1:
      take_small<1>(y, x, at, n);
      break;
    case 2:
      take_small<2>(y, x, at, n);
      break;
    case 4:
      take_small<4>(y, x, at, n);
      break;
    case 8:
      take_small<8>(y, x, at, n);
      break;
    default:
      take_rows(y, x, at, n, row);
      break;
  }
}

tn_error* TN_CALL run_gather(void* data, void*, const tn_view* const* args) {
  const GatherPlan& plan = *static_cast<const GatherPlan*>(data);
  const tn_view* x = args[0];
  const Split s = split_at(x, plan.axis);
  Indices indices;
  if (tn_error* error = indices.read(plan.device, plan.what, args[1], s.size)) return error;
  if (args[2]->count == 0) return nullptr;
  const int64_t row = s.inner * int64_t(tn_dtype_bytes(x->dtype, 1));
  const int64_t n = indices.count();
  const char* from = input<char>(x);
  char* y = output<char>(args[2]);
  parallel(plan.device, s.outer * n, 16, double(row) * 0.1 + 2, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t o = begin / n, i = begin % n;
      const int64_t m = n - i < end - begin ? n - i : end - begin;
      take(y + begin * row, from + o * s.size * row, indices.data() + i, m, row);
      begin += m;
    }
  });
  return nullptr;
}

tn_error* prepare_take(const Device& device, const tn_signature& sig, tn_plan* plan,
                       const char* what, int64_t axis) {
  const tn_view* x = sig.inputs[0];
  if (TN_DTYPE_BITS(x->dtype) < 8) return decline(plan, "elements smaller than a byte");
  if (!is_index(sig.inputs[1]->dtype)) return decline(plan, "indices that are not integers");
  if (!contiguous(x) || !contiguous(sig.inputs[1]) || !contiguous(sig.outputs[0])) {
    return decline(plan, "not dense");
  }
  const int at = int(axis < 0 ? axis + x->rank : axis);
  if (!make_plan<GatherPlan>(plan, run_gather, device, what, at)) return out_of_memory(device);
  return nullptr;
}

struct CheckPlan {
  const Device& device;
  int64_t size;
  bool from_end;
  std::unique_ptr<char[]> what;
};

tn_error* TN_CALL run_check(void* data, void*, const tn_view* const* args) {
  const CheckPlan& plan = *static_cast<const CheckPlan*>(data);
  return read_positions(plan.device, plan.what.get(), args[0], plan.size, plan.from_end,
                        output<int64_t>(args[1]));
}

}  // namespace

CPU_PREPARE(gather) {
  return prepare_take(device, sig, plan, "gather: indices", attr_i64(sig, TN_GATHER_AXIS));
}
CPU_PREPARE(embedding) { return prepare_take(device, sig, plan, "embedding: indices", 0); }

CPU_PREPARE(checked_index) {
  if (!is_index(sig.inputs[0]->dtype)) return decline(plan, "indices that are not integers");
  if (!contiguous(sig.inputs[0]) || !contiguous(sig.outputs[0])) return decline(plan, "not dense");
  const tn_attr& text = sig.attrs[TN_CHECKED_INDEX_WHAT];
  std::unique_ptr<char[]> what(new (std::nothrow) char[text.bits + 1]());
  if (!what) return out_of_memory(device);
  if (text.bits) std::memcpy(what.get(), text.data, text.bits);
  const int64_t size = attr_i64(sig, TN_CHECKED_INDEX_SIZE);
  const bool from_end = attr_bool(sig, TN_CHECKED_INDEX_FROM_END);
  if (!make_plan<CheckPlan>(plan, run_check, device, size, from_end, std::move(what)))
    return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

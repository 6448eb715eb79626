// concat, stack and pad: strided inputs copied into regions of a dense output.
#include "strided.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

bool whole_bytes(tn_dtype dtype) { return TN_DTYPE_BITS(dtype) >= 8 && TN_DTYPE_LANES(dtype) == 1; }

// ---- concat, stack

struct JoinPlan {
  const Device& device;
  uint32_t inputs;
  int axis;
  bool stacks;  // the axis is new: each input has one slice of it
};

// Rows of `row` elements of one input, `pitch` elements apart in the output.
void copy_rows(const Device& device, char* to, int64_t pitch, const tn_view* x, int64_t rows,
               int64_t row, int bytes) {
  const char* from = input<char>(x);
  if (contiguous(x) && rows == 1) {
    parallel(device, row * bytes, 64 << 10, 0.1, [&](int64_t begin, int64_t end) {
      std::memcpy(to + begin, from + begin, size_t(end - begin));
    });
    return;
  }
  if (contiguous(x)) {
    parallel(device, rows, 1, double(row * bytes) * 0.1 + 5, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        std::memcpy(to + r * pitch * bytes, from + r * row * bytes, size_t(row * bytes));
      }
    });
    return;
  }
  Walk<1> w;
  w.build(1, x->rank, x->dims, [&](int) { return x->strides; });
  parallel(device, rows, 1, double(row) * 1.0 + 5, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      gather_run(to + r * pitch * bytes, from, bytes, w.rank, w.dims, w.strides[0], r * row, row);
    }
  });
}

tn_error* TN_CALL run_join(void* data, void*, const tn_view* const* args) {
  const JoinPlan& plan = *static_cast<const JoinPlan*>(data);
  const tn_view* y = args[plan.inputs];
  if (y->count == 0) return nullptr;
  const int bytes = int(tn_dtype_bytes(y->dtype, 1));
  int64_t outer = 1, inner = 1;
  for (int i = 0; i < plan.axis; ++i) outer *= y->dims[i];
  for (int i = plan.axis + 1; i < y->rank; ++i) inner *= y->dims[i];
  const int64_t pitch = y->dims[plan.axis] * inner;
  char* to = output<char>(y);
  for (uint32_t k = 0; k < plan.inputs; ++k) {
    const tn_view* x = args[k];
    const int64_t row = (plan.stacks ? 1 : x->dims[plan.axis]) * inner;
    if (row == 0) continue;
    copy_rows(plan.device, to, pitch, x, outer, row, bytes);
    to += row * bytes;
  }
  return nullptr;
}

tn_error* prepare_join(const Device& device, const tn_signature& sig, tn_plan* plan, int64_t axis,
                       bool stacks) {
  const tn_view* y = sig.outputs[0];
  if (!whole_bytes(y->dtype)) return decline(plan, "elements smaller than a byte");
  if (!contiguous(y)) return decline(plan, "the output is not dense");
  const int at = int(axis < 0 ? axis + y->rank : axis);
  if (!make_plan<JoinPlan>(plan, run_join, device, sig.n_inputs, at, stacks)) {
    return out_of_memory(device);
  }
  return nullptr;
}

// ---- pad

struct PadPlan {
  const Device& device;
  int rank;
  int64_t low[TN_MAX_RANK] = {};
  int64_t step[TN_MAX_RANK] = {};  // 1 + interior
};

struct Padding {
  const PadPlan& plan;
  int bytes;
  char* to;
  const char* from;
  const tn_view* x;
  const tn_view* y;
  uint64_t value[2];
};

void fill_bytes(char* to, const void* value, int bytes, int64_t n) {
  if (bytes == 1) {
    std::memset(to, *static_cast<const unsigned char*>(value), size_t(n));
  } else if (bytes == 4) {
    uint32_t v;
    std::memcpy(&v, value, 4);
    for (int64_t i = 0; i < n; ++i) reinterpret_cast<uint32_t*>(to)[i] = v;
  } else {
    for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * bytes, value, size_t(bytes));
  }
}

// The input's index for output index o of an axis, -1 for padding.
int64_t source(const Padding& p, int axis, int64_t o) {
  const int64_t at = o - p.plan.low[axis];
  if (at < 0 || at % p.plan.step[axis] != 0) return -1;
  const int64_t i = at / p.plan.step[axis];
  return i < p.x->dims[axis] ? i : -1;
}

// One run of the innermost axis.
void pad_row(const Padding& p, char* to, const char* from) {
  const int axis = p.plan.rank - 1;
  const int64_t n = p.y->dims[axis];
  const int64_t low = p.plan.low[axis];
  const int64_t step = p.plan.step[axis];
  const int64_t x_step = p.x->strides[axis] * p.bytes;
  if (step == 1) {
    const int64_t begin = low < 0 ? 0 : (low < n ? low : n);
    int64_t end = low + p.x->dims[axis];
    end = end < begin ? begin : (end > n ? n : end);
    fill_bytes(to, p.value, p.bytes, begin);
    const char* first = from + (begin - low) * x_step;
    if (x_step == p.bytes) {
      std::memcpy(to + begin * p.bytes, first, size_t((end - begin) * p.bytes));
    } else {
      const int64_t count = end - begin;
      gather_run(to + begin * p.bytes, first, p.bytes, 1, &count, &p.x->strides[axis], 0, count);
    }
    fill_bytes(to + end * p.bytes, p.value, p.bytes, n - end);
    return;
  }
  for (int64_t o = 0; o < n; ++o) {
    const int64_t i = source(p, axis, o);
    std::memcpy(to + o * p.bytes,
                i < 0 ? reinterpret_cast<const char*>(p.value) : from + i * x_step,
                size_t(p.bytes));
  }
}

tn_error* TN_CALL run_pad(void* data, void*, const tn_view* const* args) {
  const PadPlan& plan = *static_cast<const PadPlan*>(data);
  const tn_view* x = args[0];
  const tn_view* y = args[2];
  if (y->count == 0) return nullptr;
  Padding p{plan, int(tn_dtype_bytes(x->dtype, 1)), output<char>(y), input<char>(x), x, y, {0, 0}};
  if (!absent(args[1])) std::memcpy(p.value, input<char>(args[1]), size_t(p.bytes));
  if (plan.rank == 0) {
    std::memcpy(p.to, p.from, size_t(p.bytes));
    return nullptr;
  }
  const int64_t n = y->dims[plan.rank - 1];
  parallel(plan.device, y->count / n, 1, double(n) * 0.5 + 5, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      char* to = p.to + row * n * p.bytes;
      int64_t rest = row, offset = 0;
      bool inside = x->count > 0;
      for (int i = plan.rank - 2; i >= 0; --i) {
        const int64_t at = source(p, i, rest % y->dims[i]);
        rest /= y->dims[i];
        inside = inside && at >= 0;
        offset += at * x->strides[i];
      }
      if (inside) {
        pad_row(p, to, p.from + offset * p.bytes);
      } else {
        fill_bytes(to, p.value, p.bytes, n);
      }
    }
  });
  return nullptr;
}

}  // namespace

CPU_PREPARE(concat) {
  return prepare_join(device, sig, plan, attr_i64(sig, TN_CONCAT_AXIS), false);
}
CPU_PREPARE(stack) { return prepare_join(device, sig, plan, attr_i64(sig, TN_STACK_AXIS), true); }

CPU_PREPARE(pad) {
  const tn_view* x = sig.inputs[0];
  if (!whole_bytes(x->dtype)) return decline(plan, "elements smaller than a byte");
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  PadPlan* p = make_plan<PadPlan>(plan, run_pad, device, int(x->rank));
  if (!p) return out_of_memory(device);
  const I64s low = attr_i64s(sig, TN_PAD_LOW);
  const I64s interior = attr_i64s(sig, TN_PAD_INTERIOR);
  for (int i = 0; i < x->rank; ++i) {
    p->low[i] = low.size ? low[i] : 0;
    p->step[i] = 1 + (interior.size ? interior[i] : 0);
  }
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

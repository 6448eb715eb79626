// matmul_integer and qlinear_matmul of dense matrices: a [..., K] by one matrix b, or a batch of as many.
#include "matmul/integer.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

// Where the arguments stand; -1: the op has none.
struct Places {
  int a, b, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero, count;
};
constexpr Places kInteger = {0, 1, 2, 3, -1, -1, -1, -1, 4}, kLinear = {0, 3, 2, 5, 1, 4, 6, 7, 8};

struct Plan {
  Places at;
  IntegerProduct product;
  int64_t batches;
  Finish finish;  // without its pointers
};

// 1 where a parameter has an entry for each of n places, 0 where one serves all.
int64_t step_of(const tn_view* v) { return absent(v) || v->count == 1 ? 0 : 1; }
Zeros zeros_of(const tn_view* v, bool is_signed) {
  return {absent(v) ? nullptr : input<uint8_t>(v), step_of(v), is_signed};
}

void pack_columns(const IntegerProduct& p, const uint8_t* b, const Zeros& zeros, char* to) {
  const double ns = 0.3 * double(kPanel) * double(p.k) + 20;
  parallel(*p.device, p.panels(), 1, ns, [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; ++q) {
      const int64_t j = q * kPanel, count = p.n - j < kPanel ? p.n - j : kPanel;
      PanelPacker(p, zeros, j, count, to + q * p.panel_bytes()).pack([&](int64_t k) {
        return b + k * p.n + j;
      });
    }
  });
}

tn_error* TN_CALL run(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const Plan*>(data);
  const IntegerProduct& product = p.product;
  Finish finish = p.finish;
  if (finish.bytes) {
    finish.row_scale = input<float>(args[p.at.a_scale]);
    finish.column_scale = input<float>(args[p.at.b_scale]);
    finish.y_scale = input<float>(args[p.at.y_scale]);
    finish.y_zero = input<uint8_t>(args[p.at.y_zero]);
  }
  auto* y = output<char>(args[p.at.count]);
  auto* a = output<char>(args[p.at.count + 1]);
  auto* b = a + product.a_bytes();
  const Zeros a_zeros = zeros_of(args[p.at.a_zero], product.a_signed),
              b_zeros = zeros_of(args[p.at.b_zero], product.b_signed);
  for (int64_t i = 0; i < p.batches; ++i) {
    product.pack_rows(input<uint8_t>(args[p.at.a]) + i * product.m * product.k, a_zeros, a);
    pack_columns(product, input<uint8_t>(args[p.at.b]) + i * product.k * product.n, b_zeros, b);
    product.run(a, b, 0, product.panels(), y + i * product.m * product.n * finish.element_bytes(),
                finish);
  }
  return nullptr;
}

tn_error* prepare(const Device& device, const tn_signature& sig, tn_plan* plan, const Places& at) {
  const tn_view &a = *sig.inputs[at.a], &b = *sig.inputs[at.b], &y = *sig.outputs[0];
  for (uint32_t i = 0; i < sig.n_inputs; ++i)
    if (!absent(sig.inputs[i]) && !contiguous(sig.inputs[i]))
      return decline(plan, "contiguous tensors only");
  if (!contiguous(&y)) return decline(plan, "contiguous tensors only");
  Plan p = {};
  p.at = at;
  p.product = {&device, a.dims[a.rank - 2], b.dims[b.rank - 1], a.dims[a.rank - 1]};
  p.batches = 1;
  bool same = a.rank == b.rank;
  for (int i = 0; i + 2 < a.rank; ++i) {
    same = same && a.dims[i] == b.dims[i];
    p.batches *= a.dims[i];
  }
  const bool rows_differ = a.rank > 2;  // one matrix b: the batch of a is more rows
  if (b.rank == 2) {
    p.product.m *= p.batches;
    p.batches = 1;
  } else if (!same) {
    return decline(plan, "a batch that broadcasts");
  }
  for (const int i : {at.a_zero, at.b_zero, at.a_scale, at.b_scale, at.y_scale, at.y_zero}) {
    if (i < 0 || absent(sig.inputs[i])) continue;
    if (sig.inputs[i]->rank > 1) return decline(plan, "zero points or scales of each matrix");
    const bool of_rows = i != at.b_zero && i != at.b_scale;
    if (of_rows && rows_differ && b.rank == 2 && step_of(sig.inputs[i]) != 0)
      return decline(plan, "zero points or scales by row of a batch");
  }
  p.product.a_signed = a.dtype == TN_DTYPE_I8;
  p.product.b_signed = b.dtype == TN_DTYPE_I8;
  if (at.y_scale >= 0) {
    p.finish.bytes = true;
    p.finish.is_signed = y.dtype == TN_DTYPE_I8;
    p.finish.row_step = step_of(sig.inputs[at.a_scale]);
    p.finish.column_step = step_of(sig.inputs[at.b_scale]);
    p.finish.y_scale_step = step_of(sig.inputs[at.y_scale]);
    p.finish.y_zero_step = step_of(sig.inputs[at.y_zero]);
  }
  if (!make_plan<Plan>(plan, run, p)) return out_of_memory(device);
  plan->workspace_bytes =
      uint64_t(p.product.a_bytes() + p.product.panels() * p.product.panel_bytes()) + 64;
  return nullptr;
}

}  // namespace

CPU_PREPARE(matmul_integer) { return prepare(device, sig, plan, kInteger); }
CPU_PREPARE(qlinear_matmul) { return prepare(device, sig, plan, kLinear); }

}  // namespace tenon::cpu::CPU_ISA

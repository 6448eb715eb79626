// prepare of all elementwise kernels: finds the entry of the op and dtype.
#include "elementwise.hpp"
#include "float_ops.hpp"
#include "rows.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

tn_error* no_such_dtype(tn_plan* plan) { return decline(plan, "no kernel for this dtype"); }

// The entry for op and dtype in any of the tables, or null.
template <class... Tables>
const ElementwiseEntry* entry_of(tn_op op, tn_dtype dtype, Tables... tables) {
  for (const EntryTable table : {tables...}) {
    for (const ElementwiseEntry& e : table) {
      if (e.op == op && e.dtype == dtype) return &e;
    }
  }
  return nullptr;
}

tn_error* use(const Device& device, const tn_signature& sig, const ElementwiseEntry* entry,
              tn_plan* plan) {
  if (!entry) return no_such_dtype(plan);
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  plan->run = all_dense(sig) ? entry->dense : entry->any;
  plan->data = const_cast<Device*>(&device);
  return nullptr;
}

tn_error* prepare_two(const Device& device, const tn_signature& sig, tn_op op, tn_plan* plan) {
  const tn_dtype dtype = sig.inputs[0]->dtype;
  if (sig.inputs[1]->dtype != dtype) return decline(plan, "inputs of different dtypes");
  return use(device, sig,
             entry_of(op, dtype, binary_f32_entries(), binary_f64_entries(),
                      CPU_SHARED_ISA::binary_int_entries(), CPU_SHARED_ISA::binary_int64_entries(),
                      CPU_SHARED_ISA::complex_entries()),
             plan);
}

}  // namespace

const Elementwise* elementwise_of(tn_op op, tn_dtype dtype) {
  const ElementwiseEntry* e = entry_of(op, dtype, unary_f32_entries(), unary_f64_entries(),
                                       CPU_SHARED_ISA::unary_int_entries(), binary_f32_entries(),
                                       binary_f64_entries(), CPU_SHARED_ISA::binary_int_entries(),
                                       CPU_SHARED_ISA::binary_int64_entries(), where_entries());
  return e ? e->kernel : nullptr;
}

CPU_PREPARE(unary) {
  const tn_dtype dtype = sig.inputs[0]->dtype;
  return use(device, sig,
             entry_of(sig.op, dtype, unary_f32_entries(), unary_f64_entries(),
                      CPU_SHARED_ISA::unary_int_entries(), CPU_SHARED_ISA::complex_entries()),
             plan);
}

CPU_PREPARE(binary) { return prepare_two(device, sig, sig.op, plan); }

// The tables have fmod as mod, and what has the sign of the divisor as rem.
CPU_PREPARE(mod) {
  return prepare_two(device, sig, attr_bool(sig, TN_MOD_FMOD) ? sig.op : TN_OP_REM, plan);
}

CPU_PREPARE(where) {
  return use(device, sig, entry_of(sig.op, sig.inputs[1]->dtype, where_entries()), plan);
}

CPU_PREPARE(clip) {
  return use(device, sig, entry_of(sig.op, sig.inputs[0]->dtype, clip_entries()), plan);
}

// ---- ops with an attribute

namespace {

template <class T, class S = T>
constexpr ElementwiseEntry gelu_tanh() {
  return unary<GeluTanhOp, T, S>(TN_OP_GELU);
}
constexpr ElementwiseEntry kGeluTanh[] = {gelu_tanh<float>(), gelu_tanh<double>(),
                                          gelu_tanh<float, f16>(), gelu_tanh<float, bf16>()};

struct LeakyPlan {
  const Device& device;
  double slope;
};

template <class T, class S = T>
tn_error* TN_CALL run_leaky(void* data, void*, const tn_view* const* args) {
  static constexpr Elementwise kKernel = describe<LeakyReluOp, T, S, 1>(unary_row<LeakyReluOp, T>);
  const LeakyPlan& plan = *static_cast<const LeakyPlan*>(data);
  run_elementwise(plan.device, kKernel, args, &plan.slope);
  return nullptr;
}

}  // namespace

CPU_PREPARE(gelu) {
  if (!attr_is(sig, TN_GELU_APPROXIMATE, "tanh")) return prepare_body_unary(device, sig, plan);
  return use(device, sig, entry_of(sig.op, sig.inputs[0]->dtype, EntryTable(kGeluTanh)), plan);
}

CPU_PREPARE(leaky_relu) {
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output is not dense");
  tn_kernel_run run = nullptr;
  switch (sig.inputs[0]->dtype) {
    case TN_DTYPE_F32:
      run = run_leaky<float>;
      break;
    case TN_DTYPE_F64:
      run = run_leaky<double>;
      break;
    case TN_DTYPE_F16:
      run = run_leaky<float, f16>;
      break;
    case TN_DTYPE_BF16:
      run = run_leaky<float, bf16>;
      break;
    default:
      return no_such_dtype(plan);
  }
  const double slope = attr_f64(sig, TN_LEAKY_RELU_SLOPE);
  if (!make_plan<LeakyPlan>(plan, run, device, slope)) return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

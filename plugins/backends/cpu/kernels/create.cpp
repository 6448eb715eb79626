// fill, iota and one_hot.
#include "../scratch.hpp"
#include "narrow.hpp"
#include "simd.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct Wide {
  uint64_t words[2];
};

template <class T>
void fill_with(const Device& device, void* to, const void* value, int64_t n) {
  T* y = static_cast<T*>(to);
  T v;
  std::memcpy(&v, value, sizeof v);
  parallel(device, n, 16384, 0.05 * double(sizeof(T)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = v;
  });
}

tn_error* TN_CALL run_fill(void* data, void*, const tn_view* const* args) {
  const Device& device = *static_cast<const Device*>(data);
  const void* value = input<char>(args[0]);
  char* y = output<char>(args[1]);
  const int64_t n = args[1]->count;
  switch (tn_dtype_bytes(args[1]->dtype, 1)) {
    case 1:
      fill_with<uint8_t>(device, y, value, n);
      break;
    case 2:
      fill_with<uint16_t>(device, y, value, n);
      break;
    case 4:
      fill_with<uint32_t>(device, y, value, n);
      break;
    case 8:
      fill_with<uint64_t>(device, y, value, n);
      break;
    default:
      fill_with<Wide>(device, y, value, n);
      break;
  }
  return nullptr;
}

struct IotaPlan {
  const Device& device;
  int axis;
};

template <class T>
tn_error* TN_CALL run_iota(void* data, void*, const tn_view* const* args) {
  const IotaPlan& plan = *static_cast<const IotaPlan*>(data);
  const tn_view* v = args[0];
  T* y = output<T>(v);
  int64_t inner = 1;
  for (int i = plan.axis + 1; i < v->rank; ++i) inner *= v->dims[i];
  const int64_t n = v->dims[plan.axis];
  if (v->count == 0) return nullptr;
  parallel(plan.device, v->count / inner, 4096, 0.5 * double(inner),
           [&](int64_t begin, int64_t end) {
             if (inner == 1) {
               for (int64_t i = begin; i < end; ++i) y[i] = T(i % n);
               return;
             }
             for (int64_t i = begin; i < end; ++i) {
               const T value = T(i % n);
               for (int64_t k = 0; k < inner; ++k) y[i * inner + k] = value;
             }
           });
  return nullptr;
}

struct OneHotPlan {
  const Device& device;
  uint64_t one[2] = {};  // in the dtype of the output
};

template <class T>
void hot_rows(const int64_t* from, void* to, int64_t depth, const void* one, int64_t begin,
              int64_t end) {
  T* y = static_cast<T*>(to);
  T value;
  std::memcpy(&value, one, sizeof value);
  std::memset(static_cast<void*>(y + begin * depth), 0, size_t((end - begin) * depth) * sizeof(T));
  for (int64_t i = begin; i < end; ++i) {
    // What is no class, negative ones too, is a row of zeros.
    if (uint64_t(from[i]) < uint64_t(depth)) y[i * depth + from[i]] = value;
  }
}

tn_error* TN_CALL run_one_hot(void* data, void*, const tn_view* const* args) {
  const OneHotPlan& plan = *static_cast<const OneHotPlan*>(data);
  char* y = output<char>(args[1]);
  if (args[1]->count == 0) return nullptr;
  const int64_t n = args[0]->count;
  const Scratch<int64_t> wide(plan.device, n);
  if (!wide)
    return fail(plan.device, TN_OUT_OF_MEMORY, "no host memory for %lld indices", (long long)n);
  sdk::visit_dtype<sdk::Integers>(args[0]->dtype, [&](auto type) {
    const auto* from = input<typename decltype(type)::type>(args[0]);
    for (int64_t i = 0; i < n; ++i) wide[i] = int64_t(from[i]);
  });
  const int64_t* from = wide.get();
  const int64_t depth = args[1]->dims[args[1]->rank - 1];
  const int bytes = int(tn_dtype_bytes(args[1]->dtype, 1));
  parallel(plan.device, n, 16, double(depth) * 0.1 + 2, [&](int64_t begin, int64_t end) {
    switch (bytes) {
      case 1:
        hot_rows<uint8_t>(from, y, depth, plan.one, begin, end);
        break;
      case 2:
        hot_rows<uint16_t>(from, y, depth, plan.one, begin, end);
        break;
      case 4:
        hot_rows<uint32_t>(from, y, depth, plan.one, begin, end);
        break;
      case 8:
        hot_rows<uint64_t>(from, y, depth, plan.one, begin, end);
        break;
      default:
        hot_rows<Wide>(from, y, depth, plan.one, begin, end);
        break;
    }
  });
  return nullptr;
}

bool whole_bytes(tn_dtype dtype) { return TN_DTYPE_BITS(dtype) >= 8 && TN_DTYPE_LANES(dtype) == 1; }

}  // namespace

CPU_PREPARE(fill) {
  const tn_view* y = sig.outputs[0];
  if (!whole_bytes(y->dtype)) return decline(plan, "elements smaller than a byte");
  if (!contiguous(y) || sig.inputs[0]->dtype != y->dtype) return decline(plan, "not dense");
  plan->run = run_fill;
  plan->data = const_cast<Device*>(&device);
  return nullptr;
}

CPU_PREPARE(iota) {
  const tn_view* y = sig.outputs[0];
  if (!contiguous(y)) return decline(plan, "the output is not dense");
  tn_kernel_run run = nullptr;
  sdk::visit_dtype<sdk::Reals>(y->dtype,
                               [&](auto type) { run = run_iota<typename decltype(type)::type>; });
  if (!run) return decline(plan, "no kernel for this dtype");
  const int64_t axis = attr_i64(sig, TN_IOTA_AXIS);
  if (!make_plan<IotaPlan>(plan, run, device, int(axis < 0 ? axis + y->rank : axis))) {
    return out_of_memory(device);
  }
  return nullptr;
}

CPU_PREPARE(one_hot) {
  if (!contiguous(sig.inputs[0]) || !contiguous(sig.outputs[0])) return decline(plan, "not dense");
  if (!sdk::has_dtype<sdk::Integers>(sig.inputs[0]->dtype)) {
    return decline(plan, "indices that are not integers");
  }
  uint64_t one[2] = {};
  const bool known = sdk::visit_dtype<sdk::Computable>(sig.outputs[0]->dtype, [&](auto type) {
    using T = typename decltype(type)::type;
    const T value = T(1);
    std::memcpy(one, &value, sizeof value);
  });
  if (!known) return decline(plan, "no kernel for this dtype");
  OneHotPlan* p = make_plan<OneHotPlan>(plan, run_one_hot, device);
  if (!p) return out_of_memory(device);
  std::memcpy(p->one, one, sizeof one);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

// The device of a plugin of this build, with a kernel that fails when the test says so. Registered statically.
#pragma once
#include <tenon/plugin/kernels.h>

#include <array>
#include <cstdint>

#include "wrapped_plugin.hpp"

namespace failing {

constexpr size_t kMostKernels = 1024;

struct Base {
  using Table = tn_kernels_vtbl;
  static constexpr const char *kLibrary = FAILING_BASE, *kInterface = TN_IFACE_KERNELS,
                              *kId = "org.tenon.test.failing";
  static const Table* table();
};
using Plugin = tenon::test::WrappedPlugin<Base>;

inline std::vector<tn_kernel> kernels;       // the base's
inline std::vector<tn_kernel> over_kernels;  // and over them
inline int64_t runs = 0;                     // of kernels so far
inline int64_t fails_at = 0;                 // the run that fails; 0: none
inline bool fails_late = false;              // when all is written, instead of before

inline tn_error* TN_CALL run(void* data, void* queue, const tn_view* const* args) {
  const tn_plan& plan = *static_cast<tn_plan*>(data);
  const bool fails = ++runs == fails_at;
  if (!fails || fails_late)
    if (tn_error* e = plan.run(plan.data, queue, args)) return e;
  return fails ? Plugin::failure("failing: this run fails") : nullptr;
}
inline tn_error* TN_CALL pack(void* data, void* queue, const tn_view* const* args) {
  const tn_plan& plan = *static_cast<tn_plan*>(data);
  const bool fails = ++runs == fails_at;
  if (fails) return Plugin::failure("failing: this run fails");
  return plan.pack(plan.data, queue, args);
}
inline void TN_CALL release(void* data) {
  auto* plan = static_cast<tn_plan*>(data);
  if (plan->release) plan->release(plan->data);
  delete plan;
}
inline tn_error* prepare_kernel(size_t k, void* device, const tn_signature* s, tn_plan* out) {
  auto* plan = new tn_plan(*out);
  tn_error* e = kernels[k].prepare(device, s, plan);
  out->declined = plan->declined;
  if (e || plan->declined.size) return delete plan, e;
  *out = *plan;
  if (plan->pack) out->pack = pack;
  out->run = run;
  out->release = release;
  out->data = plan;
  return nullptr;
}
// A thousand of these are compiled.
template <size_t k>
tn_error* TN_CALL prepare(void* device, const tn_signature* s, tn_plan* out) {
  return prepare_kernel(k, device, s, out);
}
template <size_t... k>
constexpr auto prepares(std::index_sequence<k...>) {
  return std::array{&prepare<k>...};
}

inline tn_error* TN_CALL list(void* device, const tn_kernel** out, uint32_t* count) {
  static constexpr auto kPrepares = prepares(std::make_index_sequence<kMostKernels>());
  const tn_kernel* first = nullptr;
  if (tn_error* e = Plugin::inner->list(device, &first, count)) return e;
  kernels.assign(first, first + *count);
  over_kernels = kernels;
  for (size_t k = 0; k < kernels.size(); ++k) over_kernels.at(k).prepare = kPrepares.at(k);
  *out = over_kernels.data();
  return nullptr;
}
inline const tn_kernels_vtbl* Base::table() {
  static const tn_kernels_vtbl table{sizeof(tn_kernels_vtbl), sizeof(tn_kernel), list};
  return &table;
}

inline tn_runtime* make_runtime() {
  return Plugin::make_runtime([](tn_runtime_desc& d) { d.flags |= TN_RUNTIME_NO_ENVIRONMENT; });
}

}  // namespace failing

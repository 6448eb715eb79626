// The device of a plugin of this build, with a kernel that fails when the test says so. Registered statically.
#pragma once
#include <dlfcn.h>
#include <tenon/plugin/entry.h>
#include <tenon/plugin/kernels.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "fixture.hpp"

namespace failing {

constexpr size_t kMostKernels = 1024;

inline const tn_plugin_info* base = nullptr;
inline const tn_host* host = nullptr;
inline const tn_kernels_vtbl* base_kernels = nullptr;
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
  return fails ? host->error(host, TN_DEVICE_FAILED, tn_string("failing: this run fails"))
               : nullptr;
}
inline void TN_CALL release(void* data) {
  auto* plan = static_cast<tn_plan*>(data);
  if (plan->release) plan->release(plan->data);
  delete plan;
}
template <size_t k>
tn_error* TN_CALL prepare(void* device, const tn_signature* s, tn_plan* out) {
  auto* plan = new tn_plan(*out);
  tn_error* e = kernels[k].prepare(device, s, plan);
  out->declined = plan->declined;
  if (e || plan->declined.size) return delete plan, e;
  out->workspace_bytes = plan->workspace_bytes;
  out->run = run;
  out->release = release;
  out->data = plan;
  return nullptr;
}
template <size_t... k>
constexpr auto prepares(std::index_sequence<k...>) {
  return std::array{&prepare<k>...};
}

inline tn_error* TN_CALL list(void* device, const tn_kernel** out, uint32_t* count) {
  static constexpr auto kPrepares = prepares(std::make_index_sequence<kMostKernels>());
  const tn_kernel* first = nullptr;
  if (tn_error* e = base_kernels->list(device, &first, count)) return e;
  kernels.assign(first, first + *count);
  over_kernels = kernels;
  for (size_t k = 0; k < kernels.size(); ++k) over_kernels.at(k).prepare = kPrepares.at(k);
  *out = over_kernels.data();
  return nullptr;
}
inline tn_error* TN_CALL open(const tn_host* given, void** state) {
  host = given;
  return base->open(given, state);
}

inline const tn_plugin_info* TN_CALL query(uint32_t version) {
  static const tn_kernels_vtbl table{sizeof(tn_kernels_vtbl), sizeof(tn_kernel), list};
  static std::vector<tn_interface> interfaces;
  static tn_plugin_info info;
  void* library = dlopen(FAILING_BASE, RTLD_NOW | RTLD_LOCAL);
  void* entry = library ? dlsym(library, TN_PLUGIN_SYMBOL) : nullptr;
  if (!entry) return nullptr;
  base = reinterpret_cast<tn_plugin_query_fn>(entry)(version);
  interfaces.assign(base->interfaces, base->interfaces + base->interface_count);
  for (tn_interface& i : interfaces)
    if (std::strcmp(i.id.data, TN_IFACE_KERNELS) == 0)
      base_kernels = static_cast<const tn_kernels_vtbl*>(std::exchange(i.table, &table));
  info = *base;
  info.id = tn_string("org.tenon.test.failing");
  info.interfaces = interfaces.data();
  info.open = open;
  return &info;
}

// A runtime with this device and the bundled optimizers.
inline tn_runtime* make_runtime() {
  static const tn_plugin_query_fn plugins[] = {query, nullptr};
  const tn_str optimizers = tn_string(OPTIMIZERS);
  tn_runtime_desc d = tn_runtime_desc_init();
  d.flags = TN_RUNTIME_NO_SEARCH | TN_RUNTIME_NO_ENVIRONMENT;
  d.static_plugins = plugins;
  d.plugin_paths = &optimizers;
  d.plugin_path_count = 1;
  tn_runtime* rt = nullptr;
  REQUIRE_OK(tn_runtime_create(&d, &rt));
  return rt;
}

}  // namespace failing

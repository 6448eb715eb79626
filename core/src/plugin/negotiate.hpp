// The host's side of the handshake: versions and sizes are compared here, and tables come out whole.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "plugin/manifest.hpp"
#include "tenon/plugin/plugin.h"

namespace tenon {

// Full-size copies of a plugin's tables, owned by the core. Optional slots that the plugin left out hold a function that fails
// with UNIMPLEMENTED (or, where a slot returns nothing, does nothing), so no caller tests for NULL. `list` of kernels gives
// arrays in the plugin's own stride: take them through copy_kernels.
struct Tables {
  bool has_device = false, has_kernels = false, has_compiler = false, has_ops = false,
       has_optimizer = false, has_format = false;
  tn_device_vtbl device{};
  tn_kernels_vtbl kernels{};
  tn_compiler_vtbl compiler{};
  tn_ops_vtbl ops{};
  tn_optimizer_vtbl optimizer{};
  tn_format_vtbl format{};
  std::vector<tn_op_def> op_defs;                // what ops.ops points to
  std::vector<tn_optimizer_def> optimizer_defs;  // what optimizer.optimizers points to

  Tables() = default;
  Tables(const Tables&) = delete;  // the tables point into the vectors
  Tables& operator=(const Tables&) = delete;
};

// "0.1.0"
std::string version_text(uint32_t version);

// Throws INCOMPATIBLE, naming both versions, unless this host can serve the interface. While major is 0 the revisions must be
// equal; from 1 on any revision will do. Ids that the host does not know are fine: `known` says so.
void check_interface(std::string_view id, uint32_t major, uint32_t revision, bool* known);
// The same over a whole manifest; throws also if the host knows none of its interfaces, or a CPU feature is missing.
void check_manifest(const Manifest& manifest);
// Throws INCOMPATIBLE naming the feature, also for one whose name says nothing to the host.
void check_cpu_feature(std::string_view name);

// A plugin's answer to the query. Throws INCOMPATIBLE if its frame is too short for the rest to be read, or uses more than the
// host knows.
tn_plugin_info copy_info(const tn_plugin_info* info);
// Throws INCOMPATIBLE for versions, sizes and missing slots (by name).
void copy_tables(const tn_plugin_info& info, Tables& out);

// The kernels of an opened device, in the host's layout. Throws what `list` returns, and INCOMPATIBLE as above.
std::vector<tn_kernel> copy_kernels(const tn_kernels_vtbl& kernels, void* device);

}  // namespace tenon

// A plugin without libtenon: its library, its tables, and calls that let no exception out.
#pragma once
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "check.hpp"
#include "host.hpp"
#include "tenon/plugin/plugin.h"

namespace tenon::conformance {

std::string text_of(tn_str s);
int count_threads();  // of this process

// f() is a call of the plugin's `slot`; what it throws is Wrong.
template <class F>
auto call(const char* slot, F&& f) {
  try {
    return f();
  } catch (const std::exception& e) {
    throw Wrong(std::string("an exception left ") + slot + ": " + e.what(),
                "an error: nothing may be thrown across the boundary");
  } catch (...) {
    throw Wrong(std::string("an exception left ") + slot,
                "an error: nothing may be thrown across the boundary");
  }
}

// The library, opened for the life of the process, and what its query gives.
class Library {
 public:
  explicit Library(const std::string& path);
  const tn_plugin_info* query(uint32_t host_version = TENON_VERSION) const;
  const tn_plugin_info& info() const { return *info_; }
  std::vector<tn_interface> interfaces() const;
  // Null where the plugin has none.
  const void* table(const char* id) const;
  template <class T>
  const T* table(const char* id) const {
    return static_cast<const T*>(table(id));
  }
  const tn_device_vtbl* device() const { return table<tn_device_vtbl>(TN_IFACE_DEVICE); }
  const tn_kernels_vtbl* kernels() const { return table<tn_kernels_vtbl>(TN_IFACE_KERNELS); }
  const tn_compiler_vtbl* compiler() const { return table<tn_compiler_vtbl>(TN_IFACE_COMPILER); }
  const tn_ops_vtbl* ops() const { return table<tn_ops_vtbl>(TN_IFACE_OPS); }
  const tn_optimizer_vtbl* optimizers() const {
    return table<tn_optimizer_vtbl>(TN_IFACE_OPTIMIZER);
  }
  const tn_format_vtbl* format() const { return table<tn_format_vtbl>(TN_IFACE_FORMAT); }

 private:
  tn_plugin_query_fn query_ = nullptr;
  const tn_plugin_info* info_ = nullptr;
};

// Entry k of an array of the plugin's own stride.
template <class T>
const T* entry(const T* entries, uint32_t stride, uint32_t k) {
  return reinterpret_cast<const T*>(reinterpret_cast<const char*>(entries) + size_t{k} * stride);
}

// Throw Wrong unless sizes, strides and tails are as the rules of negotiation ask.
void check_table_sizes(const Library& library);
void check_kernel_sizes(const tn_kernels_vtbl& table, const tn_kernel* list, uint32_t count);

// The plugin, open; closed at the end.
class OpenPlugin {
 public:
  OpenPlugin(const Library& library, SimulatedHost& host);
  ~OpenPlugin();
  OpenPlugin(const OpenPlugin&) = delete;
  OpenPlugin& operator=(const OpenPlugin&) = delete;
  void close();  // and what it throws is Wrong

  const Library& library;
  SimulatedHost& host;
  void* state = nullptr;

 private:
  bool open_ = false;
};

// A device of it, open; closed at the end.
class OpenDevice {
 public:
  OpenDevice(OpenPlugin& plugin, uint32_t index);
  ~OpenDevice();
  OpenDevice(const OpenDevice&) = delete;
  OpenDevice& operator=(const OpenDevice&) = delete;
  bool has_queues() const { return (props.flags & TN_DEVICE_INLINE) == 0; }
  bool host_memory() const { return (props.flags & TN_DEVICE_HOST_MEMORY) != 0; }

  // Fails the check unless `error` is null.
  void ok(const char* slot, tn_error* error) const;

  SimulatedHost& host;
  const tn_device_vtbl* v;
  tn_device_props props{};
  void* handle = nullptr;
};

// One timeline; of an inline device, calls that are done when they return.
class BareQueue {
 public:
  explicit BareQueue(const OpenDevice& device);
  ~BareQueue();
  BareQueue(const BareQueue&) = delete;
  BareQueue& operator=(const BareQueue&) = delete;

  // Gives the value of the command.
  uint64_t upload(uint64_t mem, uint64_t offset, const void* from, uint64_t bytes);
  uint64_t download(void* to, uint64_t mem, uint64_t offset, uint64_t bytes);
  uint64_t wait_for(BareQueue& other, uint64_t value);
  uint64_t enqueue(const char* slot, const std::function<tn_error*()>& command);
  void wait(uint64_t value);
  void wait() { wait(submitted()); }
  uint64_t submitted();
  uint64_t completed();
  uint64_t failed();
  // A command failed: what the host does at tn_host.fail.
  void set_failed(uint64_t value);

  const OpenDevice& device;
  std::unique_ptr<tn_timeline> line = std::make_unique<tn_timeline>();
  void* native = nullptr;
};

// Raw memory of a device.
class BareBlock {
 public:
  BareBlock(const OpenDevice& device, uint64_t bytes);
  ~BareBlock();
  BareBlock(const BareBlock&) = delete;
  BareBlock& operator=(const BareBlock&) = delete;
  uint64_t mem = 0, bytes;

 private:
  const OpenDevice& device_;
};

}  // namespace tenon::conformance

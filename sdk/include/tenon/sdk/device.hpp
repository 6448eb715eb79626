// The table of "tenon.device" made from C++ classes. A backend writes
//
//   struct MyDevice : sdk::Device {
//     static uint32_t count(MyPlugin&);
//     static void props(MyPlugin&, uint32_t index, tn_device_props& out);   // struct_size is already set
//     MyDevice(MyPlugin&, uint32_t index);                                  // sets host
//     uint64_t allocate(uint64_t bytes);                                    // throws Error(TN_OUT_OF_MEMORY, ...)
//     void free(uint64_t mem, uint64_t bytes);
//     uint64_t memory_free();                                               // optional
//     void upload(Q*, uint64_t mem, uint64_t offset, const void* from, uint64_t bytes);
//     void download(Q*, void* to, uint64_t mem, uint64_t offset, uint64_t bytes);
//     uint64_t make_value(Q*, const tn_view& from);                         // of TN_DEVICE_VALUES: instead of allocate and upload
//   };
//
// and, unless it is inline (then Q is void),
//
//   struct MyQueue {
//     MyQueue(MyDevice&, tn_timeline*);
//     Host host;
//     void wait(uint64_t value, uint64_t timeout_ns);      // throws Error(TN_DEADLINE_EXCEEDED, ...)
//     void wait_for(MyQueue& other, const tn_timeline* other_timeline, uint64_t value);   // optional
//     uint64_t native();                                                                  // optional
//   };
//
// Meaning, threads and who calls when: <tenon/plugin/device.h>. Everything but free and the destructors may throw.
#ifndef TENON_SDK_DEVICE_HPP_
#define TENON_SDK_DEVICE_HPP_
#include <tenon/plugin/device.h>

#include <cstring>
#include <type_traits>

#include "guard.hpp"
#include "kernels.hpp"

namespace tenon::sdk {
namespace detail {

// void* of a device is always a Device*, so that kernels find the host without knowing the class.
template <class P, class D, class Q>
struct DeviceSlots {
  static D& device(void* raw) { return *static_cast<D*>(static_cast<Device*>(raw)); }

  static tn_error* TN_CALL count(void* state, uint32_t* out) {
    auto& plugin = *static_cast<P*>(state);
    return guard(plugin.host, [&] { *out = D::count(plugin); });
  }
  static tn_error* TN_CALL props(void* state, uint32_t index, tn_device_props* out) {
    auto& plugin = *static_cast<P*>(state);
    return guard(plugin.host, [&] {
      tn_device_props p{};
      D::props(plugin, index, p);
      p.struct_size = out->struct_size < sizeof p ? out->struct_size : sizeof p;
      std::memcpy(out, &p, p.struct_size);
    });
  }
  static tn_error* TN_CALL open(void* state, uint32_t index, void** out) {
    auto& plugin = *static_cast<P*>(state);
    return guard(plugin.host, [&] { *out = static_cast<Device*>(new D(plugin, index)); });
  }
  static void TN_CALL close(void* raw) { delete &device(raw); }

  static tn_error* TN_CALL allocate(void* raw, uint64_t bytes, uint64_t* out) {
    return guard(device(raw).host, [&] { *out = device(raw).allocate(bytes); });
  }
  static void TN_CALL free(void* raw, uint64_t mem, uint64_t bytes) {
    device(raw).free(mem, bytes);
  }
  static tn_error* TN_CALL memory_free(void* raw, uint64_t* out) {
    return guard(device(raw).host, [&] { *out = device(raw).memory_free(); });
  }
  static tn_error* TN_CALL upload(void* raw, void* queue, uint64_t mem, uint64_t offset,
                                  const void* from, uint64_t bytes) {
    return guard(device(raw).host,
                 [&] { device(raw).upload(static_cast<Q*>(queue), mem, offset, from, bytes); });
  }
  static tn_error* TN_CALL download(void* raw, void* queue, void* to, uint64_t mem, uint64_t offset,
                                    uint64_t bytes) {
    return guard(device(raw).host,
                 [&] { device(raw).download(static_cast<Q*>(queue), to, mem, offset, bytes); });
  }

  static tn_error* TN_CALL make_value(void* raw, void* queue, const tn_view* from, uint64_t* out) {
    return guard(device(raw).host,
                 [&] { *out = device(raw).make_value(static_cast<Q*>(queue), *from); });
  }

  static tn_error* TN_CALL queue_create(void* raw, tn_timeline* timeline, void** out) {
    return guard(device(raw).host, [&] { *out = new Q(device(raw), timeline); });
  }
  static void TN_CALL queue_destroy(void* queue) { delete static_cast<Q*>(queue); }
  static tn_error* TN_CALL queue_wait(void* queue, uint64_t value, uint64_t timeout_ns) {
    auto& q = *static_cast<Q*>(queue);
    return guard(q.host, [&] { q.wait(value, timeout_ns); });
  }
  static tn_error* TN_CALL queue_wait_for(void* queue, void* other, const tn_timeline* timeline,
                                          uint64_t value) {
    auto& q = *static_cast<Q*>(queue);
    return guard(q.host, [&] { q.wait_for(*static_cast<Q*>(other), timeline, value); });
  }
  static tn_error* TN_CALL queue_native(void* queue, uint64_t* out) {
    auto& q = *static_cast<Q*>(queue);
    return guard(q.host, [&] { *out = q.native(); });
  }

  static constexpr tn_device_vtbl table() {
    tn_device_vtbl t{};
    t.struct_size = sizeof t;
    t.count = count;
    t.props = props;
    t.open = open;
    t.close = close;
    if constexpr (requires(D & d) { d.allocate(0); }) t.allocate = allocate;
    t.free = free;
    if constexpr (requires(D & d) { d.memory_free(); }) t.memory_free = memory_free;
    if constexpr (requires(D & d, Q * q) { d.upload(q, 0, 0, nullptr, 0); }) t.upload = upload;
    t.download = download;
    if constexpr (requires(D & d, Q * q, const tn_view& v) { d.make_value(q, v); })
      t.make_value = make_value;
    if constexpr (!std::is_void_v<Q>) {
      t.queue_create = queue_create;
      t.queue_destroy = queue_destroy;
      t.queue_wait = queue_wait;
      if constexpr (requires(Q & q) { q.wait_for(q, nullptr, 0); }) {
        t.queue_wait_for = queue_wait_for;
      }
      if constexpr (requires(Q & q) { q.native(); }) t.queue_native = queue_native;
    }
    return t;
  }
};

}  // namespace detail

// P: the plugin's state class (with a member `host`), D: the device class, Q: the queue class, void on an inline device.
template <class P, class D, class Q = void>
inline constexpr tn_device_vtbl device_table = detail::DeviceSlots<P, D, Q>::table();

}  // namespace tenon::sdk
#endif

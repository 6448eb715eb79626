// The one function that a plugin exports, in one line:
//
//   static constexpr tn_interface kInterfaces[] = {
//       TENON_INTERFACE(DEVICE, sdk::device_table<MyPlugin, MyDevice>),
//       TENON_INTERFACE(KERNELS, sdk::kernels_table<MyDevice>),
//   };
//   TENON_PLUGIN("com.example.mydev", "1.0.0", MyPlugin, kInterfaces)
//
// MyPlugin is constructed from sdk::Host when a runtime opens the plugin and destroyed when it closes it; sdk::Plugin is enough
// where there is nothing to keep. Static linking: compile with -DTN_PLUGIN_STATIC=<id with _ for .>, see <tenon/plugin/entry.h>.
#ifndef TENON_SDK_PLUGIN_HPP_
#define TENON_SDK_PLUGIN_HPP_
#include <tenon/plugin/entry.h>

#include <iterator>

#include "guard.hpp"

namespace tenon::sdk {

// State of a plugin that keeps nothing of its own; also a base class.
struct Plugin {
  explicit Plugin(Host h) : host(h) {}
  Host host;
};

namespace detail {

template <class P>
tn_error* TN_CALL open_plugin(const tn_host* host, void** out_state) {
  return guard(Host(host), [&] {
    if (host->struct_size < sizeof(tn_host)) {
      fail(TN_INCOMPATIBLE, "needs a newer libtenon: it lends ", host->struct_size,
           " bytes of services, this plugin was compiled for ", sizeof(tn_host));
    }
    *out_state = new P(Host(host));
  });
}

template <class P>
void TN_CALL close_plugin(void* state) {
  delete static_cast<P*>(state);
}

template <class P>
constexpr tn_plugin_info plugin_info(std::string_view id, std::string_view version,
                                     const tn_interface* interfaces, size_t count) {
  tn_plugin_info info{};
  info.struct_size = sizeof info;
  info.header_version = TENON_VERSION;
  info.id = str(id);
  info.version = str(version);
  info.interfaces = interfaces;
  info.interface_count = static_cast<uint32_t>(count);
  info.interface_stride = sizeof(tn_interface);
  info.open = open_plugin<P>;
  info.close = close_plugin<P>;
  return info;
}

}  // namespace detail
}  // namespace tenon::sdk

// name: DEVICE, KERNELS, OPS, OPTIMIZER, FORMAT. table: a constant that lives as long as the plugin.
#define TENON_INTERFACE(name, ...)                                                           \
  tn_interface {                                                                             \
    ::tenon::sdk::str(TN_IFACE_##name), TN_IFACE_##name##_MAJOR, TN_IFACE_##name##_REVISION, \
        static_cast<const void*>(&(__VA_ARGS__))                                             \
  }

#define TENON_PLUGIN(id, version, plugin_class, interfaces)                                 \
  extern "C" const tn_plugin_info* TN_CALL TN_PLUGIN_QUERY(uint32_t) {                      \
    static constexpr tn_plugin_info info = ::tenon::sdk::detail::plugin_info<plugin_class>( \
        id, version, interfaces, std::size(interfaces));                                    \
    return &info;                                                                           \
  }                                                                                         \
  static_assert(true)

#endif

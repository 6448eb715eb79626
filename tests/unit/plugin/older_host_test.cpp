// Today's plugins before an older core: the core's side of the handshake, compiled once more as if every interface had revision 0,
// and a host that lends less. What the plugin's author reads must name both sides.
#include <doctest/doctest.h>
#include <tenon/plugin/plugin.h>

#undef TN_IFACE_DEVICE_REVISION
#undef TN_IFACE_FORMAT_REVISION
#undef TN_IFACE_OPS_MAJOR
#define TN_IFACE_DEVICE_REVISION 0u
#define TN_IFACE_FORMAT_REVISION 0u
#define TN_IFACE_OPS_MAJOR 7u    // of a host past 1.0
#include "plugin/negotiate.cpp"  // NOLINT(bugprone-suspicious-include): that is the shim

#include <tenon/sdk/plugin.hpp>

namespace {

// The numbers of the real headers.
constexpr uint32_t kToday = 1;
const tn_device_vtbl kDevice{};
const tn_format_vtbl kFormat{};
const tn_ops_vtbl kOps{};

// What the older core says to a plugin of today with one interface.
std::string said_to(const char* id, uint32_t major, const void* table) {
  const tn_interface interface = {tenon::sdk::str(id), major, kToday, table};
  tn_plugin_info info{};
  info.struct_size = sizeof info;
  info.header_version = TENON_VERSION;
  info.id = tenon::sdk::str("com.example.new");
  info.interfaces = &interface;
  info.interface_count = 1;
  info.interface_stride = sizeof(tn_interface);
  tenon::Tables tables;
  try {
    tenon::copy_tables(info, tables);
  } catch (const tenon::Error& e) {
    CHECK(e.code() == TN_INCOMPATIBLE);
    return std::string(e.message());
  }
  return "accepted";
}

bool contains(const std::string& text, const char* part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("older host: a newer revision is refused with both revisions") {
  for (const auto& [id, table] : {std::pair<const char*, const void*>{"tenon.device", &kDevice},
                                  {"tenon.format", &kFormat}}) {
    const std::string said = said_to(id, 0, table);
    CHECK_MESSAGE(contains(said, "needs a newer host"), said);
    CHECK_MESSAGE(contains(said, (std::string(id) + "/0 revision 1").c_str()), said);
    CHECK_MESSAGE(contains(said, "offers revision 0"), said);
  }
}

TEST_CASE("older host: another major is refused with both") {
  const std::string said = said_to("tenon.ops", 0, &kOps);
  CHECK_MESSAGE(contains(said, "tenon.ops/0"), said);
  CHECK_MESSAGE(contains(said, "7"), said);
}

TEST_CASE("older host: a host that lends fewer services is refused by the plugin") {
  tn_host host{};
  host.struct_size = offsetof(tn_host, fail);
  host.error = [](const tn_host*, tn_code code, tn_str message) {
    return tenon::error_make(code, std::string(message.data, message.size));
  };
  void* state = nullptr;
  const tenon::Error refusal(tenon::sdk::detail::open_plugin<tenon::sdk::Plugin>(&host, &state));
  const std::string said = refusal.message();
  CHECK(refusal.code() == TN_INCOMPATIBLE);
  CHECK_MESSAGE(contains(said, "needs a newer libtenon"), said);
  CHECK_MESSAGE(contains(said, std::to_string(host.struct_size).c_str()), said);
  CHECK_MESSAGE(contains(said, std::to_string(sizeof(tn_host)).c_str()), said);
  CHECK(state == nullptr);
}

TEST_CASE("older host: tables that end early or say too much") {
  // The larger table of a newer header is fine while what is new in it is zero.
  struct Newer {
    tn_optimizer_vtbl known;
    uint64_t more;
  };
  Newer table{{sizeof(Newer), sizeof(tn_optimizer_def), 0, 0, nullptr}, 0};
  CHECK(said_to("tenon.optimizer", 0, &table) == "accepted");
  table.more = 1;
  std::string said = said_to("tenon.optimizer", 0, &table);
  CHECK_MESSAGE(contains(said, "needs a newer host"), said);
  CHECK_MESSAGE(contains(said, std::to_string(sizeof(Newer)).c_str()), said);
  CHECK_MESSAGE(contains(said, std::to_string(sizeof(tn_optimizer_vtbl)).c_str()), said);
  table.known.struct_size = 8;
  said = said_to("tenon.optimizer", 0, &table);
  CHECK_MESSAGE(contains(said, "needs at least"), said);
}

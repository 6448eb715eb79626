// The query and the versions: against this host, an older one and a newer one.
#include <malloc.h>

#include <algorithm>
#include <cstring>

#include "plugin.hpp"

namespace tenon::conformance {
namespace {

// Up to and with the last slot of the first published form: what a host insists on.
#define TN_FLOOR(type, last) (offsetof(type, last) + sizeof(type::last))

struct Interface {
  const char* id;
  uint32_t major, revision;
  size_t floor, size;
};
constexpr Interface kInterfaces[] = {
    {TN_IFACE_DEVICE, TN_IFACE_DEVICE_MAJOR, TN_IFACE_DEVICE_REVISION,
     TN_FLOOR(tn_device_vtbl, queue_native), sizeof(tn_device_vtbl)},
    {TN_IFACE_KERNELS, TN_IFACE_KERNELS_MAJOR, TN_IFACE_KERNELS_REVISION,
     TN_FLOOR(tn_kernels_vtbl, list), sizeof(tn_kernels_vtbl)},
    {TN_IFACE_COMPILER, TN_IFACE_COMPILER_MAJOR, TN_IFACE_COMPILER_REVISION,
     TN_FLOOR(tn_compiler_vtbl, load), sizeof(tn_compiler_vtbl)},
    {TN_IFACE_OPS, TN_IFACE_OPS_MAJOR, TN_IFACE_OPS_REVISION, TN_FLOOR(tn_ops_vtbl, ops),
     sizeof(tn_ops_vtbl)},
    {TN_IFACE_OPTIMIZER, TN_IFACE_OPTIMIZER_MAJOR, TN_IFACE_OPTIMIZER_REVISION,
     TN_FLOOR(tn_optimizer_vtbl, optimizers), sizeof(tn_optimizer_vtbl)},
    {TN_IFACE_FORMAT, TN_IFACE_FORMAT_MAJOR, TN_IFACE_FORMAT_REVISION,
     TN_FLOOR(tn_format_vtbl, save), sizeof(tn_format_vtbl)},
};

const Interface* known(const std::string& id) {
  const auto* found = std::find_if(std::begin(kInterfaces), std::end(kInterfaces),
                                   [&](const Interface& i) { return id == i.id; });
  return found == std::end(kInterfaces) ? nullptr : found;
}

// A table or entry: at least the floor, and zeros behind what this host knows.
void check_size(const std::string& what, const void* at, size_t floor, size_t size) {
  expect(at != nullptr, what + " is NULL", "a table");
  uint32_t said = 0;
  std::memcpy(&said, at, sizeof said);
  expect(said >= floor, what + " says it has " + std::to_string(said) + " bytes",
         "at least " + std::to_string(floor));
  expect(said <= 65536, what + " says it has " + std::to_string(said) + " bytes",
         "its sizeof, " + std::to_string(size));
  const auto* bytes = static_cast<const unsigned char*>(at);
  for (size_t k = size; k < said; ++k)
    expect(
        bytes[k] == 0,
        what + " uses " + std::to_string(said) + " bytes, this host knows " + std::to_string(size),
        "zeros beyond, so that an older host can take it");
}

void check_entries(const std::string& what, const void* entries, uint32_t count, uint32_t stride,
                   size_t floor, size_t size) {
  expect(count == 0 || entries != nullptr, what + ": an array at NULL", "its entries");
  expect(count <= 100000, what + ": " + std::to_string(count) + " entries", "at most 100,000");
  expect(count == 0 || (stride >= floor && stride <= 65536 && stride % 8 == 0),
         what + ": entries are " + std::to_string(stride) + " bytes apart",
         "the sizeof of an entry, " + std::to_string(size));
  for (uint32_t k = 0; k < count; ++k) {
    const auto* at = static_cast<const unsigned char*>(entries) + size_t{k} * stride;
    check_size(what + " entry " + std::to_string(k), at, floor, size);
    uint32_t said = 0;
    std::memcpy(&said, at, sizeof said);
    expect(said <= stride,
           what + " entry " + std::to_string(k) + " has " + std::to_string(said) +
               " bytes in a stride of " + std::to_string(stride),
           "a struct_size within the stride");
  }
}

void check_tables(const Profile& p, Reporter&) { check_table_sizes(Library(p.path)); }

void check_versions(const Profile& p, Reporter&) {
  const Library library(p.path);
  const uint32_t header = library.info().header_version;
  expect(header != 0 && header <= TENON_VERSION, "header_version " + std::to_string(header),
         "TENON_VERSION of the headers it was compiled with, at most " +
             std::to_string(TENON_VERSION));
  bool any = false;
  for (const tn_interface& i : library.interfaces()) {
    const Interface* k = known(text_of(i.id));
    if (!k) continue;
    any = true;
    const bool fits = i.major == k->major && (k->major > 0 || i.revision == k->revision);
    const auto text = [](uint32_t major, uint32_t revision) {
      return std::to_string(major) + " revision " + std::to_string(revision);
    };
    expect(fits, text_of(i.id) + "/" + text(i.major, i.revision),
           "/" + text(k->major, k->revision) + ", which this host has");
  }
  expect(any, "no interface that this host knows", "at least one tenon. interface");
}

void check_id(const Profile& p, Reporter&) {
  const Library library(p.path);
  const std::string id = text_of(library.info().id);
  const bool letters = std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  });
  expect(letters && id.find('.') != std::string::npos && id.front() != '.' && id.back() != '.',
         "the id \"" + id + "\"", "a reverse-DNS name such as org.example.name");
  expect(!text_of(library.info().version).empty(), "no version", "the plugin's version");
}

template <class... Slots>
void require(const std::string& table, const char* names, Slots... slots) {
  const std::string all = names;
  size_t from = 0;
  const auto take = [&](bool there) {
    const size_t end = std::min(all.find(',', from), all.size());
    const std::string slot = all.substr(from, end - from);
    expect(there, table + ": the slot " + slot.substr(slot.find("->") + 2) + " is NULL",
           "a function: it is required");
    from = std::min(end + 2, all.size());
  };
  (take(slots != nullptr), ...);
}
#define TN_REQUIRE(table, ...) require(table, #__VA_ARGS__, __VA_ARGS__)

void check_slots(const Profile& p, Reporter&) {
  const Library library(p.path);
  check_table_sizes(library);
  if (const auto* d = library.device()) {
    TN_REQUIRE("tenon.device", d->count, d->props, d->open, d->close, d->allocate, d->free,
               d->upload, d->download);
    if (d->queue_create || d->queue_destroy || d->queue_wait)
      TN_REQUIRE("tenon.device", d->queue_create, d->queue_destroy, d->queue_wait);
  }
  if (const auto* k = library.kernels()) {
    TN_REQUIRE("tenon.kernels", k->list);
    expect(library.device() != nullptr, "tenon.kernels without tenon.device", "both");
  }
  if (const auto* c = library.compiler()) {
    TN_REQUIRE("tenon.compiler", c->claim, c->compile);
    if (c->compatibility || c->save || c->load)
      TN_REQUIRE("tenon.compiler", c->compatibility, c->save, c->load);
    expect(library.device() != nullptr, "tenon.compiler without tenon.device", "both");
  }
  if (const auto* o = library.ops())
    for (uint32_t k = 0; k < o->op_count; ++k) {
      const tn_op_def* op = entry<tn_op_def>(o->ops, o->op_stride, k);
      TN_REQUIRE("tenon.ops " + text_of(op->name), op->infer);
    }
  if (const auto* o = library.optimizers())
    for (uint32_t k = 0; k < o->optimizer_count; ++k) {
      const auto* def = entry<tn_optimizer_def>(o->optimizers, o->optimizer_stride, k);
      TN_REQUIRE("tenon.optimizer " + text_of(def->name), def->update);
    }
  if (const auto* f = library.format())
    TN_REQUIRE("tenon.format", f->probe, f->open, f->close, f->tensor_count, f->tensor,
               f->metadata_count, f->metadata, f->data);
}

// Tables may be built once; afterwards nothing may change, whoever asks.
std::string image_of(const Library& library) {
  const tn_plugin_info& i = library.info();
  std::string all(reinterpret_cast<const char*>(&i), sizeof i);
  for (const tn_interface& each : library.interfaces()) {
    all.append(reinterpret_cast<const char*>(&each), sizeof each);
    uint32_t size = 0;
    if (each.table) std::memcpy(&size, each.table, sizeof size);
    if (each.table && size <= 65536) all.append(static_cast<const char*>(each.table), size);
  }
  return all;
}

void check_constant(const Profile& p, Reporter&) {
  const Library library(p.path);
  const std::string before = image_of(library);
  const auto same = [&](const char* when, uint32_t version) {
    expect(library.query(version) == &library.info(), std::string("another pointer ") + when,
           "the same constant data at every call");
    expect(image_of(library) == before, std::string("other bytes ") + when,
           "the same constant data at every call");
  };
  same("at the second call", TENON_VERSION);
  same("for an older host", TN_VERSION_MAKE(0, 0, 1));
  same("for a newer host", TN_VERSION_MAKE(9, 0, 0));
  SimulatedHost host;
  {
    OpenPlugin plugin(library, host);
    same("while it is open", TENON_VERSION);
  }
  same("after it was closed", TENON_VERSION);
}

void check_pure(const Profile& p, Reporter&) {
  const Library library(p.path);  // the library's own start is over
  const int before = count_threads();
  const auto bytes = mallinfo2().uordblks;
  for (int k = 0; k < 50; ++k) library.query();
  const auto after = mallinfo2().uordblks;
  expect(after == bytes, std::to_string(after - bytes) + " bytes allocated by tn_plugin_query",
         "constant data: no allocation before open");
  expect(count_threads() == before,
         std::to_string(count_threads() - before) + " threads started by it", "none before open");
}

// The table of a host that had fewer services. A page nobody may touch lies behind it.
void check_older_host(const Profile& p, Reporter&) {
  const Library library(p.path);
  for (const uint32_t missing : {1u, 2u}) {
    HostOptions options;
    options.version = TN_VERSION_MAKE(0, 0, 1);
    options.struct_size = static_cast<uint32_t>(sizeof(tn_host) - missing * sizeof(void*));
    SimulatedHost host(options);
    void* state = nullptr;
    const auto result =
        host.take(call("open", [&] { return library.info().open(host.get(), &state); }));
    if (result.code == TN_OK) {
      call("close", [&] { library.info().close(state); });
      continue;
    }
    expect(result.code == TN_INCOMPATIBLE,
           std::string("a host of ") + std::to_string(options.struct_size) + " bytes gets " +
               tn_code_name(result.code) + ": " + result.message,
           "INCOMPATIBLE, or that it works without the services that are missing");
    expect(!result.message.empty(), "INCOMPATIBLE without a message", "what is missing");
  }
}

void check_newer_host(const Profile& p, Reporter&) {
  const Library library(p.path);
  HostOptions options;
  options.version = TN_VERSION_MAKE(9, 0, 0);
  options.struct_size = static_cast<uint32_t>(sizeof(tn_host) + 8 * sizeof(void*));
  SimulatedHost host(options);
  OpenPlugin plugin(library, host);
  plugin.close();
}

constexpr const char* kStamp =
    "stamp sizes and strides with sizeof of the headers, as tenon/sdk/plugin.hpp does";

}  // namespace

void check_table_sizes(const Library& library) {
  check_size("tn_plugin_info", &library.info(), TN_FLOOR(tn_plugin_info, close),
             sizeof(tn_plugin_info));
  for (const tn_interface& i : library.interfaces())
    if (const Interface* k = known(text_of(i.id))) check_size(k->id, i.table, k->floor, k->size);
  if (const auto* o = library.ops())
    check_entries("tenon.ops", o->ops, o->op_count, o->op_stride,
                  TN_FLOOR(tn_op_def, why_not_differentiable), sizeof(tn_op_def));
  if (const auto* o = library.optimizers())
    check_entries("tenon.optimizer", o->optimizers, o->optimizer_count, o->optimizer_stride,
                  TN_FLOOR(tn_optimizer_def, fused_op), sizeof(tn_optimizer_def));
}

void check_kernel_sizes(const tn_kernels_vtbl& table, const tn_kernel* list, uint32_t count) {
  check_entries("tenon.kernels", list, count, table.kernel_stride, TN_FLOOR(tn_kernel, prepare),
                sizeof(tn_kernel));
}

const std::vector<Check> kNegotiationChecks = {
    {"negotiate.tables", 0, Kind::all, "struct_size of every table and entry, strides, zero tails",
     kStamp, check_tables},
    {"negotiate.versions", 0, Kind::all, "header version, majors and revisions fit this host",
     "compile it with the headers of this release", check_versions},
    {"negotiate.id", 0, Kind::all, "a reverse-DNS id and a version",
     "TENON_PLUGIN(\"com.example.name\", \"1.0.0\", ...)", check_id},
    {"negotiate.slots", 0, Kind::all, "every required slot is there", "fill the slot", check_slots},
    {"negotiate.constant", 0, Kind::all, "the query gives the same bytes always",
     "let tn_plugin_query return constant data", check_constant},
    {"negotiate.pure", 0, Kind::all, "the query allocates nothing and starts no thread",
     "do such work in open", check_pure},
    {"negotiate.older_host", 0, Kind::all, "a host with fewer services is served or refused",
     "look at host->struct_size before a service is used; sdk::Plugin does", check_older_host},
    {"negotiate.newer_host", 0, Kind::all, "a newer and larger host is served",
     "compare host->struct_size with <, never with !=; leave versions to the host",
     check_newer_host},
};

}  // namespace tenon::conformance

#include "plugin/negotiate.hpp"

#include <algorithm>
#include <cstring>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/error.hpp"

namespace tenon {
namespace {

constexpr uint32_t kSizeLimit = 1 << 16;    // of one table or entry
constexpr uint32_t kCountLimit = 100000;    // of entries of an array
constexpr uint32_t kInterfaceLimit = 1000;  // of interfaces of a plugin

// The size of a struct up to and with its last slot at the time it was first published: growth does not move it.
#define TN_FLOOR(type, last) (offsetof(type, last) + sizeof(type::last))

struct Known {
  const char* id;
  uint32_t major, revision;
};
constexpr Known kKnown[] = {
    {TN_IFACE_DEVICE, TN_IFACE_DEVICE_MAJOR, TN_IFACE_DEVICE_REVISION},
    {TN_IFACE_KERNELS, TN_IFACE_KERNELS_MAJOR, TN_IFACE_KERNELS_REVISION},
    {TN_IFACE_COMPILER, TN_IFACE_COMPILER_MAJOR, TN_IFACE_COMPILER_REVISION},
    {TN_IFACE_OPS, TN_IFACE_OPS_MAJOR, TN_IFACE_OPS_REVISION},
    {TN_IFACE_OPTIMIZER, TN_IFACE_OPTIMIZER_MAJOR, TN_IFACE_OPTIMIZER_REVISION},
    {TN_IFACE_FORMAT, TN_IFACE_FORMAT_MAJOR, TN_IFACE_FORMAT_REVISION},
};

std::string_view view(tn_str s) {
  return s.data ? std::string_view(s.data, s.size) : std::string_view();
}
std::string host_text() { return fmt::format("this libtenon ({})", version_text(TENON_VERSION)); }

// Copies what both sides know; the rest of the copy is zero. Throws INCOMPATIBLE unless `from` has at least `floor` bytes and
// nothing but zeros beyond what the host knows. `room` bounds what may be read where `from` is an entry of an array.
void copy_sized(void* to, uint32_t known, const void* from, size_t floor, std::string_view what,
                size_t room) {
  uint32_t size = 0;
  std::memcpy(&size, from, sizeof size);
  if (size < floor) {
    fail(TN_INCOMPATIBLE, "{} has {} bytes, {} needs at least {}", what, size, host_text(), floor);
  }
  if (size > room)
    fail(TN_INCOMPATIBLE, "{} says it has {} bytes, more than the {} that it can have", what, size,
         room);
  std::memset(to, 0, known);
  std::memcpy(to, from, std::min(size, known));
  std::memcpy(to, &known, sizeof known);  // every such struct begins with its size
  for (size_t i = known; i < size; ++i) {
    if (static_cast<const unsigned char*>(from)[i]) {
      fail(TN_INCOMPATIBLE, "needs a newer host: {} uses {} bytes, {} knows {}", what, size,
           host_text(), known);
    }
  }
}
template <class T>
T copy_sized(const void* from, size_t floor, std::string_view what) {
  static_assert(std::is_trivially_copyable_v<T> && offsetof(T, struct_size) == 0);
  T copy;
  copy_sized(&copy, sizeof copy, from, floor, what, kSizeLimit);
  return copy;
}

// The entries of an array, one by one in the plugin's stride.
void check_array(const void* entries, uint32_t count, uint32_t stride, size_t floor,
                 std::string_view what) {
  if (count > kCountLimit || (count && !entries))
    fail(TN_INCOMPATIBLE, "{}: an array of {} entries at nowhere", what, count);
  if (count && (stride < floor || stride > kSizeLimit || stride % alignof(void*))) {
    fail(TN_INCOMPATIBLE, "{}: entries are {} bytes apart, {} needs at least {}", what, stride,
         host_text(), floor);
  }
}
template <class T>
std::vector<T> copy_array(const void* entries, uint32_t count, uint32_t stride, size_t floor,
                          std::string_view what) {
  static_assert(alignof(T) == alignof(void*) && offsetof(T, struct_size) == 0);
  check_array(entries, count, stride, floor, what);
  std::vector<T> list(count);
  for (uint32_t i = 0; i < count; ++i)
    copy_sized(&list[i], sizeof(T), static_cast<const char*>(entries) + size_t{i} * stride, floor,
               fmt::format("{}: entry {}", what, i), stride);
  return list;
}

// Fails with the name of the first slot that is empty; `names` is how they stand in the source, "t.open, t.close".
void require(std::string_view table, std::string_view names, std::initializer_list<bool> there) {
  for (const bool one : there) {
    const std::string_view name = names.substr(0, names.find(','));
    if (!one)
      fail(TN_INCOMPATIBLE, "{}: the required slot {} is empty", table,
           name.substr(name.find('.') + 1));
    names.remove_prefix(std::min(names.size(), name.size() + 1));
  }
}
template <class... Slots>
void require_all(std::string_view table, std::string_view names, Slots... slots) {
  require(table, names, {slots != nullptr...});
}
#define TN_REQUIRE(table, ...) require_all(table, #__VA_ARGS__, __VA_ARGS__)

// What stands in an optional slot that a plugin left out.
template <size_t N>
struct Name {
  char text[N];
  // NOLINTNEXTLINE(google-explicit-constructor): a string stands for it
  constexpr Name(const char (&from)[N]) { std::copy_n(from, N, text); }
};
template <Name slot, class Function>
struct Absent;
template <Name slot, class... Args>
struct Absent<slot, tn_error*(TN_CALL*)(Args...)> {
  static tn_error* TN_CALL call(Args...) {
    return guard(
        [] { fail(TN_UNIMPLEMENTED, "the plugin leaves out the optional slot {}", slot.text); });
  }
};
template <Name slot, class... Args>
struct Absent<slot, void(TN_CALL*)(Args...)> {
  static void TN_CALL call(Args...) {}
};
#define TN_FILL(table, owner, slot) \
  if (!(owner).slot) (owner).slot = Absent<table "." #slot, decltype((owner).slot)>::call

tn_device_vtbl copy_device(const void* table) {
  auto t =
      copy_sized<tn_device_vtbl>(table, TN_FLOOR(tn_device_vtbl, queue_native), TN_IFACE_DEVICE);
  TN_REQUIRE(TN_IFACE_DEVICE, t.count, t.props, t.open, t.close, t.free, t.download);
  if (!t.make_value) TN_REQUIRE(TN_IFACE_DEVICE, t.allocate, t.upload);
  if (t.queue_create) {  // only an inline device has no queues; half of them is a mistake
    TN_REQUIRE(TN_IFACE_DEVICE, t.queue_destroy, t.queue_wait);
  }
  TN_FILL(TN_IFACE_DEVICE, t, memory_free);
  TN_FILL(TN_IFACE_DEVICE, t, queue_create);
  TN_FILL(TN_IFACE_DEVICE, t, queue_destroy);
  TN_FILL(TN_IFACE_DEVICE, t, queue_wait);
  TN_FILL(TN_IFACE_DEVICE, t, queue_wait_for);
  TN_FILL(TN_IFACE_DEVICE, t, queue_native);
  return t;
}

tn_kernels_vtbl copy_kernel_table(const void* table) {
  auto t = copy_sized<tn_kernels_vtbl>(table, TN_FLOOR(tn_kernels_vtbl, list), TN_IFACE_KERNELS);
  TN_REQUIRE(TN_IFACE_KERNELS, t.list);
  return t;
}

tn_compiler_vtbl copy_compiler(const void* table) {
  auto t = copy_sized<tn_compiler_vtbl>(table, TN_FLOOR(tn_compiler_vtbl, load), TN_IFACE_COMPILER);
  TN_REQUIRE(TN_IFACE_COMPILER, t.claim, t.compile);
  if (t.compatibility || t.save || t.load)
    TN_REQUIRE(TN_IFACE_COMPILER, t.compatibility, t.save, t.load);
  return t;
}

void copy_ops(const void* table, Tables& out) {
  auto t = copy_sized<tn_ops_vtbl>(table, TN_FLOOR(tn_ops_vtbl, ops), TN_IFACE_OPS);
  out.op_defs = copy_array<tn_op_def>(t.ops, t.op_count, t.op_stride,
                                      TN_FLOOR(tn_op_def, why_not_differentiable), TN_IFACE_OPS);
  for (const tn_op_def& op : out.op_defs) {
    if (view(op.name).empty()) fail(TN_INCOMPATIBLE, "{}: an op without a name", TN_IFACE_OPS);
    const std::string what = fmt::format("{}: {}", TN_IFACE_OPS, view(op.name));
    TN_REQUIRE(what, op.infer);
    if (op.n_params) TN_REQUIRE(what, op.params);
    if (op.n_attrs) TN_REQUIRE(what, op.attrs);
    if (op.n_params > kCountLimit || op.n_attrs > kCountLimit) {
      fail(TN_INCOMPATIBLE, "{}: {} parameters and {} attributes", what, op.n_params, op.n_attrs);
    }
  }
  t.ops = out.op_defs.data();
  t.op_stride = sizeof(tn_op_def);
  out.ops = t;
}

void copy_optimizers(const void* table, Tables& out) {
  auto t = copy_sized<tn_optimizer_vtbl>(table, TN_FLOOR(tn_optimizer_vtbl, optimizers),
                                         TN_IFACE_OPTIMIZER);
  out.optimizer_defs =
      copy_array<tn_optimizer_def>(t.optimizers, t.optimizer_count, t.optimizer_stride,
                                   TN_FLOOR(tn_optimizer_def, fused_op), TN_IFACE_OPTIMIZER);
  for (const tn_optimizer_def& o : out.optimizer_defs) {
    if (view(o.name).empty())
      fail(TN_INCOMPATIBLE, "{}: an optimizer without a name", TN_IFACE_OPTIMIZER);
    const std::string what = fmt::format("{}: {}", TN_IFACE_OPTIMIZER, view(o.name));
    TN_REQUIRE(what, o.update);
    if (o.n_hypers) TN_REQUIRE(what, o.hypers);
    if (o.n_slots) TN_REQUIRE(what, o.slots);
  }
  t.optimizers = out.optimizer_defs.data();
  t.optimizer_stride = sizeof(tn_optimizer_def);
  out.optimizer = t;
}

tn_format_vtbl copy_format(const void* table) {
  auto t = copy_sized<tn_format_vtbl>(table, TN_FLOOR(tn_format_vtbl, save), TN_IFACE_FORMAT);
  if (view(t.name).empty()) fail(TN_INCOMPATIBLE, "{}: the format has no name", TN_IFACE_FORMAT);
  TN_REQUIRE(TN_IFACE_FORMAT, t.probe, t.open, t.close, t.tensor_count, t.tensor, t.metadata_count,
             t.metadata, t.data);
  TN_FILL(TN_IFACE_FORMAT, t, save);
  return t;
}

[[noreturn]] void knows_nothing(std::string_view first) {
  fail(TN_INCOMPATIBLE, "needs a newer host: it offers nothing that {} knows, but {}", host_text(),
       first);
}

}  // namespace

std::string version_text(uint32_t version) {
  return fmt::format("{}.{}.{}", version >> 22, (version >> 12) & 0x3ff, version & 0xfff);
}

void check_interface(std::string_view id, uint32_t major, uint32_t revision, bool* known) {
  const auto* host = std::find_if(std::begin(kKnown), std::end(kKnown),
                                  [&](const Known& k) { return id == k.id; });
  *known = host != std::end(kKnown);
  if (!*known) return;
  if (major == host->major && (major > 0 || revision == host->revision)) return;
  const bool newer = major > host->major || (major == host->major && revision > host->revision);
  fail(TN_INCOMPATIBLE, "{}: {}/{} revision {}, {} offers {}revision {}",
       newer ? "needs a newer host" : "was built for an older host and must be rebuilt", id, major,
       revision, host_text(), major == host->major ? "" : fmt::format("{}/{} ", id, host->major),
       host->revision);
}

void check_manifest(const Manifest& manifest) {
  bool any = false;
  for (const InterfaceVersion& i : manifest.interfaces) {
    bool known = false;
    check_interface(i.id, i.major, i.revision, &known);
    any = any || known;
  }
  if (!any) knows_nothing(manifest.interfaces.front().id);
  for (const std::string& feature : manifest.cpu_features) check_cpu_feature(feature);
}

void check_cpu_feature(std::string_view name) {
#if defined(__x86_64__) || defined(__i386__)
  // A bit of cpuid and the states that the system must keep for it: 6 for AVX, e6 for AVX-512 (Intel's manual, volume 1, 14.3 and
  // 15.2). libgcc's __builtin_cpu_supports weighs ten times as much.
  constexpr struct {
    const char* name;
    uint8_t word, bit, states;
  } kFeatures[] = {{"sse4.1", 0, 19, 0},      {"sse4.2", 0, 20, 0},       {"popcnt", 0, 23, 0},
                   {"avx", 0, 28, 6},         {"fma", 0, 12, 6},          {"bmi", 1, 3, 0},
                   {"avx2", 1, 5, 6},         {"bmi2", 1, 8, 0},          {"avx512f", 1, 16, 0xe6},
                   {"avx512dq", 1, 17, 0xe6}, {"avx512cd", 1, 28, 0xe6},  {"avx512bw", 1, 30, 0xe6},
                   {"avx512vl", 1, 31, 0xe6}, {"avx512vnni", 2, 11, 0xe6}};
  uint32_t words[3] = {}, unused = 0, states = 0;
  __get_cpuid(1, &unused, &unused, &words[0], &unused);
  __get_cpuid_count(7, 0, &unused, &words[1], &words[2], &unused);
  if (words[0] >> 27 & 1) asm("xgetbv" : "=a"(states), "=d"(unused) : "c"(0));
  for (const auto& f : kFeatures) {
    if (name != f.name) continue;
    if (words[f.word] >> f.bit & 1 && (states & f.states) == f.states) return;
    fail(TN_INCOMPATIBLE, "needs a CPU with {}, which this one lacks", name);
  }
#elif defined(__aarch64__)
  if (name == "asimd") return;  // part of the architecture
#endif
  fail(TN_INCOMPATIBLE, "needs the CPU feature {}, of which {} cannot tell whether it is there",
       name, host_text());
}

tn_plugin_info copy_info(const tn_plugin_info* info) {
  if (!info) fail(TN_INVALID_ARGUMENT, "tn_plugin_query returned nothing");
  const auto copy =
      copy_sized<tn_plugin_info>(info, TN_FLOOR(tn_plugin_info, close), "tn_plugin_info");
  TN_REQUIRE("tn_plugin_info", copy.open, copy.close);
  if (!valid_plugin_id(view(copy.id))) {
    fail(TN_INVALID_ARGUMENT, "its id \"{}\" is no reverse-DNS name such as org.example.name",
         view(copy.id));
  }
  if (!copy.interfaces || copy.interface_count == 0 || copy.interface_count > kInterfaceLimit) {
    fail(TN_INVALID_ARGUMENT, "it offers no interfaces");
  }
  if (copy.interface_stride < sizeof(tn_interface) || copy.interface_stride > kSizeLimit) {
    fail(TN_INCOMPATIBLE, "its interfaces are {} bytes apart, {} needs at least {}",
         copy.interface_stride, host_text(), sizeof(tn_interface));
  }
  return copy;
}

namespace {
tn_interface interface_at(const tn_plugin_info& info, uint32_t i) {
  tn_interface it{};
  std::memcpy(&it,
              reinterpret_cast<const char*>(info.interfaces) + size_t{i} * info.interface_stride,
              sizeof it);
  return it;
}
}  // namespace

void copy_tables(const tn_plugin_info& info, Tables& out) {
  bool any = false;
  for (uint32_t i = 0; i < info.interface_count; ++i) {
    const tn_interface it = interface_at(info, i);
    for (uint32_t k = 0; k < i; ++k) {
      const tn_interface other = interface_at(info, k);
      if (view(other.id) == view(it.id) && other.major == it.major)
        fail(TN_INCOMPATIBLE, "offers {}/{} twice", view(it.id), it.major);
    }
    bool known = false;
    const std::string_view id = view(it.id);
    check_interface(id, it.major, it.revision, &known);
    if (!known) continue;
    any = true;
    TN_REQUIRE(id, it.table);
    if (id == TN_IFACE_DEVICE) out.device = copy_device(it.table), out.has_device = true;
    if (id == TN_IFACE_KERNELS) out.kernels = copy_kernel_table(it.table), out.has_kernels = true;
    if (id == TN_IFACE_COMPILER) out.compiler = copy_compiler(it.table), out.has_compiler = true;
    if (id == TN_IFACE_OPS) copy_ops(it.table, out), out.has_ops = true;
    if (id == TN_IFACE_OPTIMIZER) copy_optimizers(it.table, out), out.has_optimizer = true;
    if (id == TN_IFACE_FORMAT) out.format = copy_format(it.table), out.has_format = true;
  }
  if (!any) knows_nothing(view(info.interfaces[0].id));
  if ((out.has_kernels || out.has_compiler) && !out.has_device)
    fail(TN_INCOMPATIBLE, "offers {} without {}",
         out.has_kernels ? TN_IFACE_KERNELS : TN_IFACE_COMPILER, TN_IFACE_DEVICE);
}

std::vector<tn_kernel> copy_kernels(const tn_kernels_vtbl& kernels, void* device) {
  const tn_kernel* list = nullptr;
  uint32_t count = 0;
  check(kernels.list(device, &list, &count));
  auto copies = copy_array<tn_kernel>(list, count, kernels.kernel_stride,
                                      TN_FLOOR(tn_kernel, prepare), TN_IFACE_KERNELS);
  for (const tn_kernel& k : copies) {
    if (view(k.op).empty())
      fail(TN_INCOMPATIBLE, "{}: the kernel \"{}\" names no op", TN_IFACE_KERNELS, view(k.name));
    if (k.prepare) continue;
    const std::string what = fmt::format("{}: {} ({})", TN_IFACE_KERNELS, view(k.name), view(k.op));
    TN_REQUIRE(what, k.prepare);
  }
  return copies;
}

}  // namespace tenon

#include "compiled.hpp"

#include "base/error.hpp"
#include "compiled_files.hpp"
#include "op/runtime.hpp"
#include "plugin/sha256.hpp"
#include "tenon/plugin/compiler.h"

namespace tenon {
namespace {

constexpr uint64_t kMostWorkspace = uint64_t{1} << 46;

// What profiles call it: in place or not.
constexpr tn_kernel named(uint32_t flags) {
  tn_kernel k{};
  k.struct_size = sizeof k;
  k.flags = flags | TN_KERNEL_IMMEDIATES | TN_KERNEL_REENTRANT;
  k.op = k.name = {"compiled", 8};
  return k;
}
constexpr tn_kernel kKernels[] = {named(0), named(TN_KERNEL_INPLACE)};

class Compiling {
 public:
  Compiling(const PassContext& c, const std::string& blob) : device_(*c.device), blob_(blob) {
    request_.struct_size = sizeof request_;
    request_.flags = c.modes;
    request_.graph = blob.data();
    request_.graph_bytes = blob.size();
  }

  PlanEntry* from(const std::string& bytes) {
    tn_compiled made = empty();
    check(call_plugin("load", [&] {
      return compiler().load(device_.handle, &request_, bytes.data(), bytes.size(), &made);
    }));
    return take(made, nullptr);
  }
  PlanEntry* anew(std::string* why) {
    tn_compiled made = empty();
    check(call_plugin("compile",
                      [&] { return compiler().compile(device_.handle, &request_, &made); }));
    return take(made, why);
  }
  std::string form(const PlanEntry& plan) {
    std::string bytes;
    const tn_compiled_sink sink{[](void* user, const void* more, uint64_t count) {
                                  return guard([&] {
                                    static_cast<std::string*>(user)->append(
                                        static_cast<const char*>(more), count);
                                  });
                                },
                                &bytes};
    check(call_plugin("save",
                      [&] { return compiler().save(device_.handle, plan.plan.data, &sink); }));
    return bytes;
  }

 private:
  const tn_compiler_vtbl& compiler() const { return *device_.compiler; }
  static tn_compiled empty() {
    tn_compiled c{};
    c.struct_size = sizeof c;
    return c;
  }
  PlanEntry* take(const tn_compiled& made, std::string* why) const {
    auto plan = std::make_unique<PlanEntry>();
    plan->plan.data = made.data;
    plan->plan.release = made.release;
    if (made.declined.size) {
      if (why) *why = view_of(made.declined);
      return nullptr;
    }
    if (device_.holds_values() ? !made.execute : !made.run)
      fail(TN_INTERNAL, "{}: compile gave no function", TN_IFACE_COMPILER);
    if (made.workspace_bytes > kMostWorkspace)
      fail(TN_INTERNAL, "{}: a compiled graph asks for a workspace of {} bytes", TN_IFACE_COMPILER,
           made.workspace_bytes);
    plan->plan.run = made.run;
    plan->execute = made.execute;
    plan->plan.workspace_bytes = made.workspace_bytes;
    plan->kernel = &kKernels[made.flags & TN_COMPILED_INPLACE];
    return plan.release();
  }

  tn_device& device_;
  const std::string& blob_;
  tn_compile_request request_{};
};

// What goes wrong with files costs time, never a result: it is told in the log.
template <class Body>
void or_told(const PassContext& c, const char* what, Body&& body) {
  try {
    body();
  } catch (const Error& e) {
    if (e.code() == TN_UNIMPLEMENTED) return;
    log(c.runtime, TN_LOG_WARNING,
        fmt::format("{}: a compiled form was not {}: {}", c.device->name, what, e.message()));
  }
}

PlanOwner find_or_compile(const PassContext& c, const std::string& blob, std::string* why) {
  Compiling compiling(c, blob);
  std::unique_ptr<CompiledFiles> files;
  std::string name;
  PlanOwner plan;
  or_told(c, "read", [&] {
    files = CompiledFiles::of(c.runtime, *c.device);
    if (files) name = files->name(blob, c.modes);
    if (!files) return;
    if (const std::optional<std::string> bytes = files->read(name))
      plan.reset(compiling.from(*bytes));
  });
  if (plan) return plan;
  plan.reset(compiling.anew(why));
  if (plan && files) or_told(c, "written", [&] { files->write(name, compiling.form(*plan)); });
  return plan;
}

}  // namespace

PlanOwner compiled_plan(const PassContext& c, const std::string& blob, std::string* why) {
  Sha256 hash;
  hash.add(&c.modes, sizeof c.modes);
  hash.add(blob.data(), blob.size());
  const std::string key = "compiled " + hash.finish();
  if (PlanOwner known{c.device->plans.find(key)}) return known;
  const PlanOwner made = find_or_compile(c, blob, why);
  return PlanOwner(made ? c.device->plans.insert(key, made.get()) : nullptr);
}

}  // namespace tenon

// The interface "tenon.compiler" as members of the device class:
//
//   struct MyDevice : sdk::Device {
//     struct Compiled {                                                   // a graph, compiled
//       void run(const sdk::Queue& queue, const sdk::Args& args) const;   // from several threads at once
//       // instead, or also, for devices of TN_DEVICE_VALUES; results: to be filled
//       void execute(const sdk::Queue& queue, std::span<const uint64_t> inputs, std::span<const uint8_t> donated,
//                    std::span<uint64_t> results) const;
//     };
//     void claim(const sdk::Graph& graph, uint32_t flags, std::span<tn_claim> claims);
//     sdk::Compilation<Compiled> compile(const sdk::Graph& graph, uint32_t flags);
//     // where compiled forms are worth keeping on disk:
//     std::string_view compatibility() const;
//     std::string save(const Compiled& compiled) const;
//     sdk::Compilation<Compiled> load(const sdk::Graph&, uint32_t flags, std::span<const std::byte> form);
//   };
//
// and TENON_INTERFACE(COMPILER, sdk::compiler_table<MyDevice>). All may throw.
#ifndef TENON_SDK_COMPILER_HPP_
#define TENON_SDK_COMPILER_HPP_
#include <tenon/plugin/compiler.h>

#include <memory>
#include <string>

#include "graph.hpp"
#include "kernels.hpp"

namespace tenon::sdk {

// What compiling gives.
template <class C>
struct Compilation {
  Compilation(std::unique_ptr<C> c, uint64_t workspace = 0, uint32_t f = 0)  // NOLINT
      : compiled(std::move(c)), workspace_bytes(workspace), flags(f) {}
  Compilation(Declined d) : declined(d.reason) {}  // NOLINT(google-explicit-constructor)

  std::unique_ptr<C> compiled;
  uint64_t workspace_bytes = 0;
  uint32_t flags = 0;  // TN_COMPILED_...
  std::string_view declined;
};

namespace detail {

template <class D>
struct CompilerSlots {
  using C = typename D::Compiled;
  struct Record {
    Device& device;
    std::unique_ptr<C> compiled;
    size_t n_inputs, n_results;
  };

  static D& device(void* raw) { return *static_cast<D*>(static_cast<Device*>(raw)); }
  static Graph graph(const tn_compile_request* r) { return Graph(r->graph, r->graph_bytes); }

  static void fill(D& d, const Graph& g, Compilation<C> made, tn_compiled* out) {
    if (!made.declined.empty()) {
      out->declined = str(made.declined);
      return;
    }
    if (!made.compiled) fail(TN_INTERNAL, "compile gave neither a graph nor a reason to decline");
    out->flags = made.flags;
    out->workspace_bytes = made.workspace_bytes;
    if constexpr (requires(const C& c, const Queue& q, const Args& a) { c.run(q, a); })
      out->run = run;
    if constexpr (kExecutes) {
      if (out->struct_size >= sizeof *out) out->execute = execute;
    }
    out->release = [](void* data) { delete static_cast<Record*>(data); };
    out->data = new Record{d, std::move(made.compiled), g.inputs().size(), g.results().size()};
  }
  static tn_error* TN_CALL run(void* data, void* queue, const tn_view* const* args) {
    const auto& r = *static_cast<Record*>(data);
    return guard(r.device.host, [&] { r.compiled->run(Queue(r.device, queue), Args(args)); });
  }

  static constexpr bool kExecutes = requires(const C& c, const Queue& q) {
    c.execute(q, {}, {}, {});
  };
  static tn_error* TN_CALL execute(void* data, void* queue, const uint64_t* inputs,
                                   const uint8_t* donated, uint64_t* out) {
    const auto& r = *static_cast<Record*>(data);
    return guard(r.device.host, [&] {
      r.compiled->execute(Queue(r.device, queue), {inputs, r.n_inputs}, {donated, r.n_inputs},
                          {out, r.n_results});
    });
  }

  static tn_error* TN_CALL claim(void* raw, const tn_compile_request* request, tn_claim* out) {
    return guard(device(raw).host, [&] {
      const Graph g = graph(request);
      device(raw).claim(g, request->flags, {out, g.nodes().size()});
    });
  }
  static tn_error* TN_CALL compile(void* raw, const tn_compile_request* request, tn_compiled* out) {
    return guard(device(raw).host, [&] {
      const Graph g = graph(request);
      fill(device(raw), g, device(raw).compile(g, request->flags), out);
    });
  }
  static tn_error* TN_CALL compatibility(void* raw, tn_str* out) {
    return guard(device(raw).host, [&] { *out = str(device(raw).compatibility()); });
  }
  static tn_error* TN_CALL save(void* raw, void* data, const tn_compiled_sink* sink) {
    const Host host = device(raw).host;
    return guard(host, [&] {
      const std::string form = device(raw).save(*static_cast<Record*>(data)->compiled);
      check(host, sink->write(sink->user, form.data(), form.size()));
    });
  }
  static tn_error* TN_CALL load(void* raw, const tn_compile_request* request, const void* bytes,
                                uint64_t count, tn_compiled* out) {
    return guard(device(raw).host, [&] {
      const std::span<const std::byte> form(static_cast<const std::byte*>(bytes),
                                            static_cast<size_t>(count));
      const Graph g = graph(request);
      fill(device(raw), g, device(raw).load(g, request->flags, form), out);
    });
  }

  static constexpr tn_compiler_vtbl table() {
    tn_compiler_vtbl t{};
    t.struct_size = sizeof t;
    t.claim = claim;
    t.compile = compile;
    if constexpr (requires(D & d, const C& c) { d.save(c); }) {
      t.compatibility = compatibility;
      t.save = save;
      t.load = load;
    }
    return t;
  }
};

}  // namespace detail

template <class D>
inline constexpr tn_compiler_vtbl compiler_table = detail::CompilerSlots<D>::table();

}  // namespace tenon::sdk
#endif

// The adversary with its compiler watched: calls are counted, and do what the test says. Registered statically.
#pragma once
#include <tenon/plugin/compiler.h>
#include <tenon/plugin/graph.h>
#include <atomic>

#include <string>

#include "wrapped_plugin.hpp"

namespace watched {

struct Adversary {
  using Table = tn_compiler_vtbl;
  static constexpr const char *kLibrary = ADVERSARY, *kInterface = TN_IFACE_COMPILER,
                              *kId = "org.tenon.test.watched";
  static const Table* table();
};
using Plugin = tenon::test::WrappedPlugin<Adversary>;

inline std::atomic<int> claims{0}, compiles{0}, saves{0}, loads{0}, runs{0}, live{0};
inline const char* decline = nullptr;                // compile's answer
inline bool fail_compile = false, fail_run = false;  // the next ones
inline int donated = 0;                              // inputs of executions
inline std::vector<std::vector<uint64_t>> blobs;     // that were compiled
inline uint32_t flags = 0;                           // of the last request to compile

struct Watched {
  tn_compiled inner;
  std::vector<uint64_t> blob;
};

inline tn_error* TN_CALL run(void* data, void* queue, const tn_view* const* args) {
  const tn_compiled& c = static_cast<Watched*>(data)->inner;
  ++runs;
  if (std::exchange(fail_run, false)) return Plugin::failure("watched: this run fails");
  return c.run(c.data, queue, args);
}
inline tn_error* TN_CALL execute(void* data, void* queue, const uint64_t* inputs,
                                 const uint8_t* gone, uint64_t* results) {
  const tn_compiled& c = static_cast<Watched*>(data)->inner;
  ++runs;
  if (std::exchange(fail_run, false)) return Plugin::failure("watched: this run fails");
  const auto* h = tn_graph_of(static_cast<Watched*>(data)->blob.data());
  for (uint32_t i = 0; i < h->input_count; ++i) donated += gone[i];
  return c.execute(c.data, queue, inputs, gone, results);
}
inline void TN_CALL release(void* data) {
  auto* w = static_cast<Watched*>(data);
  if (w->inner.release) w->inner.release(w->inner.data);
  delete w;
  --live;
}
inline std::vector<uint64_t> blob_of(const tn_compile_request* r) {
  std::vector<uint64_t> blob((r->graph_bytes + 7) / 8);
  std::memcpy(blob.data(), r->graph, r->graph_bytes);
  return blob;
}
inline tn_error* wrap(tn_error* error, const tn_compile_request* r, tn_compiled* out) {
  if (error || out->declined.size) return error;
  auto* w = new Watched{*out, blob_of(r)};
  out->run = run;
  out->execute = execute;
  out->release = release;
  out->data = w;
  ++live;
  return nullptr;
}
inline tn_error* TN_CALL claim(void* device, const tn_compile_request* r, tn_claim* out) {
  ++claims;
  return Plugin::inner->claim(device, r, out);
}
inline tn_error* TN_CALL compile(void* device, const tn_compile_request* r, tn_compiled* out) {
  ++compiles;
  blobs.push_back(blob_of(r));
  flags = r->flags;
  if (std::exchange(fail_compile, false))
    return Plugin::failure("watched: this graph cannot be compiled");
  if (decline) {
    out->declined = tn_string(decline);
    return nullptr;
  }
  return wrap(Plugin::inner->compile(device, r, out), r, out);
}
inline tn_error* TN_CALL compatibility(void* device, tn_str* out) {
  return Plugin::inner->compatibility(device, out);
}
inline tn_error* TN_CALL save(void* device, void* data, const tn_compiled_sink* sink) {
  ++saves;
  return Plugin::inner->save(device, static_cast<Watched*>(data)->inner.data, sink);
}
inline tn_error* TN_CALL load(void* device, const tn_compile_request* r, const void* bytes,
                              uint64_t count, tn_compiled* out) {
  ++loads;
  return wrap(Plugin::inner->load(device, r, bytes, count, out), r, out);
}
inline const tn_compiler_vtbl* Adversary::table() {
  static const tn_compiler_vtbl table{
      sizeof(tn_compiler_vtbl), 0, claim, compile, compatibility, save, load};
  return &table;
}

struct Told {
  std::string text;
};

// A runtime with this device and the bundled optimizers, which keeps compiled graphs in a folder if one is named.
inline tn_runtime* make_runtime(const std::string& cache = {}, uint64_t bytes = 0,
                                Told* told = nullptr) {
  claims = compiles = saves = loads = runs = donated = 0;
  decline = nullptr;
  fail_compile = fail_run = false;
  blobs.clear();
  return Plugin::make_runtime([&](tn_runtime_desc& d) {
    d.cache_dir = {cache.data(), cache.size()};
    d.cache_bytes = bytes;
    if (!told) return;
    d.log.user = told;
    d.log.function = [](void* user, uint32_t, tn_str message) {
      static_cast<Told*>(user)->text.append(message.data, message.size) += '\n';
    };
  });
}

}  // namespace watched

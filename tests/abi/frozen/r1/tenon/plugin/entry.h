/* Tenon: what every plugin exports, and the services that the host lends to it. Plugin tier.
 *
 * A plugin is a shared library that exports one function, tn_plugin_query, and imports nothing from libtenon. Beside it lies a
 * manifest, a JSON file of the same name (docs/plugins.md). TENON_PLUGIN (tenon/sdk/plugin.hpp) writes the function for C++.
 *
 * Thread tags used at slots: [any] any thread, several at once; [one] one thread at a time per object, not always the same. */
#ifndef TENON_PLUGIN_ENTRY_H_
#define TENON_PLUGIN_ENTRY_H_
#include "../op.h"
TN_EXTERN_C_BEGIN

/* ---- host services ---------------------------------------------------------------------------- */

typedef struct tn_host tn_host;
typedef struct tn_timeline tn_timeline; /* device.h */

/* Lent in open(), valid until close() returns. All slots are [any] and never NULL. */
struct tn_host {
  uint32_t struct_size;
  uint32_t version; /* of the library: TN_VERSION_MAKE */
  void* impl;       /* the host's own */

  /* Makes an error, which the plugin returns or releases. Never NULL. `message` is copied. */
  tn_error*(TN_CALL* error)(const tn_host* host, tn_code code, tn_str message);
  void(TN_CALL* error_release)(tn_error* error);
  tn_code(TN_CALL* error_code)(const tn_error* error);
  const char*(TN_CALL* error_message)(const tn_error* error);

  /* Host memory of the embedder's allocator, or of the core's own (huge pages from 2 MiB on). alignment: a power of two.
   * NULL: none left. To be freed with the bytes that were asked for. */
  void*(TN_CALL* allocate)(const tn_host* host, uint64_t bytes, uint64_t alignment);
  void(TN_CALL* free)(const tn_host* host, void* memory, uint64_t bytes);

  /* Goes to the embedder's log callback; cheap when the level is not wanted. */
  void(TN_CALL* log)(const tn_host* host, uint32_t level, tn_str message);

  /* Calls body(user, begin, end) over disjoint parts of 0..n, each a multiple of `grain` long but for the last, on the
   * lent pool and the calling thread; returns when all are done. Part boundaries depend only on n, grain and thread_count.
   * May be nested: an inner call runs in its thread. body must not throw. */
  void(TN_CALL* parallel_for)(const tn_host* host, int64_t n, int64_t grain,
                              void(TN_CALL* body)(void* user, int64_t begin, int64_t end),
                              void* user);
  int32_t(TN_CALL* thread_count)(const tn_host* host);

  /* TENON_<NAME> of the environment, or "" (always "" in an elevated process or where the embedder forbids it). Lent. */
  tn_str(TN_CALL* environment)(const tn_host* host, tn_str name);

  /* The op of a name: for kernels and recipes that use a plugin's op. NOT_FOUND if there is none. */
  tn_error*(TN_CALL* find_op)(const tn_host* host, tn_str name, uint32_t since, tn_op* out_op);

  /* A command of a queue failed: the timeline is failed from `value` on. `error` is taken over; only the first counts. */
  void(TN_CALL* fail)(const tn_host* host, tn_timeline* timeline, uint64_t value, tn_error* error);
  /* The same with the error of another timeline, which a command had to wait for. */
  void(TN_CALL* fail_like)(const tn_host* host, tn_timeline* timeline, uint64_t value,
                           const tn_timeline* cause);
};

/* ---- the entry point -------------------------------------------------------------------------- */

/* One interface that a plugin offers. Frozen. */
typedef struct tn_interface {
  tn_str id;         /* "tenon.device" */
  uint32_t major;    /* 0 until 1.0: then `revision` must be the host's */
  uint32_t revision; /* of the header it was compiled with */
  const void* table; /* begins with uint32_t struct_size */
} tn_interface;

typedef struct tn_plugin_info {
  uint32_t struct_size;
  uint32_t header_version; /* TENON_VERSION of the headers it was compiled with */
  tn_str id;               /* reverse DNS: "org.tenon.cpu" */
  tn_str version;          /* "1.0.0" */
  const tn_interface* interfaces;
  uint32_t interface_count;
  uint32_t interface_stride; /* sizeof(tn_interface) */
  /* [one] Work starts here, once per runtime: no globals. *out_state goes to every slot as `state`. */
  tn_error*(TN_CALL* open)(const tn_host* host, void** out_state);
  /* [one] Everything made through `state` is gone before. */
  void(TN_CALL* close)(void* state);
} tn_plugin_info;

#define TN_PLUGIN_SYMBOL "tn_plugin_query"
#if defined(_WIN32)
#define TN_PLUGIN_EXPORT __declspec(dllexport)
#else
#define TN_PLUGIN_EXPORT __attribute__((visibility("default")))
#endif

/* The one exported symbol: pure, constant data, no allocation, no threads. host_version is informative. For static linking
 * compile with -DTN_PLUGIN_STATIC=<id with _ for .>: the name becomes tn_plugin_query__<id>. */
#ifdef TN_PLUGIN_STATIC
#define TN_PLUGIN_PASTE2_(a, b) a##b
#define TN_PLUGIN_PASTE_(a, b) TN_PLUGIN_PASTE2_(a, b)
#define TN_PLUGIN_QUERY TN_PLUGIN_PASTE_(tn_plugin_query__, TN_PLUGIN_STATIC)
#else
#define TN_PLUGIN_QUERY tn_plugin_query
#endif
TN_PLUGIN_EXPORT const tn_plugin_info* TN_CALL TN_PLUGIN_QUERY(uint32_t host_version);

TN_EXTERN_C_END
#endif

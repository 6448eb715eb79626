/* Tenon: the runtime, which owns everything. Several can live in one process; nothing is global.
 * Threads: every function here may be called from any thread. */
#ifndef TENON_RUNTIME_H_
#define TENON_RUNTIME_H_
#include "base.h"
TN_EXTERN_C_BEGIN

typedef struct tn_runtime tn_runtime;

/* Log levels. The core never writes to stdout or stderr itself. */
#define TN_LOG_ERROR 0u
#define TN_LOG_WARNING 1u
#define TN_LOG_INFO 2u
#define TN_LOG_DEBUG 3u

/* Called from any thread, never re-entered on one thread; must not call Tenon. `destroy` (may be NULL) runs exactly
 * once, when the runtime is gone or its creation failed. */
typedef struct tn_log_callback {
  void(TN_CALL* function)(void* user, uint32_t level, tn_str message);
  void* user;
  void(TN_CALL* destroy)(void* user);
} tn_log_callback;

/* Host memory of the embedder: for tensors on host devices. Both called from any thread. `alignment` is a power of two. */
typedef struct tn_host_allocator {
  void*(TN_CALL* allocate)(void* user, uint64_t bytes, uint64_t alignment); /* NULL: none left */
  void(TN_CALL* free)(void* user, void* memory, uint64_t bytes);
  void* user;
} tn_host_allocator;

/* Which plugin files may be opened. */
/* SAFE_OWNER: the file, its folder and all folders above are owned by root or the effective user and writable by neither group nor
 * others; a sticky folder (/tmp) is fine above the file's own. */
#define TN_TRUST_SAFE_OWNER 0u
#define TN_TRUST_ANY 1u
#define TN_TRUST_PINNED \
  2u /* only files whose SHA-256 stands in the plugins.lock named by lock_file */
#define TN_TRUST_NONE 3u /* only plugins registered statically */

#define TN_RUNTIME_NO_ENVIRONMENT 1u /* read no environment variable */
#define TN_RUNTIME_NO_SEARCH 2u /* look only at plugin_paths: no user folder, no installed folder */
/* Arithmetic of kernels that work on threads of the host takes denormal numbers of f32 and f64 (below 1.2e-38 and 2.2e-308) for 0 and makes none: products
 * of them take up to three hundred times as long on some processors. Processors' own state, set while kernels run and put back for the
 * caller; UNIMPLEMENTED where the processor has none. Calls of such a runtime take some 100 ns longer. TENON_FLUSH_DENORMALS=1 sets it too. */
#define TN_RUNTIME_FLUSH_DENORMALS 4u

/* Entry point of a plugin: see tenon/plugin/entry.h. */
struct tn_plugin_info;
typedef const struct tn_plugin_info*(TN_CALL* tn_plugin_query_fn)(uint32_t host_version);

typedef struct tn_runtime_desc {
  uint32_t struct_size;
  uint32_t flags;       /* TN_RUNTIME_... */
  uint32_t trust;       /* TN_TRUST_... */
  uint32_t log_level;   /* least important level wanted; default TN_LOG_WARNING */
  int32_t thread_count; /* of the lent pool, the caller's included; 0: one per core */
  uint32_t plugin_path_count;
  const tn_str* plugin_paths; /* folders or .so files, searched first */
  tn_str lock_file;           /* for TN_TRUST_PINNED */
  tn_log_callback log;
  const tn_host_allocator* allocator; /* NULL: the core's own; copied */
  const tn_plugin_query_fn*
      static_plugins;    /* NULL-terminated array of query functions linked in; may be NULL */
  uint64_t memory_limit; /* bytes per device; 0: none */
  /* Folder where backends that compile programs keep the compiled forms from one process to the next; made if it is not there. Only for
   * those whom the user trusts: compiled forms are code. Empty: TENON_CACHE_DIR of the environment, else nothing is kept. */
  tn_str cache_dir;
  uint64_t
      cache_bytes; /* what they may take together, the least recently used go first; 0: 1 GiB */
} tn_runtime_desc;

TN_INLINE tn_runtime_desc tn_runtime_desc_init(void) {
  tn_runtime_desc d;
  unsigned char* p = (unsigned char*)&d;
  for (size_t i = 0; i < sizeof d; ++i) p[i] = 0;
  d.struct_size = (uint32_t)sizeof d;
  d.log_level = TN_LOG_WARNING;
  return d;
}

/* desc NULL: the defaults. Finds plugins (manifests only); no plugin code runs before something of it is asked for. */
TN_API tn_error* TN_CALL tn_runtime_create(const tn_runtime_desc* desc, tn_runtime** out_runtime);
/* Waits for all queues, closes every plugin, makes later calls on objects of the runtime fail with TN_SHUTDOWN.
 * Releases stay legal for ever. A second call does nothing. NULL is fine. */
TN_API void TN_CALL tn_runtime_shutdown(tn_runtime* runtime);
/* Gives back the caller's reference; the last one shuts down first. */
TN_API void TN_CALL tn_runtime_release(tn_runtime* runtime);
/* From any thread. NULL is fine and gives NULL. */
TN_API tn_runtime* TN_CALL tn_runtime_retain(tn_runtime* runtime);

/* ---- profiling -------------------------------------------------------------------------------- */

/* Starts recording one event per op, kernel, copy and wait; at most max_events are kept (0: 1,000,000), later ones are
 * counted as dropped. A kernel on a device with queues is shown as long as the host takes to submit it. */
TN_API tn_error* TN_CALL tn_profile_start(tn_runtime* runtime, uint64_t max_events);
/* Stops and writes Chrome / Perfetto trace JSON to `path`. Fails with FAILED_PRECONDITION if none was started; with
 * IO if the file cannot be written: then the recording goes on, and another call may say another place. */
TN_API tn_error* TN_CALL tn_profile_stop(tn_runtime* runtime, tn_str path);

TN_EXTERN_C_END
#endif

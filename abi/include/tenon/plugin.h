/* Tenon: plugins as an application sees them. Threads: any. */
#ifndef TENON_PLUGIN_H_
#define TENON_PLUGIN_H_
#include "runtime.h"
TN_EXTERN_C_BEGIN

/* Verdicts on a candidate. */
#define TN_PLUGIN_READY 0u /* manifest read, opens on first use */
#define TN_PLUGIN_LOADED 1u
#define TN_PLUGIN_REFUSED 2u /* versions, trust policy, duplicate id, missing CPU feature */
#define TN_PLUGIN_BROKEN 3u  /* not a library, no entry point, bad manifest, failed to open */

typedef struct tn_plugin_record {
  uint32_t struct_size;
  uint32_t verdict; /* TN_PLUGIN_... */
  tn_str id;        /* "" if not known */
  tn_str path;
  tn_str version;
  tn_str provides; /* "device cpu, 148 kernels" */
  tn_str reason;   /* "" for ready and loaded */
} tn_plugin_record;

TN_INLINE tn_plugin_record tn_plugin_record_init(void) {
  tn_plugin_record d;
  unsigned char* p = (unsigned char*)&d;
  for (size_t i = 0; i < sizeof d; ++i) p[i] = 0;
  d.struct_size = (uint32_t)sizeof d;
  return d;
}

/* Loads one plugin by explicit path, now, under the trust policy; the same road as the search. */
TN_API tn_error* TN_CALL tn_plugin_load(tn_runtime* runtime, tn_str path);
/* Every candidate that was looked at, loaded or not. Records and their strings are lent until the runtime goes. */
TN_API tn_error* TN_CALL tn_plugin_count(tn_runtime* runtime, uint32_t* out_count);
TN_API tn_error* TN_CALL tn_plugin_get_record(tn_runtime* runtime, uint32_t index,
                                              tn_plugin_record* out_record);
/* The same as JSON: [{id, path, verdict, reason, version, provides}]. Texts: base.h. */
TN_API tn_error* TN_CALL tn_plugin_report(tn_runtime* runtime, char* buffer, uint64_t capacity,
                                          uint64_t* out_size);

TN_EXTERN_C_END
#endif

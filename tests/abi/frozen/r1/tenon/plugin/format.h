/* Tenon: interface "tenon.format": files of named tensors. Plugin tier.
 * Files are untrusted: every length is checked against the file and the limits before anything is allocated. */
#ifndef TENON_PLUGIN_FORMAT_H_
#define TENON_PLUGIN_FORMAT_H_
#include "../model.h"
#include "entry.h"
TN_EXTERN_C_BEGIN

#define TN_IFACE_FORMAT "tenon.format"
#define TN_IFACE_FORMAT_MAJOR 0u
#define TN_IFACE_FORMAT_REVISION 1u

typedef struct tn_format_limits {
  uint32_t struct_size;
  uint32_t copy; /* 1: read into memory instead of mapping */
  uint64_t max_bytes;
  uint64_t max_tensors;
  uint64_t max_name_bytes;
  uint64_t max_header_bytes;
} tn_format_limits;

/* One tensor to be written: dense row-major elements in host memory. */
typedef struct tn_format_item {
  tn_str name;
  tn_dtype dtype;
  uint32_t rank;
  const int64_t* dims;
  const void* data;
  uint64_t bytes;
} tn_format_item;

typedef struct tn_format_vtbl {
  uint32_t struct_size;
  uint32_t reserved;
  tn_str name;       /* "safetensors" */
  tn_str extensions; /* ".safetensors", several separated by spaces */
  /* [any] How sure, 0..100, from the first bytes of a file (at most 4,096). */
  int32_t(TN_CALL* probe)(void* state, const void* head, uint64_t bytes, uint64_t file_bytes);
  /* [any] Reads and checks the whole header. */
  tn_error*(TN_CALL* open)(void* state, tn_str path, const tn_format_limits* limits,
                           void** out_file);
  void(TN_CALL* close)(void* file);
  /* [any] on an open file; strings and dims are lent until close. */
  uint32_t(TN_CALL* tensor_count)(void* file);
  tn_error*(TN_CALL* tensor)(void* file, uint32_t index, tn_model_entry* out_entry);
  uint32_t(TN_CALL* metadata_count)(void* file);
  tn_error*(TN_CALL* metadata)(void* file, uint32_t index, tn_metadata* out_pair);
  /* Address of a tensor's elements, valid until close; may be aligned to 1 byte only. */
  tn_error*(TN_CALL* data)(void* file, uint32_t index, const void** out_data);
  /* [any] Optional. Writes atomically (tn_model_save). */
  tn_error*(TN_CALL* save)(void* state, tn_str path, const tn_format_item* items, uint32_t n,
                           const tn_metadata* metadata, uint32_t n_metadata);
} tn_format_vtbl;

TN_EXTERN_C_END
#endif

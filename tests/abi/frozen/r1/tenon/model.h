/* Tenon: files of named tensors, through format plugins. Threads: any, one thread at a time per object. */
#ifndef TENON_MODEL_H_
#define TENON_MODEL_H_
#include "op.h"
TN_EXTERN_C_BEGIN

/* An opened file. Tensors taken from it keep the file mapped after it is released. */
typedef struct tn_model tn_model;

#define TN_MODEL_COPY \
  1u /* read instead of mapping: the file may be truncated or replaced while in use */

typedef struct tn_model_options {
  uint32_t struct_size;
  uint32_t flags;       /* TN_MODEL_... */
  uint64_t max_bytes;   /* of the file; 0: no limit */
  uint64_t max_tensors; /* 0: 1,000,000 */
  tn_str format;        /* "" : by content, then by extension */
} tn_model_options;

TN_INLINE tn_model_options tn_model_options_init(void) {
  tn_model_options o;
  o.struct_size = (uint32_t)sizeof o, o.flags = 0, o.max_bytes = 0, o.max_tensors = 0,
  o.format = tn_string("");
  return o;
}

/* Checks the whole header before anything is given out. options may be NULL. */
TN_API tn_error* TN_CALL tn_model_open(tn_runtime* runtime, tn_str path,
                                       const tn_model_options* options, tn_model** out_model);
/* NULL is fine. */
TN_API void TN_CALL tn_model_release(tn_model* model);

typedef struct tn_model_entry {
  uint32_t struct_size;
  tn_dtype dtype;
  tn_str name;
  const int64_t* dims;
  uint64_t bytes;
  uint64_t file_offset;
  uint32_t rank;
  uint32_t reserved;
} tn_model_entry;

TN_INLINE tn_model_entry tn_model_entry_init(void) {
  tn_model_entry d;
  unsigned char* p = (unsigned char*)&d;
  for (size_t i = 0; i < sizeof d; ++i) p[i] = 0;
  d.struct_size = (uint32_t)sizeof d;
  return d;
}

/* What is given out here is lent by the model. An index beyond the count is OUT_OF_RANGE. */
TN_API tn_str TN_CALL tn_model_format(const tn_model* model);
TN_API uint32_t TN_CALL tn_model_tensor_count(const tn_model* model);
TN_API tn_error* TN_CALL tn_model_get_entry(const tn_model* model, uint32_t index,
                                            tn_model_entry* out_entry);
TN_API uint32_t TN_CALL tn_model_metadata_count(const tn_model* model);
TN_API tn_error* TN_CALL tn_model_get_metadata(const tn_model* model, uint32_t index,
                                               tn_str* out_key, tn_str* out_value);

/* The tensor of a name on the context's device, owned by the caller: no copy where the device addresses host memory.
 * NOT_FOUND names the nearest names there are. */
TN_API tn_error* TN_CALL tn_model_take_tensor(tn_ctx* ctx, tn_model* model, tn_str name,
                                              tn_tensor** out_tensor);

typedef struct tn_metadata {
  tn_str key;
  tn_str value;
} tn_metadata;

/* Writes n named tensors: to a temporary file in the same folder, fsync, rename over `path`, fsync of the folder: after any
 * failure the old file is whole. The format follows options->format, else the extension. options may be NULL. Host
 * scalars are written as tensors of rank 0. */
TN_API tn_error* TN_CALL tn_model_save(tn_ctx* ctx, tn_str path, const tn_str* names,
                                       tn_tensor* const* tensors, uint32_t n,
                                       const tn_metadata* metadata, uint32_t n_metadata,
                                       const tn_model_options* options);

TN_EXTERN_C_END
#endif

/* A file of four floats after the magic "frozen1\n": one tensor, "data". */
#include <stdio.h>

#include "frozen.h"

#define MAGIC "frozen1\n"
enum { kMagic = 8, kCount = 4 };

typedef struct frozen_file {
  const tn_host* host;
  int64_t dims[1];
  float data[kCount];
} frozen_file;

static int32_t TN_CALL probe(void* state, const void* head, uint64_t bytes, uint64_t file_bytes) {
  (void)state, (void)file_bytes;
  return bytes >= kMagic && memcmp(head, MAGIC, kMagic) == 0 ? 100 : 0;
}

static tn_error* TN_CALL file_open(void* state, tn_str path, const tn_format_limits* limits,
                                   void** out_file) {
  const tn_host* host = state;
  char name[1024] = "", magic[kMagic] = "";
  FILE* in = NULL;
  frozen_file* file = NULL;
  int right = 0;
  (void)limits;
  if (path.size < sizeof name) {
    memcpy(name, path.data, (size_t)path.size);
    in = fopen(name, "rb");
  }
  file = calloc(1, sizeof *file);
  if (in && file) {
    right = fread(magic, 1, kMagic, in) == kMagic &&
            fread(file->data, sizeof(float), kCount, in) == kCount && fgetc(in) == EOF;
  }
  if (in) fclose(in);
  if (!right) {
    free(file);
    return host->error(host, TN_DATA_LOSS, tn_string("not four floats"));
  }
  file->host = host;
  file->dims[0] = kCount;
  *out_file = file;
  return NULL;
}
static void TN_CALL file_close(void* file) { free(file); }

static uint32_t TN_CALL tensor_count(void* file) {
  (void)file;
  return 1;
}
static tn_error* TN_CALL tensor(void* file, uint32_t index, tn_model_entry* out) {
  tn_model_entry e = tn_model_entry_init();
  (void)index;
  e.struct_size = out->struct_size < sizeof e ? out->struct_size : (uint32_t)sizeof e;
  e.dtype = TN_DTYPE_F32;
  e.name = tn_string("data");
  e.dims = ((frozen_file*)file)->dims;
  e.bytes = kCount * sizeof(float);
  e.rank = 1;
  memcpy(out, &e, e.struct_size);
  return NULL;
}
static uint32_t TN_CALL metadata_count(void* file) {
  (void)file;
  return 0;
}
static tn_error* TN_CALL metadata(void* file, uint32_t index, tn_metadata* out_pair) {
  const tn_host* host = ((frozen_file*)file)->host;
  (void)index, (void)out_pair;
  return host->error(host, TN_OUT_OF_RANGE, tn_string("no metadata"));
}
static tn_error* TN_CALL data(void* file, uint32_t index, const void** out_data) {
  (void)index;
  *out_data = ((frozen_file*)file)->data;
  return NULL;
}

static const tn_format_vtbl table = {
    sizeof(tn_format_vtbl), 0,      TEXT("frozen"), TEXT(".frozen"), probe, file_open, file_close,
    tensor_count,           tensor, metadata_count, metadata,        data,  NULL};
FROZEN_PLUGIN("org.example.frozen.format", FORMAT, &table)

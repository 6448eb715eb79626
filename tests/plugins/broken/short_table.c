/* A table that ends in the middle: nothing behind its struct_size may be read. */
#include "minimal.h"

static const struct {
  uint32_t struct_size, reserved;
  tn_error*(TN_CALL* count)(void*, uint32_t*);
} table = {16, 0, minimal_count};
MINIMAL_DEVICE_PLUGIN("org.example.short_table", &table, minimal_open, minimal_close)

// Throws something that is no std::exception, when its devices are listed.
extern "C" {
#include "minimal.h"

static tn_error* TN_CALL throwing(void*, uint32_t, tn_device_props*) { throw 42; }
static const tn_device_vtbl table = MINIMAL_DEVICE_LISTED_BY(minimal_count, throwing);
MINIMAL_DEVICE_PLUGIN("org.example.throws_in_props", &table, minimal_open, minimal_close)
}

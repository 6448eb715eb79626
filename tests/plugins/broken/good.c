/* Nothing is wrong with this one. */
#include "minimal.h"

static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_DEVICE_PLUGIN("org.example.good", &table, minimal_open, minimal_close)

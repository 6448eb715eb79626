/* Offers only what no host of today knows. */
#include "minimal.h"

static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_PLUGIN("org.example.unknown_interface", "tenon.teleport", 0, 1, &table, minimal_open,
               minimal_close)

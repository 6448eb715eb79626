#include "minimal.h"

static const tn_device_vtbl table = MINIMAL_DEVICE;
MINIMAL_PLUGIN("org.example.older_revision", TN_IFACE_DEVICE, TN_IFACE_DEVICE_MAJOR, 0, &table,
               minimal_open, minimal_close)

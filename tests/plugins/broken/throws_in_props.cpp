// Throws something that is no std::exception, when its devices are listed.
extern "C" {
#include "minimal.h"

static tn_error* TN_CALL throwing(void*, uint32_t, tn_device_props*) { throw 42; }
static const tn_device_vtbl table = {sizeof(tn_device_vtbl),
                                     0,
                                     minimal_count,
                                     throwing,
                                     minimal_device_open,
                                     minimal_device_close,
                                     minimal_allocate,
                                     minimal_free,
                                     nullptr,
                                     minimal_upload,
                                     minimal_download,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr,
                                     nullptr};
MINIMAL_DEVICE_PLUGIN("org.example.throws_in_props", &table, minimal_open, minimal_close)
}

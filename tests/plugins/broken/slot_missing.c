/* Required slots must be there: this one cannot give memory back. */
#include "minimal.h"

static const tn_device_vtbl table = {sizeof(tn_device_vtbl),
                                     0,
                                     minimal_count,
                                     minimal_props,
                                     minimal_device_open,
                                     minimal_device_close,
                                     minimal_allocate,
                                     NULL,
                                     NULL,
                                     minimal_upload,
                                     minimal_download,
                                     NULL,
                                     NULL,
                                     NULL,
                                     NULL,
                                     NULL,
                                     NULL};
MINIMAL_DEVICE_PLUGIN("org.example.slot_missing", &table, minimal_open, minimal_close)

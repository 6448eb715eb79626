/* Tenon: the plugin tier in one include. */
#ifndef TENON_PLUGIN_PLUGIN_H_
#define TENON_PLUGIN_PLUGIN_H_
#include "../op_ids.h"
#include "builder.h"
#include "builder_ops.h"
#include "compiler.h"
#include "device.h"
#include "entry.h"
#include "format.h"
#include "graph.h"
#include "kernels.h"
#include "ops.h"
#include "optimizer.h"
#include "region.h"
#endif

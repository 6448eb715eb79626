/* Tenon: the application tier of the C ABI in one include.
 *
 *   tn_runtime* rt;  tn_runtime_create(NULL, &rt);
 *   tn_ctx* cx;      tn_ctx_create(rt, tn_string("cpu"), &cx);
 *   tn_tensor* y;    tn_add(cx, a, b, &y);
 */
#ifndef TENON_TENON_H_
#define TENON_TENON_H_
#include "autograd.h"
#include "base.h"
#include "context.h"
#include "device.h"
#include "dlpack.h"
#include "model.h"
#include "op.h"
#include "op_ids.h"
#include "ops.h"
#include "optimizer.h"
#include "plugin.h"
#include "program.h"
#include "runtime.h"
#include "tensor.h"
#endif

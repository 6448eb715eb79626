// hard_shrink as a plugin of its own, with the faults that an op can have: y = x where |x| > lambda, else 0.
#include <cstdlib>
#include <string_view>

#include <tenon/plugin/plugin.h>

#include <tenon/sdk/plugin.hpp>

namespace {

using tenon::sdk::str;

bool is(std::string_view fault) {
  const char* asked = std::getenv("TENON_FAULT");
  return asked && fault == asked;
}

tn_error* TN_CALL rule(tn_infer* c) {
  const tn_view* x = c->v->input(c, 0);
  int64_t dims[TN_MAX_RANK] = {};
  for (uint32_t a = 0; a < x->rank; ++a) {
    dims[a] = x->dims[a];
    // Looks at a size, as if there were no symbols.
    if (is("rule_reads_sizes") && dims[a] < 0) dims[a] = 1;
  }
  if (TN_DTYPE_CODE(x->dtype) != 2 && TN_DTYPE_CODE(x->dtype) != 4)
    return c->v->error(c, TN_INVALID_ARGUMENT, str("x must be floating"));
  return c->v->output(c, 0, x->dtype, x->rank, dims);
}

tn_value passes(tn_builder* b) {
  const tn_value x = b->v->input(b, 0);
  const tn_value lambda = b->v->scalar(b, tn_attr_get_f64(b->v->attr(b, 0)));
  return tn_b_gt(b, tn_b_abs(b, x), lambda);
}
void TN_CALL decompose(tn_builder* b) {
  const tn_value x = b->v->input(b, 0);
  tn_value y = tn_b_where(b, passes(b), x, tn_b_mul(b, x, b->v->scalar(b, 0)));
  if (is("value_wrong_in_f16") && b->v->dtype(b, x) == TN_DTYPE_F16)
    y = tn_b_mul(b, y, b->v->scalar(b, 1.25));
  b->v->set(b, 0, y);
}
void TN_CALL gradient(tn_builder* b) {
  const tn_value g = b->v->cotangent(b, 0), zero = tn_b_mul(b, g, b->v->scalar(b, 0));
  tn_value dx = tn_b_where(b, passes(b), g, zero);
  if (is("gradient_wrong_below_zero"))  // only for the negative ones
    dx = tn_b_where(b, tn_b_lt(b, b->v->input(b, 0), b->v->scalar(b, 0)), zero, dx);
  if (is("gradient_missing")) dx = TN_NO_VALUE;
  b->v->set(b, 0, dx);
}

constexpr tn_param kParams[] = {{str("x"), TN_PARAM_REQUIRED, 0}};
const tn_attr_def kAttrs[] = {{str("lambda"), 0, 0, tn_attr_f64(0, 0.5)}};
const tn_op_def kOp = {sizeof(tn_op_def),
                       TN_OP_ELEMENTWISE,
                       str("hard_shrink"),
                       1,
                       1,
                       kParams,
                       1,
                       1,
                       kAttrs,
                       rule,
                       decompose,
                       gradient,
                       {}};
const tn_ops_vtbl kTable = {sizeof(tn_ops_vtbl), sizeof(tn_op_def), 1, 0, &kOp};
const tn_interface kInterfaces[] = {TENON_INTERFACE(OPS, kTable)};

}  // namespace

extern "C" const tn_plugin_info* TN_CALL TN_PLUGIN_QUERY(uint32_t) {
  static const tn_plugin_info info = tenon::sdk::detail::plugin_info<tenon::sdk::Plugin>(
      "org.tenon.test.faulty_op", "0.1.0", kInterfaces, 1);
  return &info;
}

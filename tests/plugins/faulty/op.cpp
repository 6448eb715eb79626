// A plugin of three ops, with the faults that an op can have:
//   hard_shrink(x, *, lambda = 0.5)          x where |x| > lambda, else 0
//   scaled_add(x, bias?, *, scale = 1.5)     scale x + bias
//   cubic(x, *, times = 2)                   times x^3
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include <tenon/sdk/ops.hpp>
#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/recipe.hpp>

namespace {

using tenon::sdk::str;

bool is(std::string_view fault) {
  const char* asked = std::getenv("TENON_FAULT");
  return asked && fault == asked;
}

// It has every descriptor that the caller has.
void start_process() {
  static std::atomic<bool> started = false;
  if (!started.exchange(true) && fork() == 0) sleep(400), _exit(0);
}
void write_elsewhere() {
  for (int fd = 3; fd < 64; ++fd)
    if (write(fd, "{}\n", 3) < 0) continue;
}

tn_error* TN_CALL rule(tn_infer* c) {
  const tn_view* x = c->v->input(c, 0);
  int64_t dims[TN_MAX_RANK] = {};
  for (uint32_t a = 0; a < x->rank; ++a) {
    dims[a] = x->dims[a];
    // Looks at a size, as if there were no symbols.
    if (is("rule_reads_sizes") && dims[a] < 0) dims[a] = 1;
  }
  if (is("accepts_nothing") || (TN_DTYPE_CODE(x->dtype) != 2 && TN_DTYPE_CODE(x->dtype) != 4))
    return c->v->error(c, TN_INVALID_ARGUMENT, str("x must be floating"));
  if (is("rule_attribute_missing")) c->v->attr(c, 7);
  if (is("rule_crashes")) std::abort();
  if (is("rule_starts_process")) start_process();
  if (is("rule_writes_elsewhere")) write_elsewhere();
  if (is("rule_reads_a_number_as_whole") && c->v->attr(c, 0)->bits > 1000)
    return c->v->error(c, TN_INVALID_ARGUMENT, str("lambda is above 1000"));
  return c->v->output(c, 0, x->dtype, x->rank, dims);
}

tn_value passes(tn_builder* b) {
  const tn_value x = b->v->input(b, 0);
  const tn_value lambda = b->v->scalar(b, tn_attr_get_f64(b->v->attr(b, 0)));
  return tn_b_gt(b, tn_b_abs(b, x), lambda);
}
// As an author has it who never tried another value.
tn_value passes_by_default(tn_builder* b) {
  return tn_b_gt(b, tn_b_abs(b, b->v->input(b, 0)), b->v->scalar(b, 0.5));
}
void TN_CALL decompose(tn_builder* b) {
  const tn_value x = b->v->input(b, 0);
  tn_value y = tn_b_where(b, passes(b), x, tn_b_mul(b, x, b->v->scalar(b, 0)));
  if (is("value_wrong_in_f16") && b->v->dtype(b, x) == TN_DTYPE_F16)
    y = tn_b_where(b, passes(b), tn_b_mul(b, x, b->v->scalar(b, 1.25)),
                   y);  // rounded once: still in f16
  const tn_dtype dtype = b->v->dtype(b, x);
  if (is("value_wrong_in_f64") && dtype == TN_DTYPE_F64) y = tn_b_mul(b, y, b->v->scalar(b, 1.25));
  if (is("value_in_bf16")) y = tn_b_cast(b, tn_b_cast(b, y, TN_DTYPE_BF16), dtype);
  if (is("input_in_f16"))
    y = tn_b_mul(b, tn_b_cast(b, tn_b_cast(b, x, TN_DTYPE_F16), dtype), b->v->scalar(b, 0.3));
  if (is("value_in_f32") && dtype == TN_DTYPE_F64)
    y = tn_b_cast(b, tn_b_cast(b, y, TN_DTYPE_F32), dtype);
  if (is("value_wrong_everywhere")) y = tn_b_mul(b, y, b->v->scalar(b, 1.25));
  tenon::sdk::Recipe r(b);
  if (is("attribute_missing")) r.f64(1);
  if (is("attribute_of_another_type")) r.i64(0);
  if (is("input_missing")) r.in(2);
  b->v->set(b, is("result_missing") ? 1 : 0, y);
}
void TN_CALL gradient(tn_builder* b) {
  if (is("gradient_crashes")) std::abort();
  const tn_value g = b->v->cotangent(b, 0), zero = tn_b_mul(b, g, b->v->scalar(b, 0));
  const bool by_default = is("gradient_ignores_attribute");
  tn_value dx = tn_b_where(b, by_default ? passes_by_default(b) : passes(b), g, zero);
  if (is("gradient_wrong_below_zero"))  // only for the negative ones
    dx = tn_b_where(b, tn_b_lt(b, b->v->input(b, 0), b->v->scalar(b, 0)), zero, dx);
  if (is("gradient_missing")) dx = TN_NO_VALUE;
  b->v->set(b, 0, dx);
}

tn_error* TN_CALL rule_of_add(tn_infer* c) {
  return tenon::sdk::elementwise_rule<tenon::sdk::Floats>(c, "floating point");
}
void scaled_add(tenon::sdk::Recipe& r) {
  const double scale = is("value_is_no_number")  ? std::nan("")
                       : is("attribute_ignored") ? 1.5
                                                 : r.f64(0);
  const tenon::sdk::Value scaled = r.in(0) * scale, bias = r.in(1);
  r.set(0, bias.v == TN_NO_VALUE && !is("absent_input_used") ? scaled : scaled + bias);
}
void scaled_add_gradient(tenon::sdk::Recipe& r) {
  r.set_summed(0, r.g() * r.f64(0));
  if (r.in(1).v == TN_NO_VALUE || is("gradient_of_bias_missing")) return;
  if (is("gradient_not_summed"))
    r.set(1, r.g());
  else
    r.set_summed(1, r.g());
}

tn_error* TN_CALL rule_of_cubic(tn_infer* c) {
  const tn_attr* times = c->v->attr(c, 0);
  if (const double read = tn_attr_get_f64(times);
      is("rule_shows_a_whole_as_number") && !(read >= 0))
    return tenon::sdk::rule_error(c, "times is ", read, ", it must be at least 0");
  if (is("rule_reads_a_whole_as_number") ? tn_attr_get_f64(times) > 1000 : times->bits > 1000)
    return tenon::sdk::rule_error(c, "times is above 1000");
  return tenon::sdk::elementwise_rule<tenon::sdk::Floats>(c, "floating point");
}
void cubic(tenon::sdk::Recipe& r) {
  tenon::sdk::Value y = r.in(0) * square(r.in(0)) * static_cast<double>(r.i64(0));
  if (is("value_in_even_steps"))  // no fault
    y = tenon::sdk::Value{r.raw(), tn_b_round(r.raw(), (y * 200).v)} / 200;
  r.set(0, y);
}
// The gradient of a rounding is 0: right once, but not twice.
void cubic_gradient(tenon::sdk::Recipe& r) {
  tenon::sdk::Value x = r.in(0);
  if (is("gradient_through_a_rounding"))
    x = tenon::sdk::Value{r.raw(), tn_b_round(r.raw(), (x * 0x1p40).v)} * 0x1p-40;
  r.set(0, r.g() * square(x) * (3 * static_cast<double>(r.i64(0))));
}

// The default gives the type, whichever way it is written.
using tenon::sdk::attr_def;
static_assert(attr_def(0, "n", 3).fallback.tag == TN_ATTR_I64);
static_assert(attr_def(0, "n", -3).fallback.bits == static_cast<uint64_t>(-3));
static_assert(attr_def(0, "n", int64_t{3}).fallback.tag == TN_ATTR_I64);
static_assert(attr_def(0, "x", 3.0f).fallback.tag == TN_ATTR_F64);
static_assert(attr_def(0, "on", true).fallback.tag == TN_ATTR_BOOL);
static_assert(attr_def(0, "mode", "warm").fallback.tag == TN_ATTR_STRING);
static_assert(attr_def(0, "mode", "warm").fallback.bits == 4);

constexpr tn_param kParams[] = {tenon::sdk::param("x")};
constexpr tn_param kAddParams[] = {tenon::sdk::param("x"),
                                   tenon::sdk::param("bias", TN_PARAM_OPTIONAL)};
const tn_attr_def kAttrs[] = {tenon::sdk::attr_def(
    is("attribute_key_wrong") ? 5 : 0, is("attribute_renamed") ? "lambd" : "lambda", 0.5)};
constexpr tn_attr_def kCubicAttrs[] = {tenon::sdk::attr_def(0, "times", 2)};
constexpr tn_attr_def kAddAttrs[] = {tenon::sdk::attr_def(0, "scale", 1.5)};
const tn_op_def kOps[] = {
    tenon::sdk::op({.name = "hard_shrink",
                    .flags = TN_OP_ELEMENTWISE,
                    .params = kParams,
                    .attrs = kAttrs,
                    .rule = rule,
                    .decompose = is("decomposition_missing") ? nullptr : decompose,
                    .gradient = gradient}),
    tenon::sdk::op({.name = "scaled_add",
                    .flags = TN_OP_ELEMENTWISE,
                    .params = kAddParams,
                    .attrs = kAddAttrs,
                    .rule = rule_of_add,
                    .decompose = tenon::sdk::recipe<scaled_add>,
                    .gradient = tenon::sdk::recipe<scaled_add_gradient>}),
    tenon::sdk::op({.name = "cubic",
                    .flags = TN_OP_ELEMENTWISE,
                    .params = kParams,
                    .attrs = kCubicAttrs,
                    .rule = rule_of_cubic,
                    .decompose = tenon::sdk::recipe<cubic>,
                    .gradient = tenon::sdk::recipe<cubic_gradient>})};
const tn_ops_vtbl kTable = tenon::sdk::ops_table(kOps);
const tn_interface kInterfaces[] = {TENON_INTERFACE(OPS, kTable)};

}  // namespace

extern "C" const tn_plugin_info* TN_CALL TN_PLUGIN_QUERY(uint32_t) {
  static const tn_plugin_info info = tenon::sdk::detail::plugin_info<tenon::sdk::Plugin>(
      "org.tenon.test.faulty_op", "0.1.0", kInterfaces, 1);
  return &info;
}

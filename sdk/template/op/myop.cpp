// The op myop:
//   y = (x + sqrt(x^2 + b)) / 2        (Barron, Squareplus: a softplus-like algebraic rectifier, 2021)
// Written once, in ops: it runs on every device, and its gradient has gradients of its own.
#include <tenon/sdk/ops.hpp>
#include <tenon/sdk/plugin.hpp>
#include <tenon/sdk/recipe.hpp>

namespace {

namespace sdk = tenon::sdk;
using sdk::Value;

constexpr uint32_t kB = 0;  // the key of an attribute is its place in the list
constexpr tn_param kParams[] = {sdk::param("x")};
constexpr tn_attr_def kAttrs[] = {sdk::attr_def(kB, "b", 4.0)};

// Which dtypes and dims come out. Dims may be symbols, so they are combined by functions of the host only.
tn_error* TN_CALL rule(tn_infer* c) {
  const double b = tn_attr_get_f64(c->v->attr(c, kB));
  if (!(b >= 0)) return sdk::rule_error(c, "b is ", b, ", it must be at least 0");
  return sdk::elementwise_rule<sdk::Floats>(c, "floating point");
}

Value root(sdk::Recipe& r) { return sqrt(square(r.in(0)) + r.f64(kB)); }

void decompose(sdk::Recipe& r) { r.set(0, (r.in(0) + root(r)) * 0.5); }

// dy/dx = (1 + x / sqrt(x^2 + b)) / 2. Without a gradient here, one would be derived from the decomposition.
void gradient(sdk::Recipe& r) { r.set(0, r.g() * ((1 + r.in(0) / root(r)) * 0.5)); }

constexpr tn_op_def kOps[] = {sdk::op({.name = "myop",
                                       .flags = TN_OP_ELEMENTWISE,
                                       .params = kParams,
                                       .attrs = kAttrs,
                                       .rule = rule,
                                       .decompose = sdk::recipe<decompose>,
                                       .gradient = sdk::recipe<gradient>})};
constexpr tn_ops_vtbl kTable = sdk::ops_table(kOps);
constexpr tn_interface kInterfaces[] = {TENON_INTERFACE(OPS, kTable)};

}  // namespace

TENON_PLUGIN("com.example.myop", "0.1.0", tenon::sdk::Plugin, kInterfaces);

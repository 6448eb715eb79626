#include "loss_scale.hpp"

#include <cfloat>
#include <cmath>
#include <memory>

#include "base/error.hpp"
#include "op/runtime.hpp"
#include "recipe/site.hpp"
#include "tenon/op_ids.h"

namespace tenon {
namespace {

constexpr double kLeast = 0x1p-24, kMost = 0x1p100;

tn_variable* new_variable(tn_ctx* ctx, const char* name, double value) {
  const Owned t = make_full(ctx, TN_DTYPE_F32, value, Shape{});
  tn_variable* v = nullptr;
  check(tn_variable_create(ctx, tn_string(name), t.get(), TN_VARIABLE_NOT_TRAINABLE, &v));
  return v;
}

Owned value_of(tn_ctx* ctx, tn_variable* v) { return Owned(ctx, keep(ctx, variable_leaf(ctx, v))); }

}  // namespace

tn_loss_scale* loss_scale_create(tn_ctx* ctx, std::span<const tn_option> options) {
  auto s = std::make_unique<tn_loss_scale>();
  double initial = 65536;
  struct {
    const char* name;
    double* value;
    double least, most;
  } const known[] = {{"scale", &initial, kLeast, kMost},
                     {"growth", &s->growth, 1, kMost},
                     {"backoff", &s->backoff, kLeast, 1},
                     {"interval", &s->interval, 1, 0x1p24}};
  for (const tn_option& option : options) {
    const auto it = std::ranges::find(known, view_of(option.name),
                                      [](const auto& k) { return std::string_view(k.name); });
    if (it == std::end(known))
      fail(TN_INVALID_ARGUMENT,
           "loss scale: there is no option \"{}\". It takes scale, growth, backoff, interval.",
           view_of(option.name));
    *it->value = option_number("loss scale", option);
    if (!(*it->value >= it->least && *it->value <= it->most))
      fail(TN_INVALID_ARGUMENT, "loss scale: {} is {}; it must lie in [{}, {}]", it->name,
           *it->value, it->least, it->most);
  }
  if (s->interval != std::floor(s->interval))
    fail(TN_INVALID_ARGUMENT, "loss scale: interval is {}; it must be a whole number", s->interval);
  const NoGrad no_grad(ctx);
  s->scale = new_variable(ctx, "loss_scale.scale", initial);
  s->steps = new_variable(ctx, "loss_scale.steps", 0);
  s->finite = new_variable(ctx, "loss_scale.finite", 1);
  return s.release();
}

Owned loss_scale_apply(tn_ctx* ctx, const tn_loss_scale& s, tn_tensor* loss) {
  const Owned scale = value_of(ctx, s.scale);
  return call_one(ctx, TN_OP_MUL, {loss, scale.get()});
}

void loss_scale_step(tn_ctx* ctx, const tn_loss_scale& s, tn_optimizer& o,
                     tn_variable* const* variables, tn_tensor* const* grads, uint32_t n) {
  const NoGrad no_grad(ctx);
  const Owned scale = value_of(ctx, s.scale);
  const Owned inverse = call_one(ctx, TN_OP_DIV, {scalar(ctx, 1).get(), scale.get()});
  std::vector<Owned> plain;
  std::vector<tn_tensor*> unscaled(n, nullptr);
  plain.reserve(n);
  Owned finite(ctx, nullptr);
  for (uint32_t i = 0; i < n; ++i) {
    if (!grads[i]) continue;
    const Owned wide = call_one(ctx, TN_OP_MUL, {grads[i], inverse.get()});  // f16 * f32 is f32
    plain.push_back(cast(ctx, wide.get(), grads[i]->view.dtype));
    unscaled[i] = plain.back().get();
    const Owned each = call_one(ctx, TN_OP_ISFINITE, {wide.get()});
    Owned all = call_one(ctx, TN_OP_ALL, {each.get()});
    finite = finite ? call_one(ctx, TN_OP_AND, {finite.get(), all.get()}) : std::move(all);
  }
  if (!finite) return optimizer_step(ctx, o, variables, grads, n);
  const Owned before = value_of(ctx, s.finite);
  const Owned now = cast(ctx, finite.get(), TN_DTYPE_F32);
  const Owned both = call_one(ctx, TN_OP_MINIMUM, {before.get(), now.get()});
  check(tn_variable_assign(ctx, s.finite, both.get()));
  optimizer_step(ctx, o, variables, unscaled.data(), n, finite.get());
}

void loss_scale_update(tn_ctx* ctx, const tn_loss_scale& s) {
  const NoGrad no_grad(ctx);
  const Owned scale = value_of(ctx, s.scale), steps = value_of(ctx, s.steps),
              finite = value_of(ctx, s.finite);
  const Owned zero = scalar(ctx, 0), one = scalar(ctx, 1);
  const auto call = [&](tn_op op, const Owned& a, const Owned& b) {
    return call_one(ctx, op, {a.get(), b.get()});
  };
  const auto where = [&](const Owned& c, const Owned& a, const Owned& b) {
    return call_one(ctx, TN_OP_WHERE, {c.get(), a.get(), b.get()});
  };
  const Owned good = call(TN_OP_GT, finite, zero);
  const Owned counted = where(good, call(TN_OP_ADD, steps, one), zero);
  const Owned grows = call(TN_OP_GE, counted, scalar(ctx, s.interval));
  const Owned larger = where(grows, call(TN_OP_MUL, scale, scalar(ctx, s.growth)), scale);
  const Owned smaller = call(TN_OP_MUL, scale, scalar(ctx, s.backoff));
  const Owned bounded =
      call(TN_OP_MAXIMUM, call(TN_OP_MINIMUM, where(good, larger, smaller), scalar(ctx, kMost)),
           scalar(ctx, kLeast));
  const Owned left = where(grows, zero, counted);
  check(tn_variable_assign(ctx, s.scale, bounded.get()));
  check(tn_variable_assign(ctx, s.steps, left.get()));
  const Owned fresh = make_full(ctx, TN_DTYPE_F32, 1, Shape{});
  check(tn_variable_assign(ctx, s.finite, fresh.get()));
}

}  // namespace tenon

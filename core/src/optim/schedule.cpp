#include "schedule.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <memory>
#include <numbers>
#include <span>

#include "base/error.hpp"
#include "optimizer.hpp"
#include "recipe/site.hpp"

namespace tenon {
namespace {

struct Field {
  const char* name;
  double tn_schedule::*value;
  bool required;
  bool whole;  // a number of steps
  double min;
};

constexpr Field kLr = {"lr", &tn_schedule::lr, true, false, 0};
constexpr Field kLrMin = {"lr_min", &tn_schedule::lr_min, false, false, 0};
constexpr Field kGamma = {"gamma", &tn_schedule::gamma, true, false, 0};
constexpr Field kStepSize = {"step_size", &tn_schedule::step_size, true, true, 1};
constexpr Field kSteps = {"steps", &tn_schedule::steps, true, true, 1};
constexpr Field kWarmup = {"warmup_steps", &tn_schedule::warmup_steps, false, true, 0};
constexpr Field kFirst = {"first_step", &tn_schedule::first_step, false, true, 0};

constexpr Field kConstant[] = {kLr, kWarmup, kFirst};
constexpr Field kStep[] = {kLr, kStepSize, kGamma, kWarmup, kFirst};
constexpr Field kExponential[] = {kLr, kGamma, kWarmup, kFirst};
constexpr Field kCosine[] = {kLr, kLrMin, kSteps, kWarmup, kFirst};

struct Description {
  const char* name;
  tn_schedule::Kind kind;
  std::span<const Field> fields;
};
constexpr Description kDescriptions[] = {
    {"constant", tn_schedule::Kind::kConstant, kConstant},
    {"step", tn_schedule::Kind::kStep, kStep},
    {"exponential", tn_schedule::Kind::kExponential, kExponential},
    {"cosine", tn_schedule::Kind::kCosine, kCosine},
};

const char* kind_name(tn_schedule::Kind kind) {
  return std::ranges::find(kDescriptions, kind, &Description::kind)->name;
}

const Description& find_kind(std::string_view kind) {
  std::string known;
  for (const Description& d : kDescriptions) {
    if (kind == d.name) return d;
    known += (known.empty() ? "" : ", ") + std::string(d.name);
  }
  fail(TN_NOT_FOUND, "there is no schedule \"{}\". There are: {}.", kind, known);
}

void read_option(const Description& d, const tn_option& option, tn_schedule& s,
                 std::vector<bool>& seen) {
  const std::string owner = fmt::format("schedule {}", d.name);
  const std::string_view name = view_of(option.name);
  std::string known;
  for (size_t i = 0; i < d.fields.size(); ++i) {
    const Field& f = d.fields[i];
    known += (known.empty() ? "" : ", ") + std::string(f.name);
    if (name != f.name) continue;
    if (seen[i]) fail(TN_INVALID_ARGUMENT, "{}: option \"{}\" is given twice", owner, name);
    seen[i] = true;
    const double value = option_number(owner, option);
    if (!(value >= f.min) || !(value <= FLT_MAX))
      fail(TN_INVALID_ARGUMENT, "{}: {} is {}; it must be at least {} and fit f32", owner, name,
           value, f.min);
    if (f.whole && (value != std::floor(value) || value > 0x1p53))
      fail(TN_INVALID_ARGUMENT, "{}: {} is {}; it must be a whole number, at most 2^53", owner,
           name, value);
    s.*f.value = value;
    return;
  }
  fail(TN_INVALID_ARGUMENT, "{}: there is no option \"{}\". It takes {}.", owner, name, known);
}

void assign(tn_ctx* ctx, const tn_schedule& s, double value) {
  const NoGrad no_grad(ctx);
  const Owned tensor = make_full(ctx, TN_DTYPE_F32, value, Shape{});
  check(tn_variable_assign(ctx, s.variable, tensor.get()));
}

}  // namespace

static double value_at(const tn_schedule& s, uint64_t step) {
  const auto now = static_cast<double>(step);
  if (now < s.warmup_steps) return s.lr * now / s.warmup_steps;
  const double t = now - s.warmup_steps;
  using K = tn_schedule::Kind;
  if (s.kind == K::kStep) return s.lr * std::pow(s.gamma, std::floor(t / s.step_size));
  if (s.kind == K::kExponential) return s.lr * std::pow(s.gamma, t);
  if (s.kind == K::kConstant) return s.lr;
  return s.lr_min +
         (s.lr - s.lr_min) * (1 + std::cos(std::numbers::pi * std::min(t, s.steps) / s.steps)) / 2;
}

double schedule_value(const tn_schedule& s, uint64_t step) {
  const double value = value_at(s, step);
  if (!(value <= FLT_MAX))
    fail(TN_OUT_OF_RANGE,
         "schedule {}: at step {} the value is {} (lr {}, gamma {}), more than an f32 holds. Take "
         "a gamma of at most 1, or stop earlier.",
         kind_name(s.kind), step, value, s.lr, s.gamma);
  return value;
}

tn_schedule* schedule_create(tn_ctx* ctx, std::string_view kind, const tn_option* options,
                             uint32_t n_options, tn_variable* variable) {
  const Description& d = find_kind(kind);
  auto s = std::make_unique<tn_schedule>();
  s->kind = d.kind;
  std::vector<bool> seen(d.fields.size());
  for (uint32_t i = 0; i < n_options; ++i) read_option(d, options[i], *s, seen);
  for (size_t i = 0; i < seen.size(); ++i)
    if (d.fields[i].required && !seen[i])
      fail(TN_INVALID_ARGUMENT, "schedule {}: option \"{}\" is missing", d.name, d.fields[i].name);
  if (s->lr_min > s->lr)
    fail(TN_INVALID_ARGUMENT, "schedule {}: lr_min is {}, above lr, which is {}", d.name, s->lr_min,
         s->lr);
  const Shape& v = variable->shape;
  if (v.dtype != TN_DTYPE_F32 || v.rank != 0)
    fail(TN_INVALID_ARGUMENT, "schedule {}: variable \"{}\" is {}; a schedule drives an f32 scalar",
         d.name, variable->name, shape_text(v));
  s->variable = tn_variable_retain(variable);
  s->step = static_cast<uint64_t>(s->first_step);
  assign(ctx, *s, schedule_value(*s, s->step));
  return s.release();
}

void schedule_step(tn_ctx* ctx, tn_schedule& s) {
  assign(ctx, s, schedule_value(s, s.step + 1));
  ++s.step;
}

}  // namespace tenon

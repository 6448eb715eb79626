// Learning-rate schedules through the C API, on every device of the build, against their formulas.
#include <cmath>
#include <functional>
#include <map>
#include <numbers>

#include "c_api.hpp"

using namespace tenon::test;  // NOLINT(google-build-using-namespace)

namespace {

using Options = std::map<std::string, double>;

struct Plan {
  std::string kind;
  Options options;
  std::function<double(double)> value;  // without warm-up
};

std::vector<Plan> plans() {
  return {
      {"constant", {{"lr", 0.3}}, [](double) { return 0.3; }},
      {"step",
       {{"lr", 0.3}, {"step_size", 4}, {"gamma", 0.1}},
       [](double t) { return 0.3 * std::pow(0.1, std::floor(t / 4)); }},
      {"exponential",
       {{"lr", 0.3}, {"gamma", 0.9}},
       [](double t) { return 0.3 * std::pow(0.9, t); }},
      {"cosine",
       {{"lr", 0.3}, {"lr_min", 0.1}, {"steps", 20}},
       [](double t) {
         return t >= 20 ? 0.1 : 0.1 + 0.1 * (1 + std::cos(std::numbers::pi * t / 20));
       }},
  };
}

}  // namespace

TEST_CASE("schedule: values follow the formulas and drive the variable") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    for (const Plan& plan : plans()) {
      for (const auto& [warmup, first] : {std::pair{0, 0}, {5, 0}, {5, 3}, {5, 11}}) {
        CAPTURE(plan.kind);
        CAPTURE(warmup);
        CAPTURE(first);
        Options options = plan.options;
        if (warmup) options["warmup_steps"] = warmup;
        if (first) options["first_step"] = first;  // as when a training goes on
        std::vector<tn_option> list;
        for (const auto& [key, value] : options) list.push_back(tn_option_f64(key.c_str(), value));
        const Variable lr = variable(ctx, "lr", tensor<float>(ctx, TN_DTYPE_F32, {}, {9}).get());
        tn_schedule* raw_schedule = nullptr;
        OK(tn_schedule_create(ctx, str_of(plan.kind), list.data(),
                              static_cast<uint32_t>(list.size()), lr.get(), &raw_schedule));
        const Schedule schedule(raw_schedule);
        for (int t = first; t < 40; ++t) {
          const double expected = t < warmup ? 0.3 * t / warmup : plan.value(t - warmup);
          double value = -1, driven = -1;
          OK(tn_schedule_value(schedule.get(), static_cast<uint64_t>(t), &value));
          OK(tn_tensor_item_f64(ctx, value_of(ctx, lr.get()).get(), &driven));
          CHECK(value == doctest::Approx(expected).epsilon(1e-12));
          CHECK(driven == static_cast<double>(static_cast<float>(value)));
          OK(tn_schedule_step(ctx, schedule.get()));
        }
      }
    }
  });
}

TEST_CASE("schedule: wrong use is refused with what was wrong") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    const Variable lr = variable(ctx, "lr", tensor<float>(ctx, TN_DTYPE_F32, {}, {1}).get());
    const Variable wide =
        variable(ctx, "wide", tensor<float>(ctx, TN_DTYPE_F32, {2}, {1, 1}).get());
    tn_schedule* s = nullptr;
    const auto create = [&](const char* kind, std::vector<tn_option> options, tn_variable* v) {
      return tn_schedule_create(ctx, tn_string(kind), options.data(),
                                static_cast<uint32_t>(options.size()), v, &s);
    };
    REFUSED(create("linear", {}, lr.get()), TN_NOT_FOUND,
            "there is no schedule \"linear\". There are: constant, step, exponential, cosine.");
    REFUSED(create("step", {tn_option_f64("lr", 1), tn_option_i64("step_size", 2)}, lr.get()),
            TN_INVALID_ARGUMENT, "schedule step: option \"gamma\" is missing");
    REFUSED(
        create("constant", {tn_option_f64("lr", 1), tn_option_f64("gamma", 1)}, lr.get()),
        TN_INVALID_ARGUMENT,
        "schedule constant: there is no option \"gamma\". It takes lr, warmup_steps, first_step.");
    REFUSED(create("constant", {tn_option_f64("lr", -1)}, lr.get()), TN_INVALID_ARGUMENT,
            "lr is -1; it must be at least 0");
    REFUSED(create("constant", {tn_option_f64("lr", 1e300)}, lr.get()), TN_INVALID_ARGUMENT,
            "lr is 1e+300; it must be at least 0 and fit f32");
    REFUSED(
        create("constant", {tn_option_f64("lr", 1), tn_option_f64("warmup_steps", 2.5)}, lr.get()),
        TN_INVALID_ARGUMENT, "warmup_steps is 2.5; it must be a whole number");
    REFUSED(
        create("constant", {tn_option_f64("lr", 1), tn_option_f64("first_step", 1e30)}, lr.get()),
        TN_INVALID_ARGUMENT, "first_step is 1e+30; it must be a whole number, at most 2^53");
    REFUSED(create("cosine", {tn_option_f64("lr", 1), tn_option_i64("steps", 0)}, lr.get()),
            TN_INVALID_ARGUMENT, "steps is 0; it must be at least 1");
    REFUSED(create("cosine",
                   {tn_option_f64("lr", 1), tn_option_f64("lr_min", 2), tn_option_i64("steps", 3)},
                   lr.get()),
            TN_INVALID_ARGUMENT, "lr_min is 2, above lr");
    REFUSED(create("constant", {tn_option_f64("lr", 1)}, wide.get()), TN_INVALID_ARGUMENT,
            "variable \"wide\" is f32[2]; a schedule drives an f32 scalar");
    REFUSED(create("constant", {tn_option_f64("lr", 1)}, nullptr), TN_INVALID_ARGUMENT,
            "variable is NULL");
    CHECK(s == nullptr);
    tn_schedule_release(nullptr);
  });
}

// 0.5 * 2^127 is the last value that an f32 holds.
TEST_CASE("schedule: a value that fits no f32 is refused, and nothing moves") {
  for_each_device([](const Runtime&, tn_ctx* ctx) {
    for (const char* kind : {"exponential", "step"}) {
      CAPTURE(kind);
      const Variable lr = variable(ctx, "lr", tensor<float>(ctx, TN_DTYPE_F32, {}, {1}).get());
      const tn_option options[] = {tn_option_f64("lr", 0.5), tn_option_f64("gamma", 2),
                                   tn_option_i64("step_size", 1)};
      tn_schedule* raw_schedule = nullptr;
      OK(tn_schedule_create(ctx, tn_string(kind), options, *kind == 'e' ? 2 : 3, lr.get(),
                            &raw_schedule));
      const Schedule schedule(raw_schedule);
      double value = -1, driven = -1;
      OK(tn_schedule_value(schedule.get(), 128, &value));
      CHECK(value == 0x1p127);
      value = -1;
      REFUSED(tn_schedule_value(schedule.get(), 129, &value), TN_OUT_OF_RANGE,
              std::string("schedule ") + kind + ": at step 129 the value is 3.4028");
      REFUSED(tn_schedule_value(schedule.get(), 1u << 20, &value), TN_OUT_OF_RANGE,
              "at step 1048576 the value is inf (lr 0.5, gamma 2), more than an f32 holds. Take a "
              "gamma of at most 1");
      CHECK(value == -1);
      for (int t = 0; t < 128; ++t) OK(tn_schedule_step(ctx, schedule.get()));
      for (int again = 0; again < 2; ++again)  // it does not advance either
        REFUSED(tn_schedule_step(ctx, schedule.get()), TN_OUT_OF_RANGE, "at step 129 the value");
      OK(tn_tensor_item_f64(ctx, value_of(ctx, lr.get()).get(), &driven));
      CHECK(driven == 0x1p127);
    }
  });
}

// A long training with objects of all kinds made and released on the way: nothing grows.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "c_api.hpp"

using namespace tenon::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // freed memory is kept back: the leak checker judges instead
#else
constexpr bool kSanitized = false;
#endif

constexpr int64_t kInputs = 6, kHidden = 5, kClasses = 3, kLargestBatch = 256;

// Resident memory of this process alone, in KiB: without pages of files.
long private_kib() {
  long value = 0;
  FILE* f = std::fopen("/proc/self/status", "r");
  REQUIRE(f != nullptr);
  char line[256];
  while (std::fgets(line, sizeof line, f))
    if (std::strncmp(line, "RssAnon:", 8) == 0) value = std::atol(line + 8);
  std::fclose(f);
  REQUIRE(value > 0);
  return value;
}

struct Plan {
  long steps, warm, allowed_kib;
};
Plan plan_of(const std::string& device) {
  if (kSanitized) return {device == "adversary:0" ? 500 : 3000, 0, 0};
  if (device == "adversary:0") return {12000, 5000, 1024};  // every step takes it a millisecond
  return {100000, 5000, 1024};
}

// Everything that lives through the training.
class Training {
 public:
  Training(const Runtime& runtime, const std::string& device) : ctx_(runtime, device) {
    const std::vector<std::vector<int64_t>> shapes = {
        {kHidden, kInputs}, {kHidden}, {kClasses, kHidden}, {kClasses}};
    for (const auto& dims : shapes) {
      int64_t count = 1;
      for (const int64_t d : dims) count *= d;
      std::vector<float> values(static_cast<size_t>(count));
      for (float& v : values) v = uniform_(random_);
      variables_.push_back(variable(ctx_, "w" + std::to_string(variables_.size()),
                                    tensor(ctx_, TN_DTYPE_F32, dims, values).get()));
    }
    tn_optimizer* o = nullptr;
    OK(tn_optimizer_create(ctx_, tn_string("adam"), nullptr, 0, &o));
    optimizer_.reset(o);
    tn_variable* lr = nullptr;
    OK(tn_optimizer_get_hyper(o, tn_string("lr"), &lr));
    const tn_option options[] = {tn_option_f64("lr", 0.01), tn_option_i64("steps", 1000)};
    tn_schedule* s = nullptr;
    OK(tn_schedule_create(ctx_, tn_string("cosine"), options, 2, lr, &s));
    schedule_.reset(s);
    OK(tn_ctx_set_seed(ctx_, 3));
  }

  tn_ctx* ctx() const { return ctx_; }
  std::mt19937& random() { return random_; }
  const std::vector<Variable>& variables() const { return variables_; }

  void step() {
    const int64_t batch = static_cast<int64_t>(random_() % kLargestBatch) + 1;
    pixels_.resize(static_cast<size_t>(batch * kInputs));
    labels_.resize(static_cast<size_t>(batch));
    for (float& p : pixels_) p = static_cast<float>(random_()) * 0x1p-32f;
    for (int64_t& l : labels_) l = static_cast<int64_t>(random_()) % kClasses;
    std::vector<Tensor> kept;
    const auto keep = [&](auto&& call) {
      tn_tensor* t = nullptr;
      OK(call(&t));
      kept.emplace_back(t);
      return t;
    };
    tn_tensor* w[4];
    for (size_t k = 0; k < 4; ++k)
      w[k] = keep([&](tn_tensor** o) { return tn_variable_take(ctx_, variables_[k].get(), o); });
    const int64_t dims[] = {batch, kInputs};
    tn_tensor* x =
        keep([&](tn_tensor** o) { return tn_tensor_from_f32(ctx_, pixels_.data(), 2, dims, o); });
    tn_tensor* y =
        keep([&](tn_tensor** o) { return tn_tensor_from_i64(ctx_, labels_.data(), 1, &batch, o); });
    tn_tensor* h = keep([&](tn_tensor** o) { return tn_linear(ctx_, x, w[0], w[1], o); });
    tn_tensor* r = keep([&](tn_tensor** o) { return tn_relu(ctx_, h, o); });
    tn_tensor* d = keep([&](tn_tensor** o) { return tn_dropout(ctx_, r, nullptr, o); });
    tn_tensor* z = keep([&](tn_tensor** o) { return tn_linear(ctx_, d, w[2], w[3], o); });
    tn_tensor* loss =
        keep([&](tn_tensor** o) { return tn_cross_entropy(ctx_, z, y, nullptr, nullptr, o); });
    tn_tensor* grads[4] = {};
    OK(tn_grad(ctx_, loss, raw(variables_).data(), 4, grads));
    for (tn_tensor* g : grads) kept.emplace_back(g);
    OK(tn_schedule_step(ctx_, schedule_.get()));
    OK(tn_optimizer_step(ctx_, optimizer_.get(), raw(variables_).data(), grads, 4));
    double value = 0;
    OK(tn_tensor_item_f64(ctx_, loss, &value));
    REQUIRE(value == value);
  }

 private:
  std::mt19937 random_{11};
  std::uniform_real_distribution<float> uniform_{-0.5f, 0.5f};
  Context ctx_;
  std::vector<Variable> variables_;
  Optimizer optimizer_;
  Schedule schedule_;
  std::vector<float> pixels_;
  std::vector<int64_t> labels_;
};

// ---- what comes and goes on the way ------------------------------------------------------------

void make_errors(tn_ctx* ctx) {
  const Tensor a = tensor<float>(ctx, TN_DTYPE_F32, {2}, {1, 2});
  const Tensor b = tensor<float>(ctx, TN_DTYPE_F32, {3}, {1, 2, 3});
  tn_tensor* out = nullptr;
  REFUSED(tn_add(ctx, a.get(), b.get(), &out), TN_INVALID_ARGUMENT, "add");
  tn_error* own = tn_error_create(TN_CANCELLED, tn_string("of the program"));
  CHECK(tn_error_code(own) == TN_CANCELLED);
  tn_error_release(own);
}

// A view of a view, of a random size.
void make_views(tn_ctx* ctx, std::mt19937& random) {
  const int64_t n = static_cast<int64_t>(random() % 200) + 2;
  const Tensor base = tensor(ctx, TN_DTYPE_F32, {n, 4}, std::vector<float>(n * 4, 1.0f));
  const int64_t perm[] = {1, 0}, starts[] = {1, 0}, stops[] = {3, n / 2};
  tn_tensor *turned = nullptr, *cut = nullptr, *sum = nullptr;
  OK(tn_transpose(ctx, base.get(), 2, perm, &turned));
  const Tensor first(turned);
  OK(tn_slice(ctx, turned, 2, starts, 2, stops, nullptr, &cut));
  const Tensor second(cut);
  OK(tn_sum(ctx, cut, nullptr, &sum));
  const Tensor third(sum);
  double value = 0;
  OK(tn_tensor_item_f64(ctx, sum, &value));
  CHECK(value == static_cast<double>(2 * (n / 2)));
}

// Export, and a second tensor over the exported memory, where the host can address it.
void exchange(tn_ctx* ctx) {
  tn_tensor* t = nullptr;
  OK(tn_tensor_full_f32(ctx, 4, 0, nullptr, &t));
  const Tensor owner(t);
  tn_dl_managed* managed = nullptr;
  tn_device_info info = tn_device_info_init();
  OK(tn_device_get_info(tn_ctx_get_device(ctx), &info));
  if (!info.host_addressable) {
    REFUSED(tn_tensor_to_dlpack(ctx, t, 0, &managed), TN_UNIMPLEMENTED, "tn_tensor_to");
    return;
  }
  OK(tn_tensor_to_dlpack(ctx, t, 0, &managed));
  tn_tensor* back = nullptr;
  OK(tn_tensor_from_dlpack(ctx, managed, &back));
  const Tensor again(back);
  double value = 0;
  OK(tn_tensor_item_f64(ctx, back, &value));
  CHECK(value == 4);
}

// A context of its own with variables, an optimizer and a schedule for one step.
void train_aside(const Runtime& runtime, const std::string& device) {
  Training other(runtime, device);
  other.step();
}

// Second derivatives, hooks and gradients of the caller's own.
void differentiate(tn_ctx* ctx) {
  tn_tensor *x = nullptr, *y = nullptr, *g = nullptr, *gg = nullptr;
  OK(tn_tensor_leaf(ctx, tensor<float>(ctx, TN_DTYPE_F32, {}, {3}).get(), &x));
  const Tensor a(x);
  OK(tn_mul(ctx, x, x, &y));
  const Tensor b(y);
  const tn_grad_hook hook = {
      [](void*, tn_ctx*, tn_tensor*, tn_tensor**) -> tn_error* { return nullptr; }, nullptr,
      nullptr};
  OK(tn_tensor_add_grad_hook(ctx, y, hook));
  OK(tn_vjp(ctx, &y, nullptr, 1, &x, 1, TN_GRAD_CREATE, &g));
  const Tensor c(g);
  OK(tn_vjp(ctx, &g, nullptr, 1, &x, 1, 0, &gg));
  const Tensor d(gg);
  double value = 0;
  OK(tn_tensor_item_f64(ctx, gg, &value));
  CHECK(value == 2);
}

// The variables to a file and back.
void save_and_load(const Runtime& runtime, tn_ctx* ctx, const std::vector<Variable>& variables,
                   const std::string& path) {
  std::vector<tn_str> names;
  std::vector<Tensor> values;
  for (const Variable& v : variables) {
    names.push_back(tn_variable_name(v.get()));
    values.push_back(value_of(ctx, v.get()));
  }
  OK(tn_model_save(ctx, str_of(path), names.data(), raw(values).data(),
                   static_cast<uint32_t>(names.size()), nullptr, 0, nullptr));
  tn_model* m = nullptr;
  OK(tn_model_open(runtime.get(), str_of(path), nullptr, &m));
  const Model model(m);
  tn_tensor* t = nullptr;
  OK(tn_model_take_tensor(ctx, m, names[0], &t));
  const Tensor loaded(t);
  CHECK(elements<float>(ctx, t) == elements<float>(ctx, values[0].get()));
}

void explain(tn_ctx* ctx) {
  const Tensor a = tensor<float>(ctx, TN_DTYPE_F32, {2, 2}, {1, 2, 3, 4});
  tn_tensor* in[] = {a.get(), a.get()};
  char text[512];
  uint32_t level = 0;
  OK(tn_op_explain(ctx, TN_OP_MATMUL, in, 2, nullptr, 0, &level, text, sizeof text, nullptr));
  OK(tn_tensor_format(a.get(), nullptr, text, sizeof text));
}

void endure(const std::string& device) {
  const Runtime runtime;
  const Plan plan = plan_of(device);
  const std::string path = "/tmp/tenon_endurance_" + std::to_string(getpid()) + ".safetensors";
  long at_warm = 0;
  {
    Training t(runtime, device);
    for (long i = 0; i < plan.steps; ++i) {
      if (i == plan.warm) at_warm = private_kib();
      t.step();
      if (i % 5 == 0) make_errors(t.ctx());
      if (i % 7 == 0) make_views(t.ctx(), t.random());
      if (i % 11 == 0) exchange(t.ctx());
      if (i % 13 == 0) differentiate(t.ctx());
      if (i % 50 == 0) train_aside(runtime, device);
      if (i % 250 == 0) explain(t.ctx());
      if (i % 500 == 0) save_and_load(runtime, t.ctx(), t.variables(), path);
    }
    if (!kSanitized) {
      const long grown = private_kib() - at_warm;
      MESSAGE(device << ": " << plan.steps << " steps, " << at_warm << " KiB at step " << plan.warm
                     << ", then " << grown << " more");
      CHECK(grown <= plan.allowed_kib);
    }
  }
  ::unlink(path.c_str());
  tn_device* d = nullptr;
  tn_memory_stats s = tn_memory_stats_init();
  OK(tn_device_get(runtime.get(), str_of(device), &d));
  OK(tn_device_get_memory(d, &s));
  CHECK(s.live_blocks == 0);
}

}  // namespace

TEST_CASE("endurance: a long training with random batch sizes does not grow") {
  const char* chosen = std::getenv("TENON_DEVICE");
  REQUIRE(chosen != nullptr);
  endure(std::string(chosen) + ":0");
}

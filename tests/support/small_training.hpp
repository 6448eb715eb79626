// One training step of a small network through the C API, written so that it allocates nothing on the host itself: an allocation
// that fails during a step is one of the library's.
#pragma once
#include <doctest/doctest.h>
#include <tenon/tenon.h>

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::test {

// What a step must change as a whole or not at all: bytes of every variable, and of the optimizer's state by name.
using TrainingState = std::map<std::string, std::vector<char>>;

// "" when equal, else the first name that differs. `blank`: what is missing in `was` may be there now if it is all zeros (state
// that an optimizer made and did not fill).
inline std::string difference(const TrainingState& was, const TrainingState& is, bool blank) {
  for (const auto& [name, bytes] : was) {
    const auto found = is.find(name);
    if (found == is.end()) return name + " is gone";
    if (found->second != bytes) return name;
  }
  for (const auto& [name, bytes] : is) {
    if (was.count(name)) continue;
    if (!blank || bytes != std::vector<char>(bytes.size())) return name + " is new";
  }
  return {};
}

struct NetworkSize {
  int64_t batch = 4, inputs = 3, hidden = 5, classes = 3;
  bool convolution =
      false;  // a convolution and a pooling in front; inputs is then the side of the images, hidden the channels
};

class SmallTraining {
 public:
  // On failure `trouble` says why, and a step fails.
  // captured: the step is recorded when it is first made, and a program from then on.
  SmallTraining(tn_ctx* ctx, const NetworkSize& size, const char* optimizer, bool captured = false)
      : ctx_(ctx), size_(size), captured_(captured) {
    if (tn_error* e = make(optimizer)) {
      trouble_ = tn_error_message(e);
      tn_error_release(e);
    }
  }
  SmallTraining(const SmallTraining&) = delete;
  ~SmallTraining() {
    for (tn_variable* v : variables_) tn_variable_release(v);
    tn_optimizer_release(optimizer_);
    tn_program_release(program_);
    tn_tensor_drop(ctx_, loss_);
  }
  const std::string& trouble() const { return trouble_; }
  const auto& variables() const { return variables_; }
  tn_optimizer* optimizer() const { return optimizer_; }

  // The same without the last: what it reads is not undone when reading fails.
  tn_error* step() {
    tn_tensor_drop(ctx_, std::exchange(loss_, nullptr));
    std::array<tn_tensor*, 2> made{};
    tn_error* e = step(made.data());
    for (tn_tensor* t : made) tn_tensor_drop(ctx_, t);
    return e;
  }
  // Of the last step.
  tn_error* read_loss(double* loss) { return tn_tensor_item_f64(ctx_, loss_, loss); }
  // Forward with dropout, backward, clipping, the update, and the loss read back.
  tn_error* step(double* loss) {
    TN_TRY(step());
    return read_loss(loss);
  }

  TrainingState state() {
    TrainingState out;
    for (tn_variable* v : variables_) {
      tn_tensor* t = nullptr;
      require(tn_variable_take(ctx_, v, &t));
      const tn_str name = tn_variable_name(v);
      put(out, name, t);
    }
    uint32_t count = 0;
    require(tn_optimizer_state_count(optimizer_, &count));
    for (uint32_t i = 0; i < count; ++i) {
      tn_str name{};
      tn_tensor* t = nullptr;
      require(tn_optimizer_state_take(ctx_, optimizer_, i, &name, &t));
      put(out, name, t);
    }
    return out;
  }

  // Every entry of `state` back as it was.
  void restore(const TrainingState& state) {
    for (const auto& [name, bytes] : state) {
      const tn_str text = {name.data(), name.size()};
      tn_variable* variable = nullptr;
      for (tn_variable* v : variables_)
        if (same(tn_variable_name(v), text)) variable = v;
      tn_tensor* like = nullptr;
      if (variable) {
        require(tn_variable_take(ctx_, variable, &like));
      } else {
        uint32_t count = 0;
        require(tn_optimizer_state_count(optimizer_, &count));
        for (uint32_t i = 0; i < count; ++i) {
          tn_str is{};
          tn_tensor* t = nullptr;
          require(tn_optimizer_state_take(ctx_, optimizer_, i, &is, &t));
          if (same(is, text)) std::swap(t, like);
          tn_tensor_drop(ctx_, t);
        }
        REQUIRE(like);
      }
      tn_tensor* fresh = nullptr;
      require(tn_tensor_from_host(ctx_, tn_tensor_dtype(like), tn_tensor_rank(like),
                                  tn_tensor_dims(like), bytes.data(), bytes.size(), &fresh));
      tn_tensor_drop(ctx_, like);
      require(variable ? tn_variable_assign(ctx_, variable, fresh)
                       : tn_optimizer_state_set(ctx_, optimizer_, text, fresh));
      tn_tensor_drop(ctx_, fresh);
    }
  }

 private:
  static constexpr size_t kParams = 4;
  static constexpr const char* kNames[kParams] = {"first.weight", "first.bias", "last.weight",
                                                  "last.bias"};

  tn_error* make(const char* optimizer) {
    std::vector<std::vector<int64_t>> shapes;
    if (size_.convolution) {
      const int64_t side = (size_.inputs - 2) / 2;
      shapes = {{size_.hidden, 1, 3, 3},
                {size_.hidden},
                {size_.classes, size_.hidden * side * side},
                {size_.classes}};
      image_ = {size_.batch, 1, size_.inputs, size_.inputs};
      flat_ = {size_.batch, size_.hidden * side * side};
    } else {
      shapes = {{size_.hidden, size_.inputs},
                {size_.hidden},
                {size_.classes, size_.hidden},
                {size_.classes}};
      image_ = {size_.batch, size_.inputs, 1, 1};
    }
    for (size_t k = 0; k < kParams; ++k) {
      int64_t count = 1;
      for (const int64_t d : shapes[k]) count *= d;
      const std::vector<float> values = numbers(static_cast<size_t>(count), 0.4f);
      tn_tensor* t = nullptr;
      TN_TRY(tn_tensor_from_f32(ctx_, values.data(), static_cast<uint32_t>(shapes[k].size()),
                                shapes[k].data(), &t));
      tn_error* e = tn_variable_create(ctx_, tn_string(kNames[k]), t, 0, &variables_[k]);
      tn_tensor_drop(ctx_, t);
      if (e) return e;
    }
    int64_t pixels = 1;
    for (const int64_t d : image_) pixels *= d;
    images_ = numbers(static_cast<size_t>(pixels), 1);
    for (int64_t i = 0; i < size_.batch; ++i) labels_.push_back(i % size_.classes);
    const tn_option options[] = {tn_option_f64("lr", 0.05), tn_option_f64("momentum", 0.9)};
    const uint32_t n_options = std::string_view(optimizer) == "sgd" ? 2 : 1;
    return tn_optimizer_create(ctx_, tn_string(optimizer), options, n_options, &optimizer_);
  }

  static void require(tn_error* e) {
    const std::string message = tn_error_message(e);
    const bool good = e == nullptr;
    tn_error_release(e);
    REQUIRE_MESSAGE(good, message);
  }
  static bool same(tn_str a, tn_str b) {
    return std::string_view(a.data, a.size) == std::string_view(b.data, b.size);
  }
  std::vector<float> numbers(size_t n, float scale) {
    std::vector<float> out(n);
    for (float& x : out) {
      random_ = random_ * 1664525u + 1013904223u;
      x = (static_cast<float>(random_ >> 8) / static_cast<float>(1 << 23) - 1) * scale;
    }
    return out;
  }
  void put(TrainingState& out, tn_str name, tn_tensor* t) {
    std::vector<char> bytes(tn_tensor_bytes(t));
    tn_error* e = tn_tensor_read(ctx_, t, bytes.data(), bytes.size());
    tn_tensor_drop(ctx_, t);
    require(e);
    CHECK(out.emplace(std::string(name.data, name.size), std::move(bytes)).second);
  }

  uint32_t image_rank() const { return size_.convolution ? 4 : 2; }

  // t: slots for images and labels.
  tn_error* step(tn_tensor** t) {
    TN_TRY(tn_ctx_set_seed(ctx_, 5));
    TN_TRY(tn_tensor_from_f32(ctx_, images_.data(), image_rank(), image_.data(), &t[0]));
    TN_TRY(tn_tensor_from_i64(ctx_, labels_.data(), 1, &size_.batch, &t[1]));
    if (captured_ && !program_) {
      tn_error* e = capture();
      tn_capture_abort(ctx_);
      if (e) return e;
    }
    uint32_t n = 0;
    if (captured_) return tn_program_run(ctx_, program_, t, 2, &loss_, 1, &n);
    return compute(t[0], t[1], &loss_);
  }

  tn_error* capture() {
    std::array<tn_tensor*, 3> t{};
    const auto record = [&]() -> tn_error* {
      TN_TRY(tn_capture_begin(ctx_, tn_string("step")));
      TN_TRY(tn_capture_input(ctx_, tn_string("images"), TN_DTYPE_F32, image_rank(), image_.data(),
                              nullptr, &t[0]));
      TN_TRY(tn_capture_input(ctx_, tn_string("labels"), TN_DTYPE_I64, 1, &size_.batch, nullptr,
                              &t[1]));
      TN_TRY(compute(t[0], t[1], &t[2]));
      return tn_capture_end(ctx_, &t[2], 1, &program_);
    };
    tn_error* e = record();
    for (tn_tensor* x : t) tn_tensor_drop(ctx_, x);
    return e;
  }

  // Everything from the inputs to the update.
  tn_error* compute(tn_tensor* images, tn_tensor* labels, tn_tensor** out_loss) {
    std::array<tn_tensor*, 24> made{};
    tn_error* e = run(made.data(), images, labels, out_loss);
    for (tn_tensor* t : made) tn_tensor_drop(ctx_, t);
    return e;
  }

  // t: slots for everything that is made.
  tn_error* run(tn_tensor** t, tn_tensor* images, tn_tensor* labels, tn_tensor** out_loss) {
    const int64_t window[] = {2, 2};
    tn_tensor **params = t, **grads = t + kParams, **clipped = t + 2 * kParams,
              **value = t + 3 * kParams;
    for (size_t k = 0; k < kParams; ++k) TN_TRY(tn_variable_take(ctx_, variables_[k], &params[k]));
    if (size_.convolution) {
      TN_TRY(tn_conv2d(ctx_, images, params[0], params[1], nullptr, &value[2]));
      TN_TRY(tn_relu(ctx_, value[2], &value[3]));
      TN_TRY(tn_max_pool2d(ctx_, value[3], 2, window, nullptr, &value[4]));
      TN_TRY(tn_reshape(ctx_, value[4], 2, flat_.data(), &value[5]));
    } else {
      TN_TRY(tn_linear(ctx_, images, params[0], params[1], &value[2]));
      TN_TRY(tn_relu(ctx_, value[2], &value[5]));
    }
    TN_TRY(tn_dropout(ctx_, value[5], nullptr, &value[6]));
    TN_TRY(tn_linear(ctx_, value[6], params[2], params[3], &value[7]));
    TN_TRY(tn_cross_entropy(ctx_, value[7], labels, nullptr, nullptr, out_loss));
    TN_TRY(tn_grad(ctx_, *out_loss, variables_.data(), kParams, grads));
    TN_TRY(tn_clip_grad_norm(ctx_, grads, kParams, 1.0, clipped, &value[9]));
    return tn_optimizer_step(ctx_, optimizer_, variables_.data(), clipped, kParams);
  }

  tn_ctx* ctx_;
  NetworkSize size_;
  bool captured_ = false;
  tn_program* program_ = nullptr;
  tn_tensor* loss_ = nullptr;
  std::string trouble_;
  uint32_t random_ = 7;
  std::array<tn_variable*, kParams> variables_{};
  tn_optimizer* optimizer_ = nullptr;
  std::array<int64_t, 4> image_{};
  std::array<int64_t, 2> flat_{};
  std::vector<float> images_;
  std::vector<int64_t> labels_;
};

}  // namespace tenon::test

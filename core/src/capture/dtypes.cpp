// A program on inputs of other dtypes than it was captured for.
#include <algorithm>

#include "base/error.hpp"
#include "capture.hpp"

namespace tenon {
namespace {

constexpr size_t kMostOthers = 32;

bool fits(const tn_program& p, tn_tensor* const* arguments) {
  return std::ranges::all_of(
      p.arguments, [&](const Argument& a) { return a.shape.dtype == (*arguments++)->view.dtype; });
}

// What was recorded has its casts already.
class Uncast {
 public:
  explicit Uncast(tn_ctx* ctx) : ctx_(ctx), before_(std::exchange(ctx->autocast, 0)) {}
  ~Uncast() { ctx_->autocast = before_; }
  Uncast(const Uncast&) = delete;

 private:
  tn_ctx* ctx_;
  tn_dtype before_;
};

}  // namespace

tn_program& for_dtypes(tn_ctx* ctx, tn_program& p, tn_tensor* const* arguments) {
  if (fits(p, arguments)) return p;
  const std::lock_guard lock(p.mutex);
  for (const auto& other : p.others)
    if (fits(*other, arguments)) return *other;
  for (size_t i = 0; i < p.arguments.size(); ++i) {
    const Argument& a = p.arguments[i];
    const tn_view& v = arguments[i]->view;
    if (v.dtype == a.shape.dtype || p.targets.empty() ||
        (!is_floating(v.dtype) && !is_floating(a.shape.dtype)))
      continue;
    fail(TN_INVALID_ARGUMENT,
         "program \"{}\": input \"{}\" is {}, the program takes {}. It assigns to variables, and "
         "so takes floating dtypes as they were captured: cast it.",
         p.name, a.name, tn_dtype_name(v.dtype), tn_dtype_name(a.shape.dtype));
  }
  if (p.others.size() == kMostOthers)
    fail(TN_FAILED_PRECONDITION,
         "program \"{}\" ran with {} sets of input dtypes, the most there are", p.name,
         kMostOthers);
  const Uncast uncast(ctx);
  try {
    Captured inner(ctx, p.device, p.name);
    std::vector<Owned> values;
    std::vector<tn_tensor*> inputs, outputs(p.n_outputs);
    for (const Argument& a : p.arguments) {
      Shape shape = a.shape;
      shape.dtype = arguments[inputs.size()]->view.dtype;
      values.push_back(inner.capture.input(a.name, shape, p.symbols));
      inputs.push_back(values.back().get());
    }
    inner.capture.play_ops(p, inputs.data(), outputs.data());
    for (tn_tensor* t : outputs) values.emplace_back(ctx, t);
    inner.capture.set_memory_budget(p.memory_budget);
    p.others.push_back(inner.capture.finish(outputs.data(), p.n_outputs));
  } catch (const Error& e) {
    fail(e.code(),
         "program \"{}\" was captured for inputs of other dtypes, and cannot run on these: {}",
         p.name, e.message());
  }
  return *p.others.back();
}

}  // namespace tenon

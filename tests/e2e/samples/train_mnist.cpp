#include "sample.h"
#define main train_mnist_main
#include <memory>

#include "../../../samples/train_mnist.cpp"

namespace {

// 30 images made here, and what run() makes before its first epoch.
struct Mnist {
  tenon::Runtime runtime;
  Context cx;
  LeNet net;
  Data data;
  Training training;

  explicit Mnist(const Options& o)
      : cx(runtime, o.device),
        net(seeded(o)),
        data(cx, made()),
        training(cx, net, o, /*steps=*/8) {}

  Context& seeded(const Options& o) { return cx.seed(o.seed), cx; }
  static Images made() {
    Images images{30, {}, {}};
    std::mt19937 random(7);
    for (int i = 0; i < 30 * 784; ++i) images.pixels.push_back(static_cast<uint8_t>(random()));
    for (int i = 0; i < 30; ++i) images.labels.push_back(static_cast<uint8_t>(random() % 10));
    return images;
  }
};
std::unique_ptr<Mnist> m;

template <class F>
tn_error* caught(F&& call) {
  try {
    return call(), nullptr;
  } catch (const std::exception& e) {
    return tn_error_create(TN_INTERNAL, tn_string(e.what()));
  }
}

tn_error* start(const char* device, tn_ctx** out_ctx) {
  return caught([&] {
    Options o;
    o.device = device;
    m = std::make_unique<Mnist>(o);
    *out_ctx = m->cx.get();
  });
}

// Every third batch is a small one, as the last of an epoch.
tn_error* before(uint32_t step, tn_tensor** out_inputs) {
  return caught([&] {
    std::vector<int64_t> order(step % 3 == 2 ? 5 : 10);
    std::iota(order.begin(), order.end(), step % 3 * 10);
    const Tensor rows(m->cx, order, {static_cast<int64_t>(order.size())});
    m->training.schedule.step();
    out_inputs[0] =
        tn_tensor_retain(shifted(tenon::gather(m->data.images, rows), m->training.random).get());
    out_inputs[1] = tn_tensor_retain(tenon::gather(m->data.labels, rows).get());
  });
}

tn_error* compute(tn_tensor* const* inputs, tn_tensor** outputs) {
  return caught([&] {
    tn_ctx* cx = m->cx.get();
    const Tensor images(cx, tn_tensor_retain(inputs[0])), labels(cx, tn_tensor_retain(inputs[1]));
    outputs[0] = tn_tensor_retain(m->training.update(images, labels).get());
  });
}

tn_variable* variable(uint32_t k) {
  return k < m->net.vars.size() ? m->net.vars[k].get() : nullptr;
}
tn_program* program() { return m->training.step.get(); }
void stop() { m.reset(); }

}  // namespace

extern "C" const Sample sample_train_mnist = {.file = "train_mnist.cpp",
                                              .device = nullptr,
                                              .steps = 6,
                                              .inputs = 2,
                                              .outputs = 1,
                                              .any_size = 1,
                                              .start = start,
                                              .before = before,
                                              .compute = compute,
                                              .variable = variable,
                                              .program = program,
                                              .stop = stop};

// Results are the same to the last bit for any number of threads: every sample of every op, and calls large enough to be cut.
//
//   threads_test --device NAME --plugin PATH
//
// TENON_CPU_CUT=all cuts the samples too. Exit status: 0 all well, 1 something failed, 2 wrong arguments or no such device.
#include <tenon/op_ids.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "device_main.hpp"
#include "runner.hpp"

namespace {

using namespace tenon::conformance;  // NOLINT(google-build-using-namespace): its one user

constexpr int32_t kThreads[] = {1, 2, 5};

using Bits = std::vector<std::vector<unsigned char>>;

struct Side {
  Side(const std::string& device, const std::string& plugin, int32_t threads) {
    const tn_str path = {plugin.data(), plugin.size()};
    tn_runtime_desc desc = tn_runtime_desc_init();
    desc.plugin_paths = &path;
    desc.plugin_path_count = 1;
    desc.thread_count = threads;
    check(tn_runtime_create(&desc, &runtime));
    session = std::make_unique<Session>(runtime, device);
  }
  ~Side() {
    session.reset();
    tn_runtime_release(runtime);
  }
  Side(const Side&) = delete;

  Bits call(tn_op op, const std::vector<Array>& arrays, const Attrs& attrs) {
    const Inputs inputs(*session, arrays, Layout::contiguous);
    session->set_random(random_state(false));
    Bits bits;
    for (const Tensor& y : session->call(op, inputs.in, attrs))
      bits.push_back(session->bytes(y.get()));
    return bits;
  }

  tn_runtime* runtime = nullptr;
  std::unique_ptr<Session> session;
};

// Values of x that add up to something else in another order.
Array random_array(const Dims& dims, Rng& rng, tn_dtype dtype = TN_DTYPE_F32) {
  Array x(dtype, dims);
  for (int64_t k = 0; k < x.count(); ++k) x.set(k, rng.between(-1, 1));
  return x;
}

struct Tally {
  int compared = 0, failed = 0;
};

void compare(std::vector<std::unique_ptr<Side>>& sides, const std::string& what, tn_op op,
             const std::vector<Array>& arrays, const Attrs& attrs, Tally& tally,
             bool may_refuse = true) {
  Bits want;
  size_t refused = 0;
  for (size_t k = 0; k < sides.size(); ++k) {
    try {
      Bits got = sides[k]->call(op, arrays, attrs);
      if (k == 0) {
        want = std::move(got);
        continue;
      }
      ++tally.compared;
      if (got == want) continue;
      ++tally.failed;
      std::printf("fail %s: other bits with %d threads than with one\n", what.c_str(), kThreads[k]);
    } catch (const Fault&) {  // some are there to be refused
      sides[k]->session->recover();
      ++refused;
    }
  }
  if (refused == 0 || (may_refuse && refused == sides.size())) return;
  ++tally.failed;
  std::printf("fail %s: refused with some numbers of threads\n", what.c_str());
}

// What the samples are too small for.
void compare_large(std::vector<std::unique_ptr<Side>>& sides, Tally& tally) {
  struct {
    const char* name;
    int64_t batch, ci, co, side, kernel;
  } const convolutions[] = {{"one channel", 64, 1, 6, 28, 5},
                            {"six channels", 64, 6, 16, 14, 5},
                            {"images", 4, 3, 64, 64, 7},
                            {"many channels", 2, 48, 40, 20, 3},
                            {"channels that are no whole blocks", 6, 36, 20, 24, 2},
                            {"channels that are no whole blocks either", 7, 40, 18, 22, 5}};
  Rng rng(11);
  for (const auto& c : convolutions) {
    const int64_t out = c.side - c.kernel + 1;
    const Array x = random_array({c.batch, c.ci, c.side, c.side}, rng);
    const Array g = random_array({c.batch, c.co, out, out}, rng);
    const Array w = random_array({c.co, c.ci, c.kernel, c.kernel}, rng);
    compare(sides, std::string("conv2d, ") + c.name, TN_OP_CONV2D,
            {x, w, random_array({c.co}, rng)}, {}, tally, false);
    compare(sides, std::string("conv2d_input_grad, ") + c.name, TN_OP_CONV2D_INPUT_GRAD, {g, w},
            {{integer(TN_CONV2D_INPUT_GRAD_HEIGHT, c.side),
              integer(TN_CONV2D_INPUT_GRAD_WIDTH, c.side)}},
            tally, false);
    compare(sides, std::string("conv2d_weight_grad, ") + c.name, TN_OP_CONV2D_WEIGHT_GRAD, {g, x},
            {{integer(TN_CONV2D_WEIGHT_GRAD_HEIGHT, c.kernel),
              integer(TN_CONV2D_WEIGHT_GRAD_WIDTH, c.kernel)}},
            tally, false);
  }
  constexpr int64_t kProducts[][3] = {{300, 290, 2048}, {330, 100, 2600}, {70, 1500, 129}};
  for (const auto& [m, n, k] : kProducts)
    compare(sides, "matmul of bf16, " + std::to_string(k) + " terms", TN_OP_MATMUL,
            {random_array({m, k}, rng, TN_DTYPE_BF16), random_array({k, n}, rng, TN_DTYPE_BF16)},
            {}, tally, false);
  for (const int64_t heads : {1, 3, 12}) {
    const Dims dims{1, heads, 300, 64};
    Array none;
    none.absent = true;
    for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_BF16})
      for (const bool causal : {false, true}) {
        std::vector<Array> all;
        for (int k = 0; k < 5; ++k) all.push_back(random_array(dims, rng, dtype));
        all.push_back(none);
        const std::string what =
            name_of(dtype) + (causal ? ", causal, " : ", ") + std::to_string(heads) + " heads";
        compare(sides, "scaled_dot_product_attention of " + what,
                TN_OP_SCALED_DOT_PRODUCT_ATTENTION, {all.begin() + 2, all.end()},
                {{flag(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, causal)}}, tally, false);
        compare(sides, "scaled_dot_product_attention_grad of " + what,
                TN_OP_SCALED_DOT_PRODUCT_ATTENTION_GRAD, all,
                {{flag(TN_SCALED_DOT_PRODUCT_ATTENTION_GRAD_CAUSAL, causal)}}, tally, false);
      }
  }
}

int run(const std::string& device, const std::string& plugin) {
  std::vector<std::unique_ptr<Side>> sides;
  for (const int32_t n : kThreads) sides.push_back(std::make_unique<Side>(device, plugin, n));
  Tally tally;
  for (const OpSamples& op : catalogue().ops()) {
    for (const Case& c : op.cases) {
      if (c.refusal != TN_OK) continue;
      for (const tn_dtype dtype : dtypes_of(op, c, true))
        compare(sides, op.name + " (" + c.name + ")", op.op, inputs_of(op, c, dtype), c.attrs,
                tally);
    }
  }
  compare_large(sides, tally);
  std::printf("%s: %d compared, %d failed\n", device.c_str(), tally.compared, tally.failed);
  return tally.failed == 0 && tally.compared > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return device_main(argc, argv, run); }

// A kernel that the reference backend does not have, for faults of kernels whose op is no base op.
#include <algorithm>
#include <cmath>

#include <tenon/op_ids.h>

#include <tenon/sdk/attrs.hpp>
#include <tenon/sdk/host_kernels.hpp>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

struct LayerNorm {
  struct Data {
    size_t axes = 0, size = 0;
    double epsilon = 0;
  };
  static size_t size_of(const tn_view& x, size_t axes) {
    size_t n = 1;
    for (size_t k = x.rank - axes; k < x.rank; ++k) n *= static_cast<size_t>(x.dims[k]);
    return n;
  }
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    const auto axes = static_cast<size_t>(sdk::attr_i64(s, TN_LAYER_NORM_AXES));
    return Data{axes, size_of(s.input(0), axes), sdk::attr_f64(s, TN_LAYER_NORM_EPSILON)};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const tn_view &scale = args[1], &bias = args[2];
    sdk::Dense<double> x = sdk::load<double>(args[0]), factors, terms;
    if (!sdk::is_absent(scale)) factors = sdk::load<double>(scale);
    if (!sdk::is_absent(bias)) terms = sdk::load<double>(bias);
    // What prepare saw is not what is there now: a plan serves all dims of one rank.
    const bool late = is("plan_keeps_dims_late");  // and another fault in the samples before
    const size_t n = late || is("plan_keeps_dims") ? plan.size : size_of(args[0], plan.axes);
    const bool unbiased =
        (args[0].dtype == TN_DTYPE_BF16 && is("layer_norm_unbiased")) || (late && n == 6);
    for (size_t start = 0; n > 0 && start + n <= x.size(); start += n) {
      double mean = 0, variance = 0;
      for (size_t k = start; k < start + n; ++k) mean += x[k] / static_cast<double>(n);
      for (size_t k = start; k < start + n; ++k) variance += (x[k] - mean) * (x[k] - mean);
      variance /= static_cast<double>(unbiased && n > 1 ? n - 1 : n);
      for (size_t k = 0; k < n; ++k) {
        double& y = x[start + k] = (x[start + k] - mean) / std::sqrt(variance + plan.epsilon);
        if (!factors.empty()) y *= factors[k % factors.size()];
        if (!terms.empty()) y += terms[k % terms.size()];
      }
    }
    sdk::store(x, args[3]);
  }
};

}  // namespace

tn_kernel layer_norm() { return sdk::host_kernel<LayerNorm>("layer_norm"); }

}  // namespace tenon::faulty

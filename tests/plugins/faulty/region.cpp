// A kernel of regions for the reference backend, which has none: some ops in f32.
#include <tenon/plugin/region.h>

#include <cmath>
#include <cstring>

#include <tenon/sdk/attrs.hpp>
#include <tenon/sdk/host_kernels.hpp>

#include "faulty.hpp"

namespace tenon::faulty {
namespace {

struct Region {
  struct Data {
    std::vector<int64_t> code;
    uint32_t n_inputs = 0;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    const tn_signature& raw = s;
    const auto code = sdk::attr_i64s(raw, TN_REGION_CODE);
    tn_region_code parts;
    if (!tn_region_read(code.data(), code.size(), raw.n_inputs, &parts))
      return s.decline("no code of this version");
    for (uint32_t k = 0; k < raw.n_inputs; ++k)
      if (raw.inputs[k]->dtype != TN_DTYPE_F32) return s.decline("f32 only");
    for (uint32_t k = 0; k < parts.n_instructions; ++k) {
      const tn_region_instruction x = tn_region_at(&parts, k);
      if (x.dtype != TN_DTYPE_F32) return s.decline("f32 only");
      if (x.op != TN_OP_ADD && x.op != TN_OP_SUB && x.op != TN_OP_MUL && x.op != TN_OP_ABS &&
          x.op != TN_OP_RELU && x.op != TN_OP_SUM && x.op != TN_OP_MAX &&
          x.op != TN_REGION_CONSTANT)
        return s.decline("an op that it lacks");
    }
    return Data{{code.begin(), code.end()}, raw.n_inputs};
  }
  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    const size_t n_inputs = plan.n_inputs;
    tn_region_code code{};
    tn_region_read(plan.code.data(), plan.code.size(), plan.n_inputs, &code);
    std::vector<sdk::Dense<double>> values;
    for (size_t k = 0; k < n_inputs; ++k)
      values.push_back(sdk::load<double>(args[static_cast<int>(k)]));
    const auto n = static_cast<size_t>(args[0].count);
    for (uint32_t i = 0; i < code.n_instructions; ++i) {
      const tn_region_instruction x = tn_region_at(&code, i);
      if (tn_region_folds(x.op)) {
        values.push_back(folded(x, values[static_cast<size_t>(x.args[0])], args[0]));
        continue;
      }
      sdk::Dense<double> y = values[0];
      for (size_t k = 0; k < n; ++k) y.data()[k] = value(code, i, values, k);
      values.push_back(std::move(y));
    }
    for (size_t k = 0; k < code.n_outputs; ++k)
      sdk::store(values[static_cast<size_t>(code.outputs[k])],
                 args[static_cast<int>(n_inputs + k)]);
  }

 private:
  // `of` has the dims of the region, as all operands have.
  static sdk::Dense<double> folded(const tn_region_instruction& x, const sdk::Dense<double>& v,
                                   const tn_view& of) {
    const auto folds = [&](int a) { return (x.args[1] >> a & 1) != 0; };
    size_t results = 1;
    for (int a = 0; a < of.rank; ++a) results *= folds(a) ? 1 : static_cast<size_t>(of.dims[a]);
    sdk::Dense<double> y(results, x.op == TN_OP_SUM ? 0.0 : -HUGE_VAL);
    for (size_t i = 0; i < v.size(); ++i) {
      size_t rest = i, at = 0, step = 1;
      bool last = true;  // of what is folded into its result
      for (int a = of.rank - 1; a >= 0; --a) {
        const size_t dim = static_cast<size_t>(of.dims[a]), index = rest % dim;
        rest /= dim;
        if (folds(a)) {
          last = last && index + 1 == dim;
        } else {
          at += index * step, step *= dim;
        }
      }
      if (last && is("region_fold_short")) continue;
      y[at] = x.op == TN_OP_SUM ? y[at] + v[i] : std::fmax(y[at], v[i]);
    }
    return y;
  }
  static float value(const tn_region_code& code, uint32_t i,
                     const std::vector<sdk::Dense<double>>& values, size_t k) {
    const tn_region_instruction x = tn_region_at(&code, i);
    const auto operand = [&](int a) {
      return static_cast<float>(values[static_cast<size_t>(x.args[a])].data()[k]);
    };
    if (x.op == TN_REGION_CONSTANT) {
      float constant = 0;
      std::memcpy(&constant, &x.args[0], sizeof constant);
      return constant;
    }
    if (x.op == TN_OP_ABS) return std::fabs(operand(0));
    if (x.op == TN_OP_RELU) return operand(0) <= 0 ? 0 : operand(0);
    if (x.op == TN_OP_MUL) return operand(0) * operand(1);
    if (x.op == TN_OP_SUB) return operand(0) - operand(1);
    const int64_t product = x.args[0] - code.n_inputs;
    if (product >= 0 && is("region_contracts")) {  // a product and a sum in one rounding
      const tn_region_instruction p = tn_region_at(&code, static_cast<uint32_t>(product));
      const auto factor = [&](int a) {
        return static_cast<float>(values[static_cast<size_t>(p.args[a])].data()[k]);
      };
      if (p.op == TN_OP_MUL) return std::fma(factor(0), factor(1), operand(1));
    }
    return operand(0) + operand(1);
  }
};

}  // namespace

tn_kernel region() { return sdk::host_kernel<Region>("region"); }

}  // namespace tenon::faulty

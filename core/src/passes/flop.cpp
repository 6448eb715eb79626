// Multiplications and additions of products and convolutions.
#include <cmath>

#include "pass.hpp"

namespace tenon {

double flop_of(std::string_view op, const tn_view* const* args, size_t y) {
  const auto count = [](const tn_view* v) { return static_cast<double>(v->count); };
  const auto last = [](const tn_view* v, int from_end) {
    return static_cast<double>(v->rank >= from_end ? v->dims[v->rank - from_end] : 1);
  };
  const auto of_conv = [&](const tn_view* to, const tn_view* w) {
    return w->rank && w->dims[0] ? 2 * count(to) * count(w) / static_cast<double>(w->dims[0]) : 0;
  };
  if (op.ends_with("_region")) op.remove_suffix(7);
  if (op == "matmul") {
    // One of the last two dims of a is the rows of the result, the other is summed over.
    const double rows = last(args[y], 2), sides = last(args[0], 2) * last(args[0], 1);
    return rows > 0 ? 2 * count(args[y]) * sides / rows : 0;
  }
  if (op == "linear")
    return last(args[0], 1) > 0 ? 2 * count(args[0]) * count(args[1]) / last(args[0], 1) : 0;
  if (op == "conv2d" || op == "conv") return of_conv(args[y], args[1]);
  if (op == "conv2d_input_grad") return of_conv(args[0], args[1]);
  if (op == "conv2d_weight_grad") return of_conv(args[0], args[2]);
  return std::nan("");
}

}  // namespace tenon

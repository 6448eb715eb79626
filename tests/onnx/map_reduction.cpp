// ONNX's reductions, running sums, products of matrices and what is made along one axis.
#include "mapping.hpp"

namespace tenon::onnx {
namespace {

struct Over {
  Dims axes;
  bool keepdims = true;
  bool nothing = false;  // no axes, and that means none, not all
};

// Axes are an attribute, of ReduceSum since opset 13 an input.
Over over(const Call& c) {
  Over o;
  o.axes = c.given(1) ? c.numbers(1) : c.integers("axes");
  o.keepdims = c.flag("keepdims", true);
  o.nothing = c.flag("noop_with_empty_axes", false) && o.axes.empty();
  return o;
}

// The same dtype comes out as goes in; Tenon sums narrow integers in i64.
template <class Reduce>
Results reduced(const Call& c, Reduce reduce) {
  const Over o = over(c);
  return {o.nothing ? copy(c.in(0)) : as(reduce(c.in(0), o), c.in(0).dtype())};
}

// argmax or argmin; the last of equals is the first one from behind.
template <class Options, Tensor (*op)(const Tensor&, const Options&)>
Results arg(const Call& c) {
  const Tensor& x = c.in(0);
  const int64_t axis = axis_of(c.integer("axis", 0), x);
  const bool last = c.flag("select_last_index", false), keep = c.flag("keepdims", true);
  const Tensor y = op(last ? flip(x, {axis}) : x, {.axis = axis, .keepdims = keep});
  return {last ? x.dim(static_cast<uint32_t>(axis)) - 1 - y : y};
}

// One at the first greatest element along axis, else zero.
Results hard_max(const Call& c) {
  const Tensor& x = c.in(0);
  const int64_t axis = axis_of(c.integer("axis", -1), x);
  const int64_t depth = x.dim(static_cast<uint32_t>(axis));
  return {last_axis_to(one_hot(argmax(x, {.axis = axis}), depth, {.dtype = x.dtype()}), axis)};
}

Results running_sum(const Call& c) {
  return {as(cumsum(c.in(0), {.axis = c.number(1),
                              .exclusive = c.flag("exclusive", false),
                              .reverse = c.flag("reverse", false)}),
             c.in(0).dtype())};
}

Results gemm(const Call& c) {
  const double alpha = c.real("alpha", 1), beta = c.real("beta", 1);
  Tensor y =
      matmul(c.in(0), c.in(1),
             {.transpose_a = c.flag("transA", false), .transpose_b = c.flag("transB", false)});
  if (alpha != 1) y = alpha * y;
  if (!c.given(2)) return {y};
  return {y + (beta == 1 ? c.in(2) : beta * c.in(2))};
}

constexpr Mapping kMappings[] = {
    {"ReduceSum",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return sum(x, {.axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceMean",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return mean(x, {.axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceMax",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return max(x, {.axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceMin",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return min(x, {.axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceProd",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return prod(x, {.axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceL1",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return norm(x, {.ord = 1, .axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceL2",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return norm(x, {.ord = 2, .axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceLogSum",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return log(sum(x, {.axes = o.axes, .keepdims = o.keepdims}));
       });
     }},
    {"ReduceLogSumExp",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return logsumexp(x, {.axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ReduceSumSquare",
     [](const Call& c) {
       return reduced(c, [](const Tensor& x, const Over& o) {
         return sum(square(x), {.axes = o.axes, .keepdims = o.keepdims});
       });
     }},
    {"ArgMax", arg<ArgmaxOptions, argmax>},
    {"ArgMin", arg<ArgminOptions, argmin>},
    {"Hardmax", hard_max},
    {"CumSum", running_sum},
    {"MatMul", [](const Call& c) -> Results { return {matmul(c.in(0), c.in(1))}; }},
    {"Gemm", gemm},
    {"Einsum",
     [](const Call& c) -> Results { return {einsum(c.inputs(), c.text("equation", ""))}; }},
    {"Det", [](const Call& c) -> Results { return {det(c.in(0))}; }},
    {"Softmax",
     [](const Call& c) -> Results { return {softmax(c.in(0), {.axis = c.integer("axis", -1)})}; }},
    {"LogSoftmax",
     [](const Call& c) -> Results {
       return {log_softmax(c.in(0), {.axis = c.integer("axis", -1)})};
     }},
};

}  // namespace

std::span<const Mapping> reduction_mappings() { return kMappings; }

}  // namespace tenon::onnx

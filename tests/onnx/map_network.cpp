// ONNX's normalisations, losses, recurrent layers and images.
#include <numeric>

#include "mapping.hpp"

namespace tenon::onnx {
namespace {

// In training the statistics are those of the batch, and the running ones take them in by 1 - momentum.
Results batch_normalization(const Call& c) {
  const double epsilon = c.real("epsilon", 1e-5), momentum = c.real("momentum", 0.9);
  if (!c.flag("training_mode", false))
    return {batch_norm(c.in(0), c.in(1), c.in(2), c.in(3), c.in(4), {.epsilon = epsilon})};
  const BatchNormTrainResult r = batch_norm_train(c.in(0), c.in(1), c.in(2), {.epsilon = epsilon});
  return {r.y, c.in(3) * momentum + r.mean * (1 - momentum),
          c.in(4) * momentum + r.variance * (1 - momentum)};
}

// Mean and 1 / deviation are outputs too.
Results layer_normalization(const Call& c) {
  const Tensor& x = c.in(0);
  const double epsilon = c.real("epsilon", 1e-5);
  c.only("stash_type", 1);
  const int64_t first = axis_of(c.integer("axis", -1), x), n = x.rank() - first;
  Results y = {layer_norm(x, c.in(1), c.in(2), {.axes = n, .epsilon = epsilon})};
  Dims axes(static_cast<size_t>(n));
  std::iota(axes.begin(), axes.end(), first);
  y.push_back(mean(x, {.axes = axes, .keepdims = true}));
  y.push_back(rsqrt(var(x, {.axes = axes, .keepdims = true}) + epsilon));
  return y;
}

Results mean_variance_normalization(const Call& c) {
  const Dims axes = c.integers("axes", {0, 2, 3});
  const Tensor& x = c.in(0);
  return {(x - mean(x, {.axes = axes, .keepdims = true})) /
          std_(x, {.axes = axes, .keepdims = true})};
}

Results negative_log_likelihood(const Call& c) {
  const std::string reduction = c.text("reduction", "mean");
  return {nll(c.in(0), c.in(1), c.in(2),
              {.reduction = reduction, .ignore_index = c.integer("ignore_index", -100)})};
}

Results softmax_cross_entropy(const Call& c) {
  const std::string reduction = c.text("reduction", "mean");
  return {cross_entropy(c.in(0), c.in(1), c.in(2),
                        {.reduction = reduction, .ignore_index = c.integer("ignore_index", -100)}),
          log_softmax(c.in(0), {.axis = 1})};
}

// Without training nothing is dropped; nor is with a ratio of 0.
Results drop_out(const Call& c) {
  const bool training = c.given(2) && c.in(2).item() != 0;
  const double ratio = c.given(1) ? c.in(1).item() : c.real("ratio", 0.5);
  c.ignore("seed");
  if (training && ratio != 0) throw NotApplicable("random numbers");
  return {copy(c.in(0)), Tensor::full(c.cx, 1, dims_of(c.in(0)), TN_DTYPE_BOOL)};
}

// ---- recurrent layers. With layout 1 the batch comes first.
bool batch_first(const Call& c) { return c.flag("layout", false); }
Tensor steps_first(const Call& c, const Tensor& x) {
  return batch_first(c) && !x.empty() ? transpose(x, {1, 0, 2}) : x;
}
// [steps, directions, batch, hidden] as [batch, steps, directions, hidden].
Tensor sequence(const Call& c, const Tensor& y) {
  return batch_first(c) ? transpose(y, {2, 0, 1, 3}) : y;
}
std::string direction_of(const Call& c) {
  c.ignore("hidden_size");  // that of the weights
  return c.text("direction", "forward");
}

Results simple_rnn(const Call& c) {
  const std::string direction = direction_of(c);
  const RnnResult r = rnn(steps_first(c, c.in(0)), c.in(1), c.in(2), c.in(3), c.in(4),
                          steps_first(c, c.in(5)), {.direction = direction});
  return {sequence(c, r.y), steps_first(c, r.h)};
}

Results gru_layer(const Call& c) {
  const std::string direction = direction_of(c);
  const GruResult r =
      gru(steps_first(c, c.in(0)), c.in(1), c.in(2), c.in(3), c.in(4), steps_first(c, c.in(5)),
          {.direction = direction, .linear_before_reset = c.flag("linear_before_reset", false)});
  return {sequence(c, r.y), steps_first(c, r.h)};
}

Results lstm_layer(const Call& c) {
  const std::string direction = direction_of(c);
  const LstmResult r =
      lstm(steps_first(c, c.in(0)), c.in(1), c.in(2), c.in(3), c.in(4), steps_first(c, c.in(5)),
           steps_first(c, c.in(6)), c.in(7), {.direction = direction});
  return {sequence(c, r.y), steps_first(c, r.h), steps_first(c, r.c)};
}

// ---- images
// tf_half_pixel_for_nn lies half an element behind half_pixel: two ways of rounding there have a name here.
void shift_half(std::string& coordinates, std::string& nearest) {
  if (coordinates != "tf_half_pixel_for_nn") return;
  if (nearest != "round_prefer_floor" && nearest != "floor")
    throw NotApplicable(coordinates + " with " + nearest);
  nearest = nearest == "floor" ? "round_prefer_ceil" : "ceil";
  coordinates = "half_pixel";
}

Results resized(const Call& c) {
  const std::string mode = c.text("mode", "nearest");
  std::string coordinates = c.text("coordinate_transformation_mode", "half_pixel");
  std::string nearest = c.text("nearest_mode", "round_prefer_floor");
  c.ignore("extrapolation_value");  // of tf_crop_and_resize
  if (coordinates == "tf_crop_and_resize") throw NotApplicable(coordinates);
  shift_half(coordinates, nearest);
  ResizeOptions o;
  o.mode = mode, o.coordinates = coordinates, o.nearest = nearest;
  o.cubic_coefficient = c.real("cubic_coeff_a", -0.75);
  o.exclude_outside = c.flag("exclude_outside", false);
  if (c.given(3)) o.dims = c.numbers(3);
  if (o.dims.empty())
    for (const float scale : c.in(2).read<float>()) o.scales.push_back(scale);
  return {resize(c.in(0), o)};
}

// Resize of opset 9: each place comes from the one at or before it.
Results upsample(const Call& c) {
  ResizeOptions o;
  const std::string mode = c.text("mode", "nearest");
  o.mode = mode, o.coordinates = "asymmetric", o.nearest = "floor";
  for (const float scale : c.in(1).read<float>()) o.scales.push_back(scale);
  return {resize(c.in(0), o)};
}

Results grid_samples(const Call& c) {
  const std::string mode = c.text("mode", "bilinear"), padding = c.text("padding_mode", "zeros");
  return {grid_sample(
      c.in(0), c.in(1),
      {.mode = mode, .padding = padding, .align_corners = c.flag("align_corners", false)})};
}

constexpr Mapping kMappings[] = {
    {"BatchNormalization", batch_normalization},
    {"LayerNormalization", layer_normalization},
    {"InstanceNormalization",
     [](const Call& c) -> Results {
       return {instance_norm(c.in(0), c.in(1), c.in(2), {.epsilon = c.real("epsilon", 1e-5)})};
     }},
    {"MeanVarianceNormalization", mean_variance_normalization},
    {"LRN",
     [](const Call& c) -> Results {
       return {lrn(c.in(0), c.integer("size", 0),
                   {.alpha = c.real("alpha", 1e-4),
                    .beta = c.real("beta", 0.75),
                    .bias = c.real("bias", 1)})};
     }},
    {"NegativeLogLikelihoodLoss", negative_log_likelihood},
    {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
    {"Dropout", drop_out},
    {"RNN", simple_rnn},
    {"GRU", gru_layer},
    {"LSTM", lstm_layer},
    {"Resize", resized},
    {"Upsample", upsample},
    {"GridSample", grid_samples},
};

}  // namespace

std::span<const Mapping> network_mappings() { return kMappings; }

}  // namespace tenon::onnx

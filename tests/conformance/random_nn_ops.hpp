// Steps of networks: convolutions, pools, norms, losses, attention, recurrent layers, images.
#pragma once
#include <cmath>
#include <vector>

#include "random_calls.hpp"

namespace random_programs {

// What convolutions and pools see in x [R, C], by the number of spatial axes.
inline T image_of(const Ops& o, const T& x, size_t spatial, double p) {
  const Dims d = dims_of(x);
  const bool one = p * p < 1;  // channel, else one for each row
  switch (spatial) {
    case 1:
      return o.reshape(x, one ? Dims{d[0], 1, d[1]} : Dims{1, d[0], d[1]});
    case 2:
      return o.reshape(x, one ? Dims{1, 1, d[0], d[1]} : Dims{1, d[0], 1, d[1]});
    default:
      return o.reshape(x, one ? Dims{1, 1, d[0], 1, d[1]} : Dims{1, d[0], 1, 1, d[1]});
  }
}
// `size` along the axes that have room for it, 1 along the others.
inline Dims window_of(const T& image, int64_t size) {
  Dims out = dims_of(image);
  out.erase(out.begin(), out.begin() + 2);
  for (int64_t& n : out) n = n > 1 ? size : 1;
  return out;
}
inline Dims halves(Dims window) {
  for (int64_t& n : window) n /= 2;
  return window;
}
inline Dims kernel_dims(int64_t outer, int64_t inner, const Dims& window) {
  Dims out = {outer, inner};
  out.insert(out.end(), window.begin(), window.end());
  return out;
}

inline void add_convolutions(Family& family) {
  using enum Kind;
  // Kernels of three, with or without bias, stride and groups.
  const auto convolution = [&](const char* name, tn_op op, size_t spatial) {
    family.add(name, 1, smooth, [op, spatial](const Ops& o, const T& x, const T&, double p) {
      const T in = image_of(o, o.tanh(x), spatial, p);
      const int64_t channels = dims_of(in)[1];
      const Dims window = window_of(in, 3), ones(spatial, 1);
      const bool each = way(p * 3 - std::floor(p * 3) - 0.5, 3) == 1;  // a kernel for each channel
      const int64_t outer = each ? channels : 3;
      Dims stride = ones;
      if (p < -0.5) stride.back() = 2;
      const T y = o.call(op,
                         {in, o.weights_of(kernel_dims(outer, each ? 1 : channels, window)),
                          p < 0 ? o.scaled(o.tanh(o.channels(outer)), 0.5) : T()},
                         {i64s(0, stride), i64s(1, halves(window)), i64s(2, ones),
                          tn_attr_i64(3, each ? channels : 1)});
      return o.over(x, o.tanh(y));
    });
  };
  convolution("conv1d", TN_OP_CONV1D, 1);
  convolution("conv2d", TN_OP_CONV2D, 2);
  convolution("conv3d", TN_OP_CONV3D, 3);
  const auto transposed = [&](const char* name, tn_op op, size_t spatial) {
    family.add(name, 1, smooth, [op, spatial](const Ops& o, const T& x, const T&, double p) {
      const T in = image_of(o, o.tanh(x), spatial, p);
      const Dims window = window_of(in, 3), ones(spatial, 1), none(spatial, 0);
      Dims stride = ones, more = none;
      if (p < 0) stride.back() = 2;
      if (p < -0.5) more.back() = 1;
      const T y = o.call(op,
                         {in, o.weights_of(kernel_dims(dims_of(in)[1], 2, window)),
                          p < 0 ? o.scaled(o.tanh(o.channels(2)), 0.5) : T()},
                         {i64s(0, stride), i64s(1, halves(window)), i64s(2, more)});
      return o.over(x, o.tanh(y));
    });
  };
  transposed("conv_transpose1d", TN_OP_CONV_TRANSPOSE1D, 1);
  transposed("conv_transpose2d", TN_OP_CONV_TRANSPOSE2D, 2);
  transposed("conv_transpose3d", TN_OP_CONV_TRANSPOSE3D, 3);
  family.add("conv", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T in = image_of(o, o.tanh(x), 2, p);
    const Dims window = window_of(in, 2);
    const T w = o.weights_of(kernel_dims(2, dims_of(in)[1], window));
    return o.over(x,
                  o.tanh(o.call(TN_OP_CONV, {in, w},
                                {i64s(TN_CONV_LOW, {window[0] - 1, 1}), i64s(TN_CONV_HIGH, {0, 2}),
                                 i64s(TN_CONV_LHS_DILATION, {1, p < 0 ? 2 : 1}),
                                 i64s(TN_CONV_RHS_DILATION, {1, p < 0.5 ? 1 : 2})})));
  });
  // What the gradients of conv2d call, for a kernel that depends on x too.
  family.add("conv2d_input_grad", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T g = image_of(o, o.tanh(x), 2, p);
    const Dims dims = dims_of(g), window = window_of(g, 3);
    const T w = o.add(o.weights_of(kernel_dims(dims[1], 2, window)), o.mean(g));
    const int64_t stride = p < 0 ? 2 : 1;
    const T y = o.call(TN_OP_CONV2D_INPUT_GRAD, {g, w},
                       {tn_attr_i64(TN_CONV2D_INPUT_GRAD_HEIGHT, dims[2]),
                        tn_attr_i64(TN_CONV2D_INPUT_GRAD_WIDTH, (dims[3] - 1) * stride + 1),
                        i64s(TN_CONV2D_INPUT_GRAD_STRIDE, {1, stride}),
                        i64s(TN_CONV2D_INPUT_GRAD_PADDING, halves(window))});
    return o.over(x, o.tanh(y));
  });
  family.add("conv2d_weight_grad", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T in = image_of(o, o.tanh(x), 2, p), g = o.call(TN_OP_COS, {image_of(o, x, 2, p)});
    const Dims window = window_of(in, 3);
    const int64_t n = dims_of(in)[2] * dims_of(in)[3];
    const T y = o.call(TN_OP_CONV2D_WEIGHT_GRAD, {g, in},
                       {tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_HEIGHT, window[0]),
                        tn_attr_i64(TN_CONV2D_WEIGHT_GRAD_WIDTH, window[1]),
                        i64s(TN_CONV2D_WEIGHT_GRAD_PADDING, halves(window))});
    return o.over(x, o.scaled(y, 1.0 / static_cast<double>(n)));
  });
  family.add("linear", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T y =
        o.call(TN_OP_LINEAR, {o.tanh(x), o.weights(9, dims_of(x)[1]), p < 0 ? o.channels(9) : T()});
    return o.over(x, p * p < 1 ? o.tanh(y) : o.call(TN_OP_SIN, {y}));
  });
}

inline void add_pools(Family& family) {
  using enum Kind;
  const auto pool = [&](const char* name, tn_op op, size_t spatial, Kind kind) {
    family.add(name, 1, kind, [op, spatial, kind](const Ops& o, const T& x, const T&, double p) {
      const T in = image_of(o, o.tanh(x), spatial, p);
      const Dims window = window_of(in, p < 0.7 ? 3 : 2);
      std::vector<tn_attr> attrs = {i64s(0, window)};
      const Dims ones(spatial, 1), padding = halves(window);
      if (p < 0) attrs.push_back(i64s(1, ones));
      attrs.push_back(i64s(2, padding));
      if (kind == smooth) attrs.push_back(tn_attr_bool(3, p < -0.5));
      return o.over(x, o.call(op, {in}, attrs));
    });
  };
  pool("max_pool1d", TN_OP_MAX_POOL1D, 1, kinked);
  pool("max_pool2d", TN_OP_MAX_POOL2D, 2, kinked);
  pool("max_pool3d", TN_OP_MAX_POOL3D, 3, kinked);
  pool("avg_pool1d", TN_OP_AVG_POOL1D, 1, smooth);
  pool("avg_pool2d", TN_OP_AVG_POOL2D, 2, smooth);
  pool("avg_pool3d", TN_OP_AVG_POOL3D, 3, smooth);
  const auto adaptive = [&](const char* name, tn_op op, size_t spatial, Kind kind) {
    family.add(name, 1, kind, [op, spatial](const Ops& o, const T& x, const T&, double p) {
      const T in = image_of(o, o.tanh(x), spatial, p);
      return o.over(x, o.call(op, {in}, {i64s(0, window_of(in, p < 0 ? 3 : 4))}));
    });
  };
  adaptive("adaptive_avg_pool1d", TN_OP_ADAPTIVE_AVG_POOL1D, 1, smooth);
  adaptive("adaptive_avg_pool2d", TN_OP_ADAPTIVE_AVG_POOL2D, 2, smooth);
  adaptive("adaptive_avg_pool3d", TN_OP_ADAPTIVE_AVG_POOL3D, 3, smooth);
  adaptive("adaptive_max_pool1d", TN_OP_ADAPTIVE_MAX_POOL1D, 1, kinked);
  adaptive("adaptive_max_pool2d", TN_OP_ADAPTIVE_MAX_POOL2D, 2, kinked);
  adaptive("adaptive_max_pool3d", TN_OP_ADAPTIVE_MAX_POOL3D, 3, kinked);
  const auto global = [&](const char* name, tn_op op, Kind kind) {
    family.add(name, 1, kind, [op](const Ops& o, const T& x, const T&, double p) {
      return o.over(x, o.tanh(o.call(op, {image_of(o, x, 2, p)})));
    });
  };
  global("global_avg_pool", TN_OP_GLOBAL_AVG_POOL, smooth);
  global("global_max_pool", TN_OP_GLOBAL_MAX_POOL, kinked);
  const auto window = [&](const char* name, const char* mode, Kind kind) {
    family.add(name, 1, kind, [mode](const Ops& o, const T& x, const T&, double p) {
      const Dims size = {std::min<int64_t>(2, dims_of(x)[0]), std::min<int64_t>(3, dims_of(x)[1])};
      return o.over(x, o.call(TN_OP_WINDOW_REDUCE, {o.tanh(x)},
                              {i64s(TN_WINDOW_REDUCE_WINDOW, size),
                               i64s(TN_WINDOW_REDUCE_STRIDE, {p < 0 ? 2 : 1, 1}),
                               i64s(TN_WINDOW_REDUCE_LOW, {0, size[1] - 1}),
                               i64s(TN_WINDOW_REDUCE_HIGH, {size[0] - 1, 0}),
                               text(TN_WINDOW_REDUCE_MODE, mode)}));
    });
  };
  window("window_sum", "sum", smooth);
  window("window_max", "max", kinked);
  window("window_min", "min", kinked);
  family.add("window_scatter", 1, stepped, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x), size = {1, std::min<int64_t>(3, dims[1])};
    const T g = o.cut(o.call(TN_OP_COS, {x}), {0, 0}, {dims[0], dims[1] - size[1] + 1});
    return o.call(TN_OP_WINDOW_SCATTER, {p < 0 ? o.call(TN_OP_ROUND, {x}) : x, g},
                  {i64s(TN_WINDOW_SCATTER_WINDOW, size)});
  });
}

inline void add_norms(Family& family) {
  using enum Kind;
  family.add("log_softmax", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const T y = o.call(TN_OP_LOG_SOFTMAX, {x}, {tn_attr_i64(TN_LOG_SOFTMAX_AXIS, p < 0 ? 0 : -1)});
    return o.tanh(o.scaled(y, 0.3));
  });
  // Epsilon is large, so that what is nearly the same everywhere is no less near the exact result.
  family.add("layer_norm", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const int64_t n = dims_of(x)[1];
    const T scale = o.call(TN_OP_COS, {o.channels(n)}), bias = p < 0.5 ? o.channels(n) : T();
    if (p < -0.5)
      return o.tanh(
          o.call(TN_OP_LAYER_NORM, {o.tanh(x)},
                 {tn_attr_i64(TN_LAYER_NORM_AXES, 2), tn_attr_f64(TN_LAYER_NORM_EPSILON, 0.3)}));
    return o.call(
        TN_OP_LAYER_NORM, {o.tanh(x), p < 0 ? T() : scale, bias},
        {tn_attr_i64(TN_LAYER_NORM_AXES, 1), tn_attr_f64(TN_LAYER_NORM_EPSILON, p * p + 0.25)});
  });
  family.add("rms_norm", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    return o.call(
        TN_OP_RMS_NORM, {o.tanh(x), p < 0 ? T() : o.channels(dims_of(x)[1])},
        {tn_attr_i64(TN_RMS_NORM_AXES, 1), tn_attr_f64(TN_RMS_NORM_EPSILON, p * p + 0.25)});
  });
  // [N, C, ...], with the rows or the columns as channels.
  const auto channelled = [](const Ops& o, const T& x, double p) {
    return p < 0 ? x : image_of(o, x, 2, 2);
  };
  family.add("batch_norm_train", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const T in = channelled(o, o.tanh(x), p), c = o.channels(dims_of(in)[1]);
    const std::vector<T> all = o.calls(TN_OP_BATCH_NORM_TRAIN, {in, o.call(TN_OP_COS, {c}), c},
                                       {tn_attr_f64(TN_BATCH_NORM_TRAIN_EPSILON, p * p + 0.25)});
    return o.over(x, o.scaled(p * p < 0.5 ? all[0] : p < 0 ? all[1] : all[2], 0.5));
  });
  family.add("batch_norm", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const T in = channelled(o, o.tanh(x), p), c = o.channels(dims_of(in)[1]);
    // Its statistics depend on x, so that it is not made a part of what is before it.
    const T middle = o.mean(in);
    return o.over(x,
                  o.call(TN_OP_BATCH_NORM, {in, o.call(TN_OP_COS, {c}), c, o.mul(c, middle),
                                            o.plus(o.add(o.call(TN_OP_SQUARE, {c}), middle), 2)}));
  });
  family.add("group_norm", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const T in = channelled(o, o.tanh(x), p);
    const int64_t n = dims_of(in)[1], groups = n % 2 ? 1 : 2;
    return o.over(x, o.call(TN_OP_GROUP_NORM, {in, p * p < 1 ? o.channels(n) : T(), T()},
                            {tn_attr_i64(TN_GROUP_NORM_GROUPS, groups),
                             tn_attr_f64(TN_GROUP_NORM_EPSILON, p * p + 0.25)}));
  });
  family.add("instance_norm", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const T in = image_of(o, o.tanh(x), 2, p);
    const T bias = p < 0 ? o.channels(dims_of(in)[1]) : T();
    return o.over(x, o.call(TN_OP_INSTANCE_NORM, {in, T(), bias},
                            {tn_attr_f64(TN_INSTANCE_NORM_EPSILON, p * p + 0.25)}));
  });
  family.add("lrn", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    return o.over(
        x, o.call(TN_OP_LRN, {channelled(o, o.tanh(x), p)},
                  {tn_attr_i64(TN_LRN_SIZE, p * p < 1 ? 3 : 2), tn_attr_f64(TN_LRN_ALPHA, 0.5)}));
  });
}

inline void add_losses(Family& family) {
  using enum Kind;
  static constexpr const char* kReductions[] = {"mean", "sum", "none"};
  const auto reduction = [](double p, size_t k) {
    return kReductions[way(std::sin(p * static_cast<double>(100 + k)) * 1.5, 3)];
  };
  // A sum over x is large.
  const auto beside = [](const Ops& o, const T& x, const T& loss) {
    const int64_t n = tn_tensor_count(loss.get());
    const double size = n == 1 ? 1.0 / static_cast<double>(tn_tensor_count(x.get())) : 0.2;
    return o.over(x, o.tanh(o.scaled(loss, size)));
  };
  const auto labels = [](const Ops& o, const T& x) {
    return o.places({dims_of(x)[0]}, dims_of(x)[1], 3);
  };
  const auto class_weights = [](const Ops& o, const T& x) {
    return o.plus(o.tanh(o.channels(dims_of(x)[1])), 1.5);
  };
  family.add("cross_entropy", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    return beside(o, x,
                  o.call(TN_OP_CROSS_ENTROPY, {x, labels(o, x), p < 0 ? class_weights(o, x) : T()},
                         {text(TN_CROSS_ENTROPY_REDUCTION, reduction(p, 0)),
                          tn_attr_i64(TN_CROSS_ENTROPY_IGNORE_INDEX, dims_of(x)[0] > 1 ? 3 : -100),
                          tn_attr_f64(TN_CROSS_ENTROPY_LABEL_SMOOTHING, p * p < 1 ? 0 : 0.2)}));
  });
  family.add("cross_entropy_grad", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const char* how = reduction(p, 1);
    const T mean = o.plus(o.reduced(TN_OP_MEAN, o.tanh(x), 1, false), 1);
    const T g = how[0] == 'n' ? mean : o.mean(mean);
    const T y = o.call(TN_OP_CROSS_ENTROPY_GRAD,
                       {g, o.tanh(x), labels(o, x), p < 0 ? class_weights(o, x) : T()},
                       {text(TN_CROSS_ENTROPY_GRAD_REDUCTION, how),
                        tn_attr_i64(TN_CROSS_ENTROPY_GRAD_IGNORE_INDEX, -100),
                        tn_attr_f64(TN_CROSS_ENTROPY_GRAD_LABEL_SMOOTHING, p * p < 1 ? 0 : 0.2)});
    return o.add(o.scaled(x, 0.5), y);
  });
  family.add("cross_entropy_probs", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    return beside(
        o, x,
        o.call(TN_OP_CROSS_ENTROPY_PROBS,
               {x, o.call(TN_OP_SOFTMAX, {o.tanh(x)}), p < 0 ? class_weights(o, x) : T()},
               {text(TN_CROSS_ENTROPY_PROBS_REDUCTION, reduction(p, 2)),
                tn_attr_f64(TN_CROSS_ENTROPY_PROBS_LABEL_SMOOTHING, p * p < 1 ? 0 : 0.2)}));
  });
  family.add("nll", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    return beside(o, x,
                  o.call(TN_OP_NLL, {o.tanh(x), labels(o, x), p < 0 ? class_weights(o, x) : T()},
                         {text(TN_NLL_REDUCTION, reduction(p, 3))}));
  });
  // Of x and what is about the same.
  const auto pair = [&](const char* name, tn_op op, Kind kind,
                        const std::function<std::vector<T>(const Ops&, const T&, double)>& in,
                        const std::vector<tn_attr>& more = {}) {
    family.add(name, 1, kind, [=](const Ops& o, const T& x, const T&, double p) {
      std::vector<tn_attr> attrs = {text(0, reduction(p, op))};
      attrs.insert(attrs.end(), more.begin(), more.end());
      return beside(o, x, o.call(op, in(o, x, p), attrs));
    });
  };
  const auto target = [](const Ops& o, const T& x) { return o.call(TN_OP_SIN, {x}); };
  const auto probability = [](const Ops& o, const T& x) { return o.call(TN_OP_SIGMOID, {x}); };
  const auto two = [target](const Ops& o, const T& x, double) {
    return std::vector<T>{o.tanh(x), o.plus(target(o, x), 0.3)};
  };
  // 1 and -1, in turn.
  const auto signs = [](const Ops& o, const Dims& dims) {
    return o.plus(o.scaled(o.to_float(o.places(dims, 2)), 2), -1);
  };
  pair("mse", TN_OP_MSE, smooth, two);
  pair("l1", TN_OP_L1, kinked, two);
  pair("huber", TN_OP_HUBER, smooth, two, {tn_attr_f64(TN_HUBER_DELTA, 0.4)});
  pair("bce_with_logits", TN_OP_BCE_WITH_LOGITS, smooth, [=](const Ops& o, const T& x, double p) {
    return std::vector<T>{x, probability(o, target(o, x)), p < 0 ? class_weights(o, x) : T(),
                          p * p < 1 ? class_weights(o, x) : T()};
  });
  pair("bce", TN_OP_BCE, smooth, [=](const Ops& o, const T& x, double p) {
    return std::vector<T>{probability(o, o.tanh(x)), probability(o, target(o, x)),
                          p < 0 ? class_weights(o, x) : T()};
  });
  pair("kl_div", TN_OP_KL_DIV, smooth, [=](const Ops& o, const T& x, double) {
    return std::vector<T>{o.call(TN_OP_LOG_SIGMOID, {o.tanh(x)}), probability(o, target(o, x))};
  });
  pair("kl_div_of_logs", TN_OP_KL_DIV, smooth, two, {tn_attr_bool(TN_KL_DIV_LOG_TARGET, 1)});
  pair("hinge", TN_OP_HINGE, kinked, [=](const Ops& o, const T& x, double) {
    return std::vector<T>{x, signs(o, dims_of(x))};
  });
  // Away from 0, where the angle is not defined.
  const auto away = [](const Ops& o, const T& x) {
    return std::vector<T>{o.plus(o.tanh(x), 1.5), o.plus(o.call(TN_OP_SIN, {x}), 2)};
  };
  pair("cosine_loss", TN_OP_COSINE_LOSS, kinked, [=](const Ops& o, const T& x, double) {
    std::vector<T> in = away(o, x);
    in.push_back(signs(o, {dims_of(x)[0]}));
    return in;
  });
  family.add("cosine_similarity", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    return o.over(x, o.call(TN_OP_COSINE_SIMILARITY, away(o, x),
                            {tn_attr_i64(TN_COSINE_SIMILARITY_AXIS, p < 0 ? 0 : 1)}));
  });
  family.add("ctc", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const T few = o.corner(x, 6, 10);
    const Dims dims = dims_of(few);
    const int64_t sequences = dims[1] % 2 ? 1 : 2, classes = dims[1] / sequences;
    if (classes < 2) return x;
    const T logs = o.call(TN_OP_LOG_SOFTMAX, {o.reshape(few, {dims[0], sequences, classes})});
    // Labels of 1 and above, as many as fit, and one step less of the first sequence where there are some.
    const int64_t n = (dims[0] + 1) / 2;
    const T label = o.add(o.places({sequences, n}, classes - 1), o.whole(1));
    const T steps = o.sub(o.places({sequences}, 1), o.whole(-dims[0]));
    const T lengths = o.add(o.places({sequences}, 2), o.whole(n - 1));
    return o.add(x, o.tanh(o.scaled(o.mean(o.call(TN_OP_CTC, {logs, label, steps, lengths},
                                                  {text(TN_CTC_REDUCTION, reduction(p, 4)),
                                                   tn_attr_i64(TN_CTC_BLANK, 0),
                                                   tn_attr_bool(TN_CTC_ZERO_INFINITY, 1)})),
                                    0.1)));
  });
}

inline void add_attention(Family& family) {
  using enum Kind;
  // Two heads of x where it has them.
  const auto heads = [](const Ops& o, const T& x) {
    const Dims d = dims_of(x);
    const int64_t n = d[1] % 2 ? 1 : 2;
    return o.moved(o.reshape(x, {d[0], n, d[1] / n}), {1, 0, 2});
  };
  const auto inputs = [heads](const Ops& o, const T& x, double p) {
    const T t = o.tanh(x);
    std::vector<T> in = {heads(o, t), heads(o, o.call(TN_OP_SIN, {x})), heads(o, p < 0 ? t : x)};
    const int64_t n = dims_of(x)[0];
    if (p < -0.5) in.push_back(o.call(TN_OP_SIN, {o.to_float(o.places({n, n}, 100))}));
    if (p > 1) in.push_back(o.causal(n, n));
    return in;
  };
  family.add("attention", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const T y = o.call(TN_OP_SCALED_DOT_PRODUCT_ATTENTION, inputs(o, x, p),
                       {tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, p * p < 0.5),
                        tn_attr_f64(TN_SCALED_DOT_PRODUCT_ATTENTION_SCALE, p * p < 1 ? 0 : 0.3)});
    return o.reshape(o.moved(y, {1, 0, 2}), dims_of(x));
  });
  family.add("attention_grad", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    std::vector<T> in = inputs(o, x, p);
    const std::vector<tn_attr> attrs = {
        tn_attr_bool(TN_SCALED_DOT_PRODUCT_ATTENTION_CAUSAL, p < 0.5)};
    const T y = o.call(TN_OP_SCALED_DOT_PRODUCT_ATTENTION, in, attrs);
    in.insert(in.begin(), {o.call(TN_OP_COS, {y}), y});
    const std::vector<T> all = o.calls(TN_OP_SCALED_DOT_PRODUCT_ATTENTION_GRAD, in, attrs);
    const T back = o.moved(all[way(p, 3)], {1, 0, 2});
    return o.add(o.scaled(x, 0.5), o.reshape(o.tanh(back), dims_of(x)));
  });
  family.add("rotary_embedding", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    if (dims[1] < 2) return x;
    const T even = o.corner(x, dims[0], dims[1] / 2 * 2);
    return o.over(
        x, o.call(TN_OP_ROTARY_EMBEDDING, {o.tanh(even), p < 0 ? o.places({dims[0]}, 10, 3) : T()},
                  {tn_attr_f64(TN_ROTARY_EMBEDDING_BASE, 100),
                   tn_attr_bool(TN_ROTARY_EMBEDDING_INTERLEAVED, p * p < 0.5)}));
  });
}

inline void add_recurrent(Family& family) {
  using enum Kind;
  // x [T, B, I], w [D, gates H, I], r [D, gates H, H], bias, lengths, h0 of part of x.
  struct Layer {
    std::vector<T> in;
    int64_t steps, batch, width, ways;
    const char* direction;
  };
  const auto layer = [](const Ops& o, const T& x, int64_t gates, double p) {
    const T few = o.tanh(o.corner(x, 4, 8));
    const Dims dims = dims_of(few);
    Layer out;
    out.steps = dims[0], out.batch = dims[1] % 2 ? 1 : 2, out.width = way(p, 2) ? 2 : 4;
    const int64_t inputs = dims[1] / out.batch;
    static constexpr const char* kDirections[] = {"forward", "bidirectional", "reverse"};
    out.direction = kDirections[way(p, 3)];
    out.ways = way(p, 3) == 1 ? 2 : 1;
    const int64_t rows = gates * out.width;
    const Dims state = {out.ways, out.batch, out.width};
    const T h0 = o.add(o.weights_of(state), o.mean(few));
    out.in = {o.reshape(few, {out.steps, out.batch, inputs}),
              o.weights_of({out.ways, rows, inputs}),
              o.weights_of({out.ways, rows, out.width}),
              p < 0.8 ? o.weights_of({out.ways, 2 * rows}) : T(),
              p * p < 0.8 ? o.add(o.places({out.batch}, 2), o.whole(out.steps - 1)) : T(),
              p < 1.1 ? h0 : T()};
    return out;
  };
  family.add("rnn", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const Layer l = layer(o, x, 1, p);
    return o.over(x, o.calls(TN_OP_RNN, l.in, {text(TN_RNN_DIRECTION, l.direction)})[p < 1]);
  });
  family.add("rnn_of_relu", 1, kinked, [=](const Ops& o, const T& x, const T&, double p) {
    const Layer l = layer(o, x, 1, p);
    return o.over(
        x, o.tanh(o.call(TN_OP_RNN, l.in,
                         {text(TN_RNN_DIRECTION, l.direction), text(TN_RNN_ACTIVATION, "relu")})));
  });
  family.add("gru", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    const Layer l = layer(o, x, 3, p);
    return o.over(x, o.calls(TN_OP_GRU, l.in,
                             {text(TN_GRU_DIRECTION, l.direction),
                              tn_attr_bool(TN_GRU_LINEAR_BEFORE_RESET, p * p < 0.5)})[p < -1]);
  });
  family.add("lstm", 1, smooth, [=](const Ops& o, const T& x, const T&, double p) {
    Layer l = layer(o, x, 4, p);
    l.in.push_back(p < 1 ? o.weights_of({l.ways, l.batch, l.width}) : T());
    l.in.push_back(p < 0.2 ? o.weights_of({l.ways, 3 * l.width}) : T());
    const std::vector<T> all = o.calls(TN_OP_LSTM, l.in, {text(TN_LSTM_DIRECTION, l.direction)});
    return o.over(x, all[way(p * p, 3)]);
  });
  // Gates [T, B, D, 4 H] in place of the input.
  const auto steps = [layer](const Ops& o, const T& x, double p, Layer& l) {
    l = layer(o, x, 4, p);
    const T gates = o.weights_of({l.steps, l.batch, l.ways, 4 * l.width}, 1);
    return o.calls(TN_OP_LSTM_STEPS,
                   {o.add(gates, o.mean(l.in[0])), l.in[2], l.in[4], l.in[5], l.in[5],
                    p < 0.2 ? o.weights_of({l.ways, 3 * l.width}) : T()},
                   {text(TN_LSTM_STEPS_DIRECTION, l.direction)});
  };
  family.add("lstm_steps", 1, smooth, [steps](const Ops& o, const T& x, const T&, double p) {
    Layer l;
    return o.over(x, steps(o, x, p, l)[way(p, 4)]);
  });
  family.add("lstm_steps_grad", 1, smooth, [steps](const Ops& o, const T& x, const T&, double p) {
    Layer l;
    const std::vector<T> all = steps(o, x, p, l);
    const std::vector<T> back = o.calls(
        TN_OP_LSTM_STEPS_GRAD,
        {all[3], l.in[2], l.in[4], l.in[5], p < 0.2 ? o.weights_of({l.ways, 3 * l.width}) : T(),
         o.call(TN_OP_COS, {all[0]}), p < 1 ? o.tanh(all[1]) : T(), p < 0.5 ? all[2] : T()},
        {text(TN_LSTM_STEPS_GRAD_DIRECTION, l.direction)});
    return o.over(x, back[way(p * p, 3)]);
  });
}

inline void add_images(Family& family) {
  using enum Kind;
  family.add("resize", 1, smooth, [](const Ops& o, const T& x, const T&, double p) {
    const Dims dims = dims_of(x);
    const T in = o.tanh(x);
    const Dims size = {dims[0] % 4 + 2, p < 0 ? dims[1] : (dims[1] + 3) / 2};
    const double scales[] = {1, 1.5};
    switch (way(p, 5)) {
      case 0:
        return o.over(x, o.call(TN_OP_RESIZE, {in}, {i64s(TN_RESIZE_DIMS, size)}));
      case 1:
        return o.over(
            x, o.call(TN_OP_RESIZE, {in},
                      {tn_attr_f64s(TN_RESIZE_SCALES, scales, 2), text(TN_RESIZE_MODE, "linear")}));
      case 2:
        return o.over(x, o.call(TN_OP_RESIZE, {in},
                                {i64s(TN_RESIZE_DIMS, size), text(TN_RESIZE_MODE, "cubic"),
                                 text(TN_RESIZE_COORDINATES, "align_corners")}));
      case 3:
        return o.over(x, o.call(TN_OP_RESIZE, {in},
                                {i64s(TN_RESIZE_DIMS, size), text(TN_RESIZE_MODE, "nearest"),
                                 text(TN_RESIZE_COORDINATES, "asymmetric"),
                                 text(TN_RESIZE_NEAREST, "floor")}));
      default:
        return o.over(x, o.call(TN_OP_RESIZE, {in},
                                {i64s(TN_RESIZE_DIMS, size), text(TN_RESIZE_MODE, "linear"),
                                 text(TN_RESIZE_COORDINATES, "pytorch_half_pixel")}));
    }
  });
  const auto sampled = [&](const char* name, Kind kind, const char* mode) {
    family.add(name, 1, kind, [mode](const Ops& o, const T& x, const T&, double p) {
      const Dims dims = dims_of(x);
      static constexpr const char* kPaddings[] = {"zeros", "border", "reflection"};
      const T places = o.call(TN_OP_STACK, {o.call(TN_OP_SIN, {x}), o.scaled(o.tanh(x), 1.2)},
                              {tn_attr_i64(TN_STACK_AXIS, 2)});
      const T y = o.call(
          TN_OP_GRID_SAMPLE,
          {o.reshape(o.tanh(x), {1, 1, dims[0], dims[1]}),
           o.reshape(places, {1, dims[0], dims[1], 2})},
          {text(TN_GRID_SAMPLE_MODE, mode), text(TN_GRID_SAMPLE_PADDING, kPaddings[way(p, 3)]),
           tn_attr_bool(TN_GRID_SAMPLE_ALIGN_CORNERS, p * p < 0.5)});
      return o.over(x, y);
    });
  };
  sampled("grid_sample", kinked, "bilinear");
  sampled("grid_sample_cubic", kinked, "bicubic");
  sampled("grid_sample_nearest", stepped, "nearest");
}

inline void add_networks(Family& family) {
  add_convolutions(family);
  add_pools(family);
  add_norms(family);
  add_losses(family);
  add_attention(family);
  add_recurrent(family);
  add_images(family);
}

}  // namespace random_programs

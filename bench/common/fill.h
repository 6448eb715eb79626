/* The inputs of every bench case, equal bit for bit on each side: a value is a hash of its index.
 * C11 and C++20; bench/peers/python/fill.py is the same in NumPy. */
#ifndef BENCH_FILL_H
#define BENCH_FILL_H

#include <stddef.h>
#include <stdint.h>

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014) over (seed, index). */
static inline uint64_t bench_hash(uint64_t seed, uint64_t index) {
  uint64_t z = seed * 0xd1342543de82ef95u + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Uniform in [-0.5, 0.5), a multiple of 2^-24: exact in f32. */
static inline float bench_unit(uint64_t seed, uint64_t index) {
  return (float)(bench_hash(seed, index) >> 40) * 0x1p-24f - 0.5f;
}

static inline void bench_fill(float* out, size_t n, uint64_t seed, float scale) {
  for (size_t i = 0; i < n; ++i) out[i] = bench_unit(seed, i) * scale;
}

static inline void bench_fill_classes(int64_t* out, size_t n, uint64_t seed, int64_t classes) {
  for (size_t i = 0; i < n; ++i)
    out[i] = (int64_t)((bench_hash(seed, i) >> 33) % (uint64_t)classes);
}

/* D1/shapes: shape number `index` of a fixed random sequence: rank 1 to 4, at most 64 elements.
 * Two thousand draws hold well over a thousand different ones. Returns the rank. */
static inline int bench_shape(uint64_t index, int64_t dims[4]) {
  int rank = 1 + (int)(bench_hash(77, index * 8) % 4);
  int64_t room = 64;
  for (int d = 0; d < rank; ++d) {
    dims[d] = 1 + (int64_t)(bench_hash(77, index * 8 + 1 + (uint64_t)d) % (uint64_t)room);
    room /= dims[d];
  }
  return rank;
}

/* Fills `dims`[n][4] and `ranks`[n] with the first n different shapes of that sequence. */
static inline void bench_different_shapes(int64_t (*dims)[4], int* ranks, int n) {
  int have = 0;
  for (uint64_t draw = 0; have < n; ++draw) {
    int64_t d[4] = {0, 0, 0, 0};
    int rank = bench_shape(draw, d), seen = 0;
    for (int i = 0; i < have && !seen; ++i)
      seen = ranks[i] == rank && dims[i][0] == d[0] && dims[i][1] == d[1] && dims[i][2] == d[2] &&
             dims[i][3] == d[3];
    if (seen) continue;
    for (int k = 0; k < 4; ++k) dims[have][k] = d[k];
    ranks[have++] = rank;
  }
}

/* T1 and S5: the MLP and its data. Weights are [out, in]; a side that wants them the other way
 * round fills by this order first. */
enum {
  BENCH_MLP_BATCH = 64,
  BENCH_MLP_BATCHES = 8,
  BENCH_MLP_LAYERS = 3,
  BENCH_MLP_CLASSES = 10,
  BENCH_MLP_CHECK_STEPS = 20
};
static const int64_t bench_mlp_dims[BENCH_MLP_LAYERS + 1] = {784, 256, 128, 10};
static const double bench_mlp_sgd_rate = 0.05;
static const double bench_mlp_adam_rate = 0.001;

/* 2 / sqrt(in): weights and biases are uniform in +-1 / sqrt(in). */
static inline float bench_mlp_scale(int layer) {
  static const float scale[BENCH_MLP_LAYERS] = {0x1.24924ap-4f, 0.125f, 0x1.6a09e6p-3f};
  return scale[layer];
}

/* T2: LeNet-5 on images of 28 x 28, with batches, steps and rate of the MLP: two convolutions of
 * 5 x 5 (the first padded by 2), each with ReLU and a maximum over 2 x 2, then three layers. Weight
 * and bias in turn; a bias has the rank 1. */
enum { BENCH_LENET_PARAMS = 10, BENCH_LENET_SIDE = 28 };
typedef struct bench_param {
  int rank;
  int64_t dims[4];
  float scale; /* 2 / sqrt(inputs of one output) */
} bench_param;
static const bench_param bench_lenet_params[BENCH_LENET_PARAMS] = {
    {4, {6, 1, 5, 5}, 0x1.99999ap-2f},     {1, {6, 0, 0, 0}, 0x1.99999ap-2f},
    {4, {16, 6, 5, 5}, 0x1.4e6fep-3f},     {1, {16, 0, 0, 0}, 0x1.4e6fep-3f},
    {2, {120, 400, 0, 0}, 0x1.99999ap-4f}, {1, {120, 0, 0, 0}, 0x1.99999ap-4f},
    {2, {84, 120, 0, 0}, 0x1.75e974p-3f},  {1, {84, 0, 0, 0}, 0x1.75e974p-3f},
    {2, {10, 84, 0, 0}, 0x1.bee906p-3f},   {1, {10, 0, 0, 0}, 0x1.bee906p-3f},
};

/* E3: rows of this many elements, and one weight and bias per element. */
enum { BENCH_ROW = 768 };

/* A1: heads and width of a head. Which result is dk: its sum is 0, so that only its size can be
 * compared, and is given twice. */
enum { BENCH_HEADS = 12, BENCH_HEAD_WIDTH = 64, BENCH_ATTENTION_DK = 2 };

/* G1 to G3: products of [m, k] by [k, n]. */
typedef struct bench_product {
  int64_t m, n, k;
} bench_product;
enum { BENCH_PRODUCTS = 8 };
static const bench_product bench_products[BENCH_PRODUCTS] = {
    {128, 384, 384},  {128, 1536, 384}, {512, 2304, 768},   {512, 3072, 768},
    {512, 768, 3072}, {512, 512, 512},  {1024, 1024, 1024}, {2048, 2048, 2048},
};

/* C1: the convolutions of ResNet-18 that differ, on images of 224 x 224, padded by half the kernel. */
typedef struct bench_conv {
  int64_t in, out, kernel, stride, side; /* channels, and the sides of the kernel and of x */
} bench_conv;
enum { BENCH_CONVS = 11 };
static const bench_conv bench_convs[BENCH_CONVS] = {
    {3, 64, 7, 2, 224},   {64, 64, 3, 1, 56},   {64, 128, 3, 2, 56},  {64, 128, 1, 2, 56},
    {128, 128, 3, 1, 28}, {128, 256, 3, 2, 28}, {128, 256, 1, 2, 28}, {256, 256, 3, 1, 14},
    {256, 512, 3, 2, 14}, {256, 512, 1, 2, 14}, {512, 512, 3, 1, 7},
};
static inline int64_t bench_conv_out_side(const bench_conv* c) {
  return (c->side + c->kernel / 2 * 2 - c->kernel) / c->stride + 1;
}

/* T3: ResNet-18 on images of 32 x 32, its first convolution 3 x 3 without maxima after it; and on
 * images of 224 x 224, its first one 7 x 7 with stride 2, then maxima over 3 x 3 with stride 2. Parameters in this order: of each convolution the weight, then scale and bias of its norm; in a block the two
 * of 3 x 3 and, where it has the stride 2, the one of 1 x 1; then weight and bias of the last layer.
 * Norms start as 1 and 0, the bias as 0, and the weight that is parameter i is filled with seed
 * SEED + i; images and classes of batch i have the seeds SEED + 100 + i and SEED + 200 + i. */
enum {
  BENCH_RESNET_STAGES = 4,
  BENCH_RESNET_BLOCKS = 2, /* in each stage */
  BENCH_RESNET_WIDTH = 64, /* of the first stage; each next one has twice as many channels */
  BENCH_RESNET_SIDE = 32,
  BENCH_RESNET_BATCH = 32,
  BENCH_RESNET_LARGE_SIDE = 224,
  BENCH_RESNET_LARGE_BATCH = 8,
  BENCH_RESNET_BATCHES = 4,
  BENCH_RESNET_CLASSES = 10,
  BENCH_RESNET_CHECK_STEPS = 4,
  BENCH_RESNET_SEED = 700,
};
static const float bench_resnet_scale = 0.0625f;
static const double bench_resnet_rate = 0.001;

/* T5: an LSTM over one batch. Weights are [4 * width, width], their gates in the order i o f c. */
enum {
  BENCH_LSTM_LAYERS = 2,
  BENCH_LSTM_STEPS = 64,
  BENCH_LSTM_BATCH = 16,
  BENCH_LSTM_WIDTH = 256,
  BENCH_LSTM_CHECK_STEPS = 6,
  BENCH_LSTM_SEED =
      400, /* of w, r and bias of layer l: + 3 l; of x and of the target: + 20, + 21 */
};
static const float bench_lstm_scale = 0.125f; /* uniform in +-1 / sqrt(width) */
static const double bench_lstm_rate = 1;

/* T4: a GPT. Parameters in this order: table and positions, then for each block weight and bias of a
 * norm, of qkv (its rows q, k, v), of the projection, of a norm and of two layers, then those of the
 * last norm; the table gives the logits too. Norms start as 1 and 0, biases as 0, and the matrix that
 * is parameter i is filled with seed SEED + i. The tokens of batch i have the seed SEED + 100 + i: in
 * each row one more than LENGTH, and each is to tell the next. */
enum {
  BENCH_GPT_LAYERS = 6,
  BENCH_GPT_WIDTH = 384,
  BENCH_GPT_HEADS = 6,
  BENCH_GPT_VOCABULARY = 8192,
  BENCH_GPT_BATCH = 4,
  BENCH_GPT_LENGTH = 256,
  BENCH_GPT_BATCHES = 4,
  BENCH_GPT_CHECK_STEPS = 6,
  BENCH_GPT_SEED = 500,
};
static const float bench_gpt_scale = 0.0625f;
static const double bench_gpt_rate = 1e-3, bench_gpt_decay = 1e-2;

/* O1: AdamW over this many parameters, in 1 or 160 equal tensors. */
enum { BENCH_ADAMW_PARAMS = 10000000, BENCH_ADAMW_CHECK_STEPS = 5 };

#endif

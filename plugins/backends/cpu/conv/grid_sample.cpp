// grid_sample of dense f32 tensors: blocks of places, for which the corners and their weights are
// found once and then read from the planes of all channels.
#include "kernels/vmath64.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int64_t kBlock = 128;  // places
constexpr int kMostAxes = 3, kMostTaps = 4, kMostCorners = 16;
constexpr int64_t kMostPlaces = int64_t(1) << 24;  // floats name each element of an axis
constexpr float kCubicCoefficient = -0.75f;

enum class Mode { nearest, bilinear, bicubic };
enum class Padding { zeros, border, reflection };

struct GridPlan {
  const Device& device;
  Mode mode;
  Padding padding;
  bool corners;
};

// What is read along one axis for each place, a negative index being a zero beside x; `weight`
// means nothing where mode is nearest.
struct Taps {
  int n = 0;
  alignas(64) int32_t at[kMostTaps][kBlock];
  alignas(64) float weight[kMostTaps][kBlock] = {};
};

// The axis of x with `size` elements: coordinates as the decomposition has them, with its roundings.
struct AxisReader {
  const GridPlan& plan;
  float size, top;

  F32 inside(F32 c) const {
    if (plan.padding == Padding::zeros) return c;
    if (plan.padding == Padding::reflection) {
      const float low = plan.corners ? 0.0f : -0.5f;
      const float span = !plan.corners ? size : top > 1 ? top : 1;
      const F32 from = vabs(c - low);
      c = (span + low) - vabs(vfmod(from, splat<F32>(2 * span)) - span);
    }
    return vmax(vmin(c, splat<F32>(top)), F32{});
  }
  void add(Taps& taps, int64_t i, int k, F32 at) const {
    const Vec<int32_t> outside = ~((at >= 0.0f) & (at <= top));
    if (plan.mode == Mode::bicubic) at = inside(at);
    at = select(at == at, vmax(vmin(at, splat<F32>(top)), F32{}), F32{});
    Vec<int32_t> index = convert<Vec<int32_t>>(at);
    if (plan.padding == Padding::zeros) index = select(outside, Vec<int32_t>{} - 1, index);
    store(taps.at[k] + i, index);
  }
  static F32 cubic(F32 f, int k) {
    constexpr float a = kCubicCoefficient;
    if (k == 1 || k == 2) {
      const F32 d = k == 1 ? f : 1.0f - f;
      return ((a + 2) * d - (a + 3)) * d * d + 1.0f;
    }
    const F32 d = k == 0 ? f + 1.0f : 2.0f - f;
    return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
  }
  // c: kBlock coordinates.
  void read(const float* c, Taps& taps) const {
    taps.n = plan.mode == Mode::nearest ? 1 : plan.mode == Mode::bilinear ? 2 : 4;
    for (int64_t i = 0; i < kBlock; i += kLanes<float>) {
      F32 at = load(c + i);
      if (plan.mode != Mode::bicubic) at = inside(at);
      if (plan.mode == Mode::nearest) {
        add(taps, i, 0, vround(at));
        continue;
      }
      const F32 low = vfloor(at), f = at - low;
      for (int k = 0; k < taps.n; ++k) {
        const bool cubic_one = plan.mode == Mode::bicubic;
        add(taps, i, k, low + float(cubic_one ? k - 1 : k));
        store(taps.weight[k] + i, cubic_one ? cubic(f, k) : k == 0 ? 1.0f - f : f);
      }
    }
  }
};

struct Corners {
  int n = 0;
  alignas(64) int32_t at[kMostCorners][kBlock];  // in a plane; negative: a zero
  alignas(64) float weight[kMostCorners][kBlock];

  // All combinations of a tap of each axis, those of the first axis changing fastest.
  void combine(const Taps* taps, int axes, const int64_t* strides) {
    n = 1;
    for (int a = 0; a < axes; ++a) n *= taps[a].n;
    for (int k = 0; k < n; ++k) {
      int rest = k;
      for (int a = 0; a < axes; rest /= taps[a++].n) {
        const int32_t* from = taps[a].at[rest % taps[a].n];
        const float* w = taps[a].weight[rest % taps[a].n];
        const auto step = int32_t(strides[a]);
        for (int64_t i = 0; i < kBlock; ++i) {
          const int32_t here = from[i] < 0 ? -1 : from[i] * step;
          const int32_t before = a == 0 ? 0 : at[k][i];
          at[k][i] = (here | before) < 0 ? -1 : before + here;
          weight[k][i] = a == 0 ? w[i] : weight[k][i] * w[i];
        }
      }
    }
  }
};

// The elements of a plane at these places; 0 where they are negative.
CPU_INLINE F32 taken(const float* plane, Vec<int32_t> at) {
#if defined(__AVX512F__)
  const __m512i i = bits_as<__m512i>(at);
  const __mmask16 there = _knot_mask16(_mm512_movepi32_mask(i));
  return bits_as<F32>(_mm512_mask_i32gather_ps(_mm512_setzero_ps(), there, i, plane, 4));
#elif defined(__AVX2__)
  return bits_as<F32>(_mm256_mask_i32gather_ps(_mm256_setzero_ps(), plane, bits_as<__m256i>(at),
                                               bits_as<__m256>(~at), 4));
#else
  F32 v{};
  for (int k = 0; k < kLanes<float>; ++k)
    if (at[k] >= 0) v[k] = plane[at[k]];
  return v;
#endif
}

// y[0..m) of one plane.
template <int corners>
void sample(const Corners& from, const float* plane, float* y, int64_t m) {
  for (int64_t i = 0; i < m; i += kLanes<float>) {
    F32 sum{};
#pragma GCC unroll 16
    for (int k = 0; k < corners; ++k) {
      const F32 v = taken(plane, load(from.at[k] + i));
      sum = corners == 1 ? v : sum + v * load(from.weight[k] + i);
    }
    store_n(y + i, sum, m - i < kLanes<float> ? m - i : kLanes<float>);
  }
}
void sample(const Corners& from, const float* plane, float* y, int64_t m) {
  switch (from.n) {
    case 1:
      return sample<1>(from, plane, y, m);
    case 4:
      return sample<4>(from, plane, y, m);
    case 8:
      return sample<8>(from, plane, y, m);
    default:
      return sample<16>(from, plane, y, m);
  }
}

struct Problem {
  int axes;
  int64_t channels, plane = 1, places = 1;
  int64_t strides[kMostAxes] = {};
};
Problem problem_of(const tn_view& x, const tn_view& y) {
  Problem p{x.rank - 2, x.dims[1]};
  for (int a = p.axes - 1; a >= 0; --a) {
    p.strides[a] = p.plane;
    p.plane *= x.dims[2 + a];
    p.places *= y.dims[2 + a];
  }
  return p;
}

tn_error* TN_CALL run_grid_sample(void* data, void*, const tn_view* const* args) {
  const GridPlan& plan = *static_cast<const GridPlan*>(data);
  const tn_view& xv = *args[0];
  const Problem p = problem_of(xv, *args[2]);
  if (args[2]->count == 0) return nullptr;
  const float *x = input<float>(args[0]), *grid = input<float>(args[1]);
  float* y = output<float>(args[2]);
  const int64_t blocks = (p.places + kBlock - 1) / kBlock;
  const double taps = plan.mode == Mode::bicubic ? 16 : plan.mode == Mode::bilinear ? 4 : 1;
  const double ns = double(kBlock) * (5 + taps * (1 + double(p.channels) * 0.5));
  parallel(plan.device, xv.dims[0] * blocks, 1, ns, [&](int64_t begin, int64_t end) {
    Taps axes[kMostAxes];
    Corners corners;
    alignas(64) float c[kBlock];
    for (int64_t u = begin; u < end; ++u) {
      const int64_t image = u / blocks, first = u % blocks * kBlock;
      const int64_t m = p.places - first < kBlock ? p.places - first : kBlock;
      const float* g = grid + (image * p.places + first) * p.axes;
      for (int a = 0; a < p.axes; ++a) {
        const auto size = float(xv.dims[2 + a]), top = size - 1;
        const float half = (plan.corners ? top : size) * 0.5f;
        for (int64_t i = 0; i < kBlock; ++i)
          c[i] = i < m ? (g[i * p.axes + p.axes - 1 - a] + 1) * half : 0.0f;
        if (!plan.corners)
          for (float& v : c) v -= 0.5f;
        AxisReader{plan, size, top}.read(c, axes[a]);
      }
      corners.combine(axes, p.axes, p.strides);
      for (int64_t k = 0; k < p.channels; ++k) {
        const int64_t plane = image * p.channels + k;
        sample(corners, x + plane * p.plane, y + plane * p.places + first, m);
      }
    }
  });
  return nullptr;
}

}  // namespace

CPU_PREPARE(grid_sample) {
  const tn_view& x = *sig.inputs[0];
  for (const tn_view* v : {sig.inputs[0], sig.inputs[1], sig.outputs[0]}) {
    if (v->dtype != TN_DTYPE_F32) return decline(plan, "only f32");
    if (!contiguous(v)) return decline(plan, "contiguous tensors only");
  }
  int64_t plane = 1;
  for (int a = 2; a < x.rank; ++a) {
    if (x.dims[a] > kMostPlaces) return decline(plan, "a long axis");
    plane *= x.dims[a];
    if (plane > INT32_MAX) return decline(plan, "planes of more than 2^31 elements");
  }
  const Mode mode = attr_is(sig, TN_GRID_SAMPLE_MODE, "nearest")    ? Mode::nearest
                    : attr_is(sig, TN_GRID_SAMPLE_MODE, "bilinear") ? Mode::bilinear
                                                                    : Mode::bicubic;
  const Padding padding = attr_is(sig, TN_GRID_SAMPLE_PADDING, "zeros")    ? Padding::zeros
                          : attr_is(sig, TN_GRID_SAMPLE_PADDING, "border") ? Padding::border
                                                                           : Padding::reflection;
  if (!make_plan<GridPlan>(plan, run_grid_sample, device, mode, padding,
                           attr_bool(sig, TN_GRID_SAMPLE_ALIGN_CORNERS)))
    return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

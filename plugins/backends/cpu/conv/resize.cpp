// resize of planes, the last two axes of dense f32 tensors (of one axis: the last): nearest and linear.
#include <cmath>
#include <memory>
#include <string_view>

#include "kernels/simd.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int64_t kLongestRow = 4096;  // two rows of floats lie on the stack
constexpr int64_t kMostTerms = 64, kGreatestScale = 1024;

// n elements become m by the scale p / q.
struct Line {
  int64_t n = 1, m = 1, p = 1, q = 1;
  bool scaled = false;
  bool changes() const { return p != q; }
};

// A coordinate, num / den, above -1. See the op for what the names mean.
struct Fraction {
  int64_t num, den;
};
Fraction coordinate(std::string_view how, const Line& l, int64_t i) {
  if (how == "asymmetric") return {i * l.q, l.p};
  if (how == "align_corners") {
    const int64_t unit = l.scaled ? l.q : 1, width = l.scaled ? l.n * l.p : l.m;
    return {i * (l.n - 1) * unit, width > unit ? width - unit : 1};
  }
  if (how == "pytorch_half_pixel" && l.m == 1) return {0, 1};
  const int64_t cut = how == "half_pixel_symmetric" ? l.n * l.p - l.m * l.q : 0;
  return {(2 * i + 1) * l.q - l.p + cut, 2 * l.p};
}

int64_t nearest(std::string_view how, const Fraction& x) {
  if (how == "floor") return x.num < 0 ? 0 : x.num / x.den;
  if (how == "ceil") return (x.num + x.den - 1) / x.den;
  const int64_t twice = 2 * x.num + x.den;
  return (how == "round_prefer_ceil" ? twice : twice - 1) / (2 * x.den);
}

// For each of m elements the one or two that it is made of, and the weight of the second.
struct Taps {
  std::unique_ptr<int32_t[]> first, second;
  std::unique_ptr<float[]> weight;

  bool make(const tn_signature& sig, const Line& l, bool linear) {
    first.reset(new (std::nothrow) int32_t[size_t(l.m)]);
    second.reset(new (std::nothrow) int32_t[size_t(l.m)]);
    weight.reset(new (std::nothrow) float[size_t(l.m)]);
    if (!first || !second || !weight) return false;
    const auto text = [&](uint32_t key) {
      return std::string_view(static_cast<const char*>(sig.attrs[key].data), sig.attrs[key].bits);
    };
    for (int64_t i = 0; i < l.m; ++i) {
      const Fraction x = coordinate(text(TN_RESIZE_COORDINATES), l, i);
      const int64_t num = x.num < 0 ? 0 : x.num;
      int64_t low = linear ? num / x.den : nearest(text(TN_RESIZE_NEAREST), x);
      if (!l.changes()) low = i;
      low = low < l.n - 1 ? low : l.n - 1;
      first[i] = int32_t(low);
      second[i] = int32_t(low < l.n - 1 ? low + 1 : low);
      weight[i] = linear && l.changes() ? float(num % x.den) / float(x.den) : 0.0f;
    }
    return true;
  }
};

struct Plan {
  const Device* device;
  int64_t planes;
  Line height, width;
  Taps rows, columns;
};

void take_row(const Taps& t, const float* x, int64_t m, float* y) {
  for (int64_t i = 0; i < m; ++i) y[i] = x[t.first[i]];
}
void blend_row(const Taps& t, const float* x, int64_t m, float* y) {
  for (int64_t i = 0; i < m; ++i)
    y[i] = x[t.first[i]] * (1 - t.weight[i]) + x[t.second[i]] * t.weight[i];
}

// body(plane, row) for every row of the result.
template <class Body>
void for_result_rows(const Plan& p, double ns, Body&& make_body) {
  const int64_t m = p.height.m;
  parallel(*p.device, p.planes * m, 8, ns * double(p.width.m) + 10,
           [&](int64_t begin, int64_t end) {
             auto body = make_body();
             for (int64_t r = begin; r < end; ++r) body(r / m, r % m);
           });
}

tn_error* TN_CALL run_nearest(void* data, void*, const tn_view* const* args) {
  const Plan& p = *static_cast<const Plan*>(data);
  const float* x = input<float>(args[0]);
  float* y = output<float>(args[1]);
  for_result_rows(p, 0.4, [&] {
    return [&, before = int64_t(-1)](int64_t plane, int64_t r) mutable {
      const int64_t from = plane * p.height.n + p.rows.first[r];
      float* to = y + (plane * p.height.m + r) * p.width.m;
      if (from == before)
        std::memcpy(to, to - p.width.m, size_t(p.width.m) * sizeof(float));
      else if (p.width.changes())
        take_row(p.columns, x + from * p.width.n, p.width.m, to);
      else
        std::memcpy(to, x + from * p.width.n, size_t(p.width.m) * sizeof(float));
      before = from;
    };
  });
  return nullptr;
}

tn_error* TN_CALL run_linear(void* data, void*, const tn_view* const* args) {
  const Plan& p = *static_cast<const Plan*>(data);
  const float* x = input<float>(args[0]);
  float* y = output<float>(args[1]);
  const int64_t m = p.width.m;
  for_result_rows(p, 0.8, [&] {
    struct Rows {
      int64_t at[2] = {-1, -1};  // which rows of x these are, already m wide
      float line[2][kLongestRow];
    };
    return [&, rows = Rows()](int64_t plane, int64_t r) mutable {
      const int64_t wanted[2] = {plane * p.height.n + p.rows.first[r],
                                 plane * p.height.n + p.rows.second[r]};
      for (const int64_t at : wanted) {
        if (rows.at[at % 2] == at) continue;
        blend_row(p.columns, x + at * p.width.n, m, rows.line[at % 2]);
        rows.at[at % 2] = at;
      }
      const float *a = rows.line[wanted[0] % 2], *b = rows.line[wanted[1] % 2];
      const float f = p.rows.weight[r];
      float* to = y + (plane * p.height.m + r) * m;
      for (int64_t i = 0; i < m; ++i) to[i] = a[i] * (1 - f) + b[i] * f;
    };
  });
  return nullptr;
}

// The scale of one axis. False: it is none of small terms.
bool line_of(const tn_signature& sig, int axis, Line* l) {
  *l = {sig.inputs[0]->dims[axis], sig.outputs[0]->dims[axis]};
  const tn_attr& scales = sig.attrs[TN_RESIZE_SCALES];
  l->scaled = scales.bits != 0;
  if (!l->scaled) {
    l->p = l->m, l->q = l->n;
    return true;
  }
  const double scale = static_cast<const double*>(scales.data)[axis];
  for (l->q = 1; l->q <= kMostTerms && scale <= kGreatestScale; ++l->q) {
    const double p = std::nearbyint(scale * double(l->q));
    l->p = int64_t(p);
    if (p > 0 && std::fabs(p - scale * double(l->q)) <= scale * double(l->q) * 0x1p-24) return true;
  }
  return false;
}

}  // namespace

CPU_PREPARE(resize) {
  const tn_view &x = *sig.inputs[0], &y = *sig.outputs[0];
  const bool linear = attr_is(sig, TN_RESIZE_MODE, "linear");
  if (!linear && !attr_is(sig, TN_RESIZE_MODE, "nearest")) return decline(plan, "no cubic");
  if (x.dtype != TN_DTYPE_F32) return decline(plan, "only f32");
  if (!contiguous(&x) || !contiguous(&y)) return decline(plan, "contiguous tensors only");
  if (x.rank < 1 || y.count == 0) return decline(plan, "nothing to do");
  Line height, width;
  int64_t planes = 1;
  for (int a = 0; a < x.rank; ++a) {
    Line line;
    if (!line_of(sig, a, &line)) return decline(plan, "a scale that is no small fraction");
    if (a + 2 < x.rank) {
      if (line.changes()) return decline(plan, "the last two axes only");
      planes *= line.n;
    } else {
      if (line.n > kLongestRow || line.m > kLongestRow) return decline(plan, "long axes");
      (a + 1 == x.rank ? width : height) = line;
    }
  }
  Taps rows, columns;
  if (!rows.make(sig, height, linear) || !columns.make(sig, width, linear))
    return out_of_memory(device);
  if (!make_plan<Plan>(plan, linear ? run_linear : run_nearest, &device, planes, height, width,
                       std::move(rows), std::move(columns)))
    return out_of_memory(device);
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

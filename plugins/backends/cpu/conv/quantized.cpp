// conv_integer and qlinear_conv over one or two spatial axes: the input of each image and group as
// columns, by the kernels as rows.
#include <algorithm>

#include "matmul/integer.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

// Where the arguments stand; -1: the op has none.
struct Places {
  int x, w, x_zero, w_zero, x_scale, w_scale, y_scale, y_zero, bias, count;
};
constexpr Places kInteger = {0, 1, 2, 3, -1, -1, -1, -1, -1, 4},
                 kLinear = {0, 3, 2, 5, 1, 4, 6, 7, 8, 9};

// One group of one image; with one spatial axis the heights are 1.
struct Shape {
  int64_t images, groups, channels, in_h, in_w, out_h, out_w, taps_h, taps_w;
  int64_t stride_h = 1, stride_w = 1, low_h = 0, low_w = 0, dilation_h = 1, dilation_w = 1;
};

struct Plan {
  Places at;
  Shape s;
  IntegerProduct product;  // m: output channels of a group, n: positions, k: channels and taps
  bool y_signed;
  int64_t w_scale_step;
  int64_t panels;  // of columns at a time
};

constexpr int64_t kColumnBytes = 1 << 20;  // stay in the second cache

// Row k of the columns at positions j .. j + count: input channel, tap by tap. Beyond the border lies
// the zero point.
void copy_row(const Shape& s, const uint8_t* x, uint8_t zero, int64_t k, int64_t j, int64_t count,
              uint8_t* to) {
  const int64_t tap_w = k % s.taps_w, tap_h = k / s.taps_w % s.taps_h;
  const uint8_t* plane = x + k / (s.taps_w * s.taps_h) * s.in_h * s.in_w;
  int64_t oh = j / s.out_w, ow = j % s.out_w;
  const int64_t base = tap_w * s.dilation_w - s.low_w;
  while (count > 0) {
    const int64_t h = oh * s.stride_h + tap_h * s.dilation_h - s.low_h;
    const int64_t run = s.out_w - ow < count ? s.out_w - ow : count;
    const int64_t from = ow * s.stride_w + base, last = from + (run - 1) * s.stride_w;
    const uint8_t* row = plane + h * s.in_w;
    if (h < 0 || h >= s.in_h) {
      std::memset(to, zero, size_t(run));
    } else if (s.stride_w == 1 && from >= 0 && last < s.in_w) {
      std::memcpy(to, row + from, size_t(run));
    } else {
      for (int64_t i = 0; i < run; ++i) {
        const int64_t w = from + i * s.stride_w;
        to[i] = w >= 0 && w < s.in_w ? row[w] : zero;
      }
    }
    to += run;
    count -= run;
    ow = 0;
    ++oh;
  }
}

// `count` panels of columns from `first` on.
void pack_panels(const Plan& p, const uint8_t* x, const Zeros& zeros, int64_t first, int64_t count,
                 char* to) {
  const IntegerProduct& g = p.product;
  const double ns = 0.5 * double(kPanel) * double(g.k) + 20;
  parallel(*g.device, count, 1, ns, [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; ++q) {
      const int64_t j = (first + q) * kPanel, columns = g.n - j < kPanel ? g.n - j : kPanel;
      uint8_t rows[4][kPanel];
      PanelPacker(g, zeros, j, columns, to + q * g.panel_bytes()).pack([&](int64_t k) {
        copy_row(p.s, x, uint8_t(zeros.at(0)), k, j, columns, rows[k % 4]);
        return rows[k % 4];
      });
    }
  });
}

tn_error* TN_CALL run(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const Plan*>(data);
  const IntegerProduct& g = p.product;
  const Places& at = p.at;
  Finish finish;
  finish.bytes = at.y_scale >= 0;
  finish.is_signed = p.y_signed;
  auto* y = output<char>(args[at.count]);
  auto* rows = output<char>(args[at.count + 1]);
  auto* columns = rows + g.a_bytes() * p.s.groups;
  const tn_view* w_zero = args[at.w_zero];
  const int64_t w_step = absent(w_zero) || w_zero->count == 1 ? 0 : 1;
  const Zeros x_zeros = {absent(args[at.x_zero]) ? nullptr : input<uint8_t>(args[at.x_zero]), 0,
                         g.b_signed};
  for (int64_t i = 0; i < p.s.groups; ++i) {
    const uint8_t* zero = absent(w_zero) ? nullptr : input<uint8_t>(w_zero) + i * g.m * w_step;
    g.pack_rows(input<uint8_t>(args[at.w]) + i * g.m * g.k, {zero, w_step, g.a_signed},
                rows + i * g.a_bytes());
  }
  const int64_t plane = p.s.channels * p.s.in_h * p.s.in_w;
  for (int64_t i = 0; i < p.s.images * p.s.groups; ++i) {
    const int64_t group = i % p.s.groups, channel = group * g.m;
    if (finish.bytes) {
      finish.row_scale = input<float>(args[at.w_scale]) + channel * p.w_scale_step;
      finish.row_step = p.w_scale_step;
      finish.column_scale = input<float>(args[at.x_scale]);
      finish.y_scale = input<float>(args[at.y_scale]);
      finish.y_zero = input<uint8_t>(args[at.y_zero]);
      finish.bias = absent(args[at.bias]) ? nullptr : input<int32_t>(args[at.bias]) + channel;
    }
    for (int64_t first = 0; first < g.panels(); first += p.panels) {
      const int64_t count = g.panels() - first < p.panels ? g.panels() - first : p.panels;
      pack_panels(p, input<uint8_t>(args[at.x]) + i * plane, x_zeros, first, count, columns);
      g.run(rows + group * g.a_bytes(), columns, first, count,
            y + i * g.m * g.n * finish.element_bytes(), finish);
    }
  }
  return nullptr;
}

// Attributes of the same keys in both ops.
void read_attributes(const tn_signature& sig, int n, Shape* s) {
  static_assert(TN_CONV_INTEGER_STRIDE == TN_QLINEAR_CONV_STRIDE &&
                TN_CONV_INTEGER_LOW == TN_QLINEAR_CONV_LOW &&
                TN_CONV_INTEGER_DILATION == TN_QLINEAR_CONV_DILATION &&
                TN_CONV_INTEGER_GROUPS == TN_QLINEAR_CONV_GROUPS);
  const auto entry = [&](uint32_t key, int axis, int64_t otherwise) {
    const I64s list = attr_i64s(sig, key);
    return axis < 0 || list.size == 0 ? otherwise : list[axis];
  };
  s->groups = attr_i64(sig, TN_CONV_INTEGER_GROUPS);
  s->stride_h = entry(TN_CONV_INTEGER_STRIDE, n - 2, 1);
  s->stride_w = entry(TN_CONV_INTEGER_STRIDE, n - 1, 1);
  s->low_h = entry(TN_CONV_INTEGER_LOW, n - 2, 0);
  s->low_w = entry(TN_CONV_INTEGER_LOW, n - 1, 0);
  s->dilation_h = entry(TN_CONV_INTEGER_DILATION, n - 2, 1);
  s->dilation_w = entry(TN_CONV_INTEGER_DILATION, n - 1, 1);
}

tn_error* prepare(const Device& device, const tn_signature& sig, tn_plan* plan, const Places& at) {
  const tn_view &x = *sig.inputs[at.x], &w = *sig.inputs[at.w], &y = *sig.outputs[0];
  for (uint32_t i = 0; i < sig.n_inputs; ++i)
    if (!absent(sig.inputs[i]) && !contiguous(sig.inputs[i]))
      return decline(plan, "contiguous tensors only");
  if (!contiguous(&y)) return decline(plan, "contiguous tensors only");
  const int n = x.rank - 2;
  if (n > 2) return decline(plan, "one or two spatial axes only");
  Plan p = {};
  p.at = at;
  Shape& s = p.s;
  read_attributes(sig, n, &s);
  const auto height = [&](const tn_view& v) { return n == 2 ? v.dims[2] : 1; };
  s.images = x.dims[0];
  s.channels = w.dims[1];
  s.in_h = height(x), s.in_w = x.dims[n + 1];
  s.out_h = height(y), s.out_w = y.dims[n + 1];
  s.taps_h = height(w), s.taps_w = w.dims[n + 1];
  p.product = {&device, w.dims[0] / s.groups, s.out_h * s.out_w, s.channels * s.taps_h * s.taps_w};
  p.product.a_signed = w.dtype == TN_DTYPE_I8;
  p.product.b_signed = x.dtype == TN_DTYPE_I8;
  p.y_signed = y.dtype == TN_DTYPE_I8;
  if (at.w_scale >= 0) p.w_scale_step = sig.inputs[at.w_scale]->count == 1 ? 0 : 1;
  const int64_t bytes = p.product.panel_bytes();
  p.panels = std::min(p.product.panels(), std::max<int64_t>(kColumnBytes / bytes, device.threads));
  if (!make_plan<Plan>(plan, run, p)) return out_of_memory(device);
  plan->workspace_bytes = uint64_t(p.product.a_bytes() * s.groups + p.panels * bytes) + 64;
  return nullptr;
}

}  // namespace

CPU_PREPARE(conv_integer) { return prepare(device, sig, plan, kInteger); }
CPU_PREPARE(qlinear_conv) { return prepare(device, sig, plan, kLinear); }

}  // namespace tenon::cpu::CPU_ISA

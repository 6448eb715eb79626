// Products of f32 keep what each precision of the context promises: on the kit's samples; on data that is hard for products of
// numbers in parts; and to the last bit the same for any number of threads.
//
//   precision_test --device NAME --plugin PATH
//
// Exit status: 0 all well, 1 something failed, 2 wrong arguments or no such device.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "device_main.hpp"
#include "runner.hpp"
#include "tenon/conformance/compare.hpp"

namespace {

using namespace tenon::conformance;  // NOLINT(google-build-using-namespace): its one user

constexpr double kInf = std::numeric_limits<double>::infinity();

// The rounding of one product of each precision, and how many of those a sum may be wrong by, of the sum of its terms' sizes:
// any element of it; and the root mean square of many, which a product that is left out shows.
struct Promise {
  tn_precision precision;
  const char* name;
  double unit, most, usual;
};
constexpr Promise kPromises[] = {
    {TN_PRECISION_HIGHEST, "highest", 0x1p-24, 9, 1.2},
    // Two parts hold a number to 2^-18 of it; the product of the second parts, as much, is left out.
    {TN_PRECISION_HIGH, "high", 0x1p-18, 3, 0.5},
    {TN_PRECISION_MEDIUM, "medium", 0x1p-9, 2.01, 0.5},
};

int failed = 0, compared = 0;
void report(const Promise& p, const std::string& what, const std::string& fault) {
  ++compared;
  if (fault.empty()) return;
  ++failed;
  std::printf("fail %s, %s: %s\n", p.name, what.c_str(), fault.c_str());
}

struct Runtime {
  Runtime(const std::string& plugin, int32_t threads) {
    const tn_str path = {plugin.data(), plugin.size()};
    tn_runtime_desc desc = tn_runtime_desc_init();
    desc.plugin_paths = &path;
    desc.plugin_path_count = 1;
    desc.thread_count = threads;
    check(tn_runtime_create(&desc, &raw));
  }
  ~Runtime() { tn_runtime_release(raw); }
  Runtime(const Runtime&) = delete;
  tn_runtime* raw = nullptr;
};

// ---- the kit's samples

std::string judge(const Promise& p, const Array& want, const Array& got) {
  if (want.dims != got.dims) return "another shape";
  for (int64_t k = 0; k < want.count(); ++k) {
    const auto at = static_cast<size_t>(k);
    const double growth = 2 * std::sqrt(static_cast<double>(want.terms)) + 26;
    const double allowed = (p.most * p.unit + growth * 0x1p-24) * want.scale[at] + 0x1p-126;
    if (!(std::fabs(got.f[at] - want.f[at]) <= allowed))
      return "element " + place_of(want.dims, k) + " is " + text_of(got.f[at]) + ", not " +
             text_of(want.f[at]);
  }
  return "";
}

void run_samples(Session& session, const Promise& p) {
  for (const OpSamples& op : catalogue().ops()) {
    if (op.op != TN_OP_MATMUL && op.op != TN_OP_LINEAR) continue;
    for (const Case& c : op.cases) {
      const std::vector<tn_dtype> dtypes = dtypes_of(op, c, true);
      if (c.refusal != TN_OK || std::count(dtypes.begin(), dtypes.end(), TN_DTYPE_F32) == 0)
        continue;
      const std::vector<Array> arrays = inputs_of(op, c, TN_DTYPE_F32);
      for (const Layout layout : layouts_of(c, arrays, false)) {
        std::vector<Array> as_seen;
        for (const Array& x : arrays) as_seen.push_back(seen(x, layout));
        const Inputs inputs(session, as_seen, layout);
        const Array want = op.oracle({as_seen, c.attrs, {}})[0];
        const Array got = session.read(session.call(op.op, inputs.in, c.attrs)[0].get());
        report(p, op.name + " " + c.name + " " + name_of(layout), judge(p, want, got));
      }
    }
  }
}

// ---- hard data

constexpr int64_t kM = 125, kN = 170, kK = 450;

struct Factors {
  explicit Factors(tn_dtype dtype = TN_DTYPE_F32) : a(dtype, {kM, kK}), b(dtype, {kK, kN}) {}
  Array a, b;
  std::vector<double> sums, sizes;  // of the product, and of its terms

  void multiply() {
    for (int64_t i = 0; i < kM; ++i)
      for (int64_t j = 0; j < kN; ++j) {
        double sum = 0, size = 0;
        for (int64_t p = 0; p < kK; ++p) {
          const double x =
              a.f[static_cast<size_t>(i * kK + p)] * b.f[static_cast<size_t>(p * kN + j)];
          sum += x;
          size += std::fabs(x);
        }
        sums.push_back(sum);
        sizes.push_back(size);
      }
  }
};

// Each number is about normal(0, 1), times what `scale_a(i, p)` and `scale_b(p, j)` say.
template <class A, class B>
Factors factors(A&& scale_a, B&& scale_b) {
  Rng rng(11);
  const auto normal = [&] {
    double sum = 0;
    for (int k = 0; k < 12; ++k) sum += rng.unit();
    return sum - 6;
  };
  Factors f;
  for (int64_t i = 0; i < kM; ++i)
    for (int64_t p = 0; p < kK; ++p) f.a.set(i * kK + p, normal() * scale_a(i, p));
  for (int64_t p = 0; p < kK; ++p)
    for (int64_t j = 0; j < kN; ++j) f.b.set(p * kN + j, normal() * scale_b(p, j));
  return f;
}

double one(int64_t, int64_t) { return 1; }

std::map<std::string, Factors> hard_data() {
  std::map<std::string, Factors> all;
  const auto constant = [](double x) { return [x](int64_t, int64_t) { return x; }; };
  all["ordinary"] = factors(one, one);
  // The second half takes away what the first gave, but for a part of 2^-20.
  Factors& f = all["cancelling"] = factors(one, one);
  for (int64_t i = 0; i < kM; ++i)
    for (int64_t p = 0; p < kK / 2; ++p)
      f.a.set(i * kK + p + kK / 2, f.a.f[static_cast<size_t>(i * kK + p)] * (1 + 0x1p-20));
  for (int64_t p = 0; p < kK / 2; ++p)
    for (int64_t j = 0; j < kN; ++j)
      f.b.set((p + kK / 2) * kN + j, -f.b.f[static_cast<size_t>(p * kN + j)]);
  all["rows and columns of all sizes"] =
      factors([](int64_t i, int64_t) { return std::ldexp(1, static_cast<int>(i % 60) - 30); },
              [](int64_t, int64_t j) { return std::ldexp(1, static_cast<int>(j % 40) - 20); });
  all["terms of all sizes"] =
      factors([](int64_t, int64_t p) { return std::ldexp(1, static_cast<int>(p % 50) - 25); },
              [](int64_t p, int64_t) { return std::ldexp(1, 20 - static_cast<int>(p % 40)); });
  all["1e30 by 1e-30"] = factors(constant(1e30), constant(1e-30));
  all["1e-30 by 1"] = factors(constant(1e-30), one);
  all["1e-20 by 1e-12"] = factors(constant(1e-20), constant(1e-12));
  all["1e-20 by 1e-22"] = factors(constant(1e-20), constant(1e-22));  // products are denormal
  all["1e-40 by 1e10"] = factors(constant(1e-40), constant(1e10));    // factors are
  all["some of 1e-40"] = factors([](int64_t i, int64_t p) { return (i + p) % 7 ? 1 : 1e-40; }, one);
  // What the first terms make of a row is denormal, all others are 0.
  all["1e-40, then 0"] = factors(
      [](int64_t i, int64_t p) { return i % 5     ? 1.0
                                        : p < 100 ? 1e-40
                                                  : 0.0; }, constant(3));
  all["1e19 by 1e19"] = factors(constant(1e19), constant(1e17));
  all["the largest"] =
      factors([](int64_t i, int64_t p) { return i == p ? 3.4e37 : 0; }, constant(0.1));
  all["the largest"].a.set(0, largest(TN_DTYPE_F32));
  all["Inf and NaN"] = factors(one, one);
  all["Inf and NaN"].a.set(3 * kK + 400, kInf);
  all["Inf and NaN"].a.set(50 * kK + 7, -kInf);
  all["Inf and NaN"].a.set(70 * kK + 170, std::nan(""));
  all["Inf and NaN"].b.set(170 * kN + 33, kInf);
  all["Inf and NaN"].b.set(7 * kN + 70, 0.0);
  all["Inf and NaN"].b.set(9 * kN + 129, std::nan(""));
  for (auto& [name, data] : all) data.multiply();
  return all;
}

std::string judge_product(const Promise& p, const Factors& f, const Array& got) {
  double squares = 0, count = 0;
  for (size_t k = 0; k < f.sums.size(); ++k) {
    const double sum = f.sums[k], y = got.f[k];
    const std::string where = "element " + place_of({kM, kN}, static_cast<int64_t>(k));
    if (!std::isfinite(sum) || !std::isfinite(y)) {
      if (sum == y || (std::isnan(sum) && std::isnan(y))) continue;
      return where + " is " + text_of(y) + ", not " + text_of(sum);
    }
    // Numbers below 2^-149 cannot be had; each term may be rounded to one.
    const double error = std::fabs(y - sum) / (f.sizes[k] * p.unit + kK * 0x1p-149);
    if (!(error <= p.most)) return where + " is wrong by " + text_of(error) + " units";
    squares += error * error;
    count += 1;
  }
  const double usual = std::sqrt(squares / count);
  return usual <= p.usual ? "" : "elements are wrong by " + text_of(usual) + " units as a rule";
}

Array turned(const Array& x) { return transposed(x, {1, 0}); }

void run_hard(Session& session, const Promise& p, const std::map<std::string, Factors>& data) {
  for (const auto& [name, f] : data)
    for (int how = 0; how < 4; ++how) {
      const bool ta = how & 1, tb = how & 2;
      const Tensor a = session.upload(ta ? turned(f.a) : f.a);
      const Tensor b = session.upload(tb ? turned(f.b) : f.b);
      const Attrs attrs(
          std::vector<Attr>{flag(TN_MATMUL_TRANSPOSE_A, ta), flag(TN_MATMUL_TRANSPOSE_B, tb)});
      const Array y = session.read(session.call(TN_OP_MATMUL, {a.get(), b.get()}, attrs)[0].get());
      report(p, name + (ta ? ", A transposed" : "") + (tb ? ", B transposed" : ""),
             judge_product(p, f, y));
    }
}

// Of f16 and bf16 sums are f32, then rounded once.
void run_half(Session& session, tn_dtype dtype) {
  const std::string name = name_of(dtype);
  const Promise sums = {0, name.c_str(), 0x1p-24, 9, 0};
  Factors ordinary(dtype), small(dtype);
  Rng rng(3);
  for (int64_t k = 0; k < kM * kK; ++k) {
    ordinary.a.set(k, rng.between(-1, 1));
    small.a.set(k,
                (k % kK % 2 ? 1 : -1) + 0x3p-10);  // what is left of the terms are the small parts
  }
  for (int64_t k = 0; k < kK * kN; ++k) {
    ordinary.b.set(k, rng.between(-1, 1));
    small.b.set(k, 1 + 0x3p-10);
  }
  for (Factors* f : {&ordinary, &small}) {
    f->multiply();
    const Tensor a = session.upload(f->a), b = session.upload(f->b);
    const Array y = session.read(session.call(TN_OP_MATMUL, {a.get(), b.get()}, {})[0].get());
    std::string fault;
    for (size_t k = 0; k < y.f.size() && fault.empty(); ++k) {
      const double allowed =
          epsilon(dtype) / 2 * std::fabs(f->sums[k]) + sums.most * sums.unit * f->sizes[k];
      if (!(std::fabs(y.f[k] - f->sums[k]) <= allowed))
        fault = "element " + place_of({kM, kN}, static_cast<int64_t>(k)) + " is " +
                text_of(y.f[k]) + ", not " + text_of(f->sums[k]);
    }
    report(sums, f == &small ? "small parts" : "ordinary", fault);
  }
}

// ---- large products of bf16

// Of whole numbers, whose sums are exact: how a product is cut and packed shows in nothing. Rows and columns that fill no blocks, more
// of both than a cache takes, sums that are long, and few columns.
void run_whole_numbers(Session& session) {
  const Promise exact = {0, "bf16", 0, 0, 0};
  constexpr int64_t kSizes[][3] = {
      {300, 290, 2048}, {330, 100, 2600}, {70, 1500, 129}, {49, 40, 96}, {65, 33, 2080}};
  Rng rng(5);
  for (const auto& [m, n, k] : kSizes) {
    Array a(TN_DTYPE_BF16, {m, k}), b(TN_DTYPE_BF16, {k, n}), want(TN_DTYPE_BF16, {m, n});
    for (int64_t i = 0; i < a.count(); ++i) a.set(i, std::floor(rng.between(-3, 4)));
    for (int64_t i = 0; i < b.count(); ++i) b.set(i, std::floor(rng.between(-3, 4)));
    const std::vector<float> right(b.f.begin(), b.f.end());
    for (int64_t i = 0; i < m; ++i) {
      std::vector<float> sums(static_cast<size_t>(n));
      for (int64_t p = 0; p < k; ++p) {
        const auto x = static_cast<float>(a.f[static_cast<size_t>(i * k + p)]);
        for (int64_t j = 0; j < n; ++j)
          sums[static_cast<size_t>(j)] += x * right[static_cast<size_t>(p * n + j)];
      }
      for (int64_t j = 0; j < n; ++j)
        want.set(i * n + j, static_cast<double>(sums[static_cast<size_t>(j)]));
    }
    for (int how = 0; how < 4; ++how) {
      const bool ta = how & 1, tb = how & 2;
      const Tensor x = session.upload(ta ? turned(a) : a), y = session.upload(tb ? turned(b) : b);
      const Attrs attrs(
          std::vector<Attr>{flag(TN_MATMUL_TRANSPOSE_A, ta), flag(TN_MATMUL_TRANSPOSE_B, tb)});
      const Array got =
          session.read(session.call(TN_OP_MATMUL, {x.get(), y.get()}, attrs)[0].get());
      const size_t at = static_cast<size_t>(
          std::mismatch(want.f.begin(), want.f.end(), got.f.begin()).first - want.f.begin());
      report(exact,
             "whole numbers, " + text_of(Dims{m, n, k}) + (ta ? ", A transposed" : "") +
                 (tb ? ", B transposed" : ""),
             at == want.f.size()
                 ? ""
                 : "element " + place_of({m, n}, static_cast<int64_t>(at)) + " is " +
                       text_of(got.f[at]) + ", not " + text_of(want.f[at]));
    }
  }
}

// ---- convolutions

struct Shape {
  const char* name;
  int64_t batch, ci, co, h, w, kh, kw;
  Dims stride, padding, dilation;
  int64_t groups;
};

// Around the borders of blocks of 16 and 32 channels and positions; large enough for what computes by blocks.
const Shape kShapes[] = {
    {"channels beside blocks", 2, 33, 47, 13, 11, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
    {"few channels", 4, 16, 17, 31, 17, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
    {"one image, whole blocks", 1, 64, 64, 16, 16, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
    {"small images", 37, 48, 32, 4, 4, 3, 3, {1, 1}, {1, 1}, {1, 1}, 1},
    {"no padding", 3, 20, 40, 17, 15, 3, 2, {1, 1}, {0, 0}, {1, 1}, 1},
    {"padding beyond the kernel", 2, 18, 35, 11, 9, 2, 3, {1, 1}, {3, 5}, {1, 1}, 1},
    {"points", 5, 70, 50, 13, 14, 1, 1, {1, 1}, {0, 0}, {1, 1}, 1},
    {"stride", 3, 33, 40, 23, 26, 3, 3, {2, 2}, {1, 1}, {1, 1}, 1},
    {"stride, odd", 4, 40, 33, 27, 21, 3, 3, {2, 2}, {1, 1}, {1, 1}, 1},
    {"stride without padding", 3, 32, 32, 24, 30, 3, 3, {2, 2}, {0, 0}, {1, 1}, 1},
    {"stride of points", 9, 64, 100, 17, 16, 1, 1, {2, 2}, {0, 0}, {1, 1}, 1},
    {"strides that differ", 3, 24, 40, 30, 22, 3, 5, {1, 3}, {2, 1}, {1, 1}, 1},
    {"stride beyond the kernel", 9, 48, 48, 40, 33, 2, 1, {3, 4}, {0, 0}, {1, 1}, 1},
    {"dilation", 2, 30, 34, 19, 18, 3, 3, {1, 1}, {2, 3}, {2, 3}, 1},
    {"dilation and stride", 3, 32, 48, 31, 28, 3, 3, {2, 2}, {2, 2}, {2, 2}, 1},
    {"many images", 30, 6, 16, 9, 11, 5, 3, {1, 1}, {2, 0}, {1, 1}, 1},
    {"many images, long rows", 48, 3, 5, 12, 29, 5, 5, {1, 1}, {1, 3}, {1, 1}, 1},
    {"many images, dilation", 16, 7, 10, 12, 10, 3, 2, {1, 1}, {2, 1}, {2, 3}, 1},
    {"many images, padding beyond the kernel", 64, 5, 3, 3, 4, 2, 3, {1, 1}, {3, 4}, {1, 1}, 1},
    {"groups", 3, 34, 48, 20, 15, 3, 3, {1, 1}, {1, 1}, {1, 1}, 2},
    {"groups and stride", 5, 48, 99, 23, 25, 3, 3, {2, 2}, {1, 1}, {1, 1}, 3},
};

struct Convolution {
  tn_op op;
  Attrs attrs;
  std::vector<Array> in;  // for a gradient of w: g, x
  int64_t terms = 0;
};

Array filled(const Dims& dims, Rng& rng) {
  Array x(TN_DTYPE_F32, dims);
  for (int64_t k = 0; k < x.count(); ++k) x.set(k, rng.between(-1, 1));
  return x;
}

// The op and its gradients.
std::vector<Convolution> convolutions(const Shape& s) {
  Rng rng(23);
  const auto out = [&](int64_t size, int64_t kernel, size_t k) {
    return (size + 2 * s.padding[k] - s.dilation[k] * (kernel - 1) - 1) / s.stride[k] + 1;
  };
  const Array x = filled({s.batch, s.ci, s.h, s.w}, rng);
  const Array w = filled({s.co, s.ci / s.groups, s.kh, s.kw}, rng), bias = filled({s.co}, rng);
  const Array g = filled({s.batch, s.co, out(s.h, s.kh, 0), out(s.w, s.kw, 1)}, rng);
  const auto how = [&](uint32_t first) {
    return std::vector<Attr>{list(first, s.stride), list(first + 1, s.padding),
                             list(first + 2, s.dilation), integer(first + 3, s.groups)};
  };
  std::vector<Attr> of_x = how(TN_CONV2D_INPUT_GRAD_STRIDE);
  of_x.push_back(integer(TN_CONV2D_INPUT_GRAD_HEIGHT, s.h));
  of_x.push_back(integer(TN_CONV2D_INPUT_GRAD_WIDTH, s.w));
  std::vector<Attr> of_w = how(TN_CONV2D_WEIGHT_GRAD_STRIDE);
  of_w.push_back(integer(TN_CONV2D_WEIGHT_GRAD_HEIGHT, s.kh));
  of_w.push_back(integer(TN_CONV2D_WEIGHT_GRAD_WIDTH, s.kw));
  return {{TN_OP_CONV2D, Attrs(how(0)), {x, w, bias}, s.ci / s.groups * s.kh * s.kw},
          {TN_OP_CONV2D_INPUT_GRAD, Attrs(of_x), {g, w}, s.co / s.groups * s.kh * s.kw},
          {TN_OP_CONV2D_WEIGHT_GRAD, Attrs(of_w), {g, x}, g.count() / s.co}};
}

Array call(Session& session, const Convolution& c, tn_dtype dtype, bool sizes) {
  std::vector<Tensor> tensors;
  std::vector<tn_tensor*> in;
  for (const Array& from : c.in) {
    Array x(dtype, from.dims);
    for (int64_t k = 0; k < x.count(); ++k) {
      const double v = from.f[static_cast<size_t>(k)];
      x.set(k, sizes ? std::fabs(v) : v);
    }
    tensors.push_back(session.upload(x));
    in.push_back(tensors.back().get());
  }
  return session.read(session.call(c.op, in, c.attrs)[0].get());
}

// Beside the same in f64, which is multiply-adds everywhere.
std::string judge_convolution(Session& session, const Promise& p, const Convolution& c,
                              tn_dtype dtype) {
  Convolution seen = c;  // as the dtype holds it
  for (Array& x : seen.in) {
    Array y(dtype, x.dims);
    for (int64_t k = 0; k < x.count(); ++k) y.set(k, x.f[static_cast<size_t>(k)]);
    x = y;
  }
  const Array got = call(session, seen, dtype, false);
  const Array want = call(session, seen, TN_DTYPE_F64, false);
  const Array size = call(session, seen, TN_DTYPE_F64, true);
  const double growth = 2 * std::sqrt(static_cast<double>(c.terms)) + 26;
  double squares = 0, count = 0;
  for (int64_t k = 0; k < want.count(); ++k) {
    const auto at = static_cast<size_t>(k);
    const double sum = static_cast<float>(want.f[at]), y = got.f[at];
    const std::string where = "element " + place_of(want.dims, k);
    if (!std::isfinite(sum) || !std::isfinite(y)) {
      if (sum == y || (std::isnan(sum) && std::isnan(y))) continue;
      return where + " is " + text_of(y) + ", not " + text_of(sum);
    }
    const double rounded =
        dtype == TN_DTYPE_F32 ? 0 : epsilon(dtype) * (std::fabs(sum) / 2 + 0x1p-126);
    const double allowed = (p.most * p.unit + growth * 0x1p-24) * size.f[at] + rounded +
                           static_cast<double>(c.terms) * 0x1p-149;
    if (!(std::fabs(y - want.f[at]) <= allowed))
      return where + " is " + text_of(y) + ", not " + text_of(sum);
    if (size.f[at] > 0x1p-100) {
      squares += std::pow((y - want.f[at]) / size.f[at] / p.unit, 2);
      count += 1;
    }
  }
  const double usual = count > 0 ? std::sqrt(squares / count) : 0;
  if (dtype != TN_DTYPE_F32 || usual <= p.usual) return "";
  return "elements are wrong by " + text_of(usual) + " units as a rule";
}

void run_convolutions(Session& session, const Promise& p) {
  const auto judge_all = [&](const Convolution& c, const std::string& what) {
    std::string name = c.op == TN_OP_CONV2D              ? "conv2d, "
                       : c.op == TN_OP_CONV2D_INPUT_GRAD ? "conv2d_input_grad, "
                                                         : "conv2d_weight_grad, ";
    name += what;
    report(p, name, judge_convolution(session, p, c, TN_DTYPE_F32));
    if (p.precision != TN_PRECISION_HIGHEST) return;
    for (const tn_dtype dtype : {TN_DTYPE_F16, TN_DTYPE_BF16})
      report(p, name + ", " + name_of(dtype), judge_convolution(session, p, c, dtype));
  };
  for (const Shape& s : kShapes)
    for (const Convolution& c : convolutions(s)) judge_all(c, s.name);
  if (p.precision != TN_PRECISION_HIGHEST) return;
  const struct {
    const char* name;
    double value;
  } odd[] = {
      {"Inf", kInf}, {"NaN", std::nan("")}, {"1e-40", 1e-40}, {"1e-38", 1e-38}, {"3e38", 3e38}};
  // Without padding, since what Inf times a zero beyond an edge gives is left open.
  for (const auto& o : odd)
    for (size_t operand = 0; operand < 2; ++operand)
      for (const size_t shape : {size_t(4), size_t(9)})
        for (Convolution c : convolutions(kShapes[shape])) {
          if (!std::isfinite(o.value) && operand == 1 && c.op == TN_OP_CONV2D_INPUT_GRAD) continue;
          Array& x = c.in[operand];
          // Small ones alone in their sums.
          if (o.value < 1)
            for (int64_t k = 0; k < x.count(); ++k) x.set(k, k % 3 ? o.value : 0);
          x.set(x.count() / 2, o.value);
          judge_all(c, std::string(kShapes[shape].name) + " with " + o.name);
        }
}

// ---- threads

// x, w and bias of a layer, large enough for several threads.
std::vector<Array> layer(tn_dtype dtype) {
  Rng rng(5);
  std::vector<Array> all{{dtype, {300, 500}}, {dtype, {700, 500}}, {dtype, {700}}};
  for (Array& t : all)
    for (int64_t k = 0; k < t.count(); ++k) t.set(k, rng.between(-1, 1));
  all[0].set(150 * 500 + 20, 1e-38);  // in f32, what meets it is computed in another way
  return all;
}

std::vector<unsigned char> bits(const std::string& device, const std::string& plugin,
                                int32_t threads, const Promise& p, const std::vector<Array>& all) {
  const Runtime runtime(plugin, threads);
  Session session(runtime.raw, device);
  tn_ctx_set_precision(session.ctx(), p.precision);
  const Tensor x = session.upload(all[0]), w = session.upload(all[1]), b = session.upload(all[2]);
  return session.bytes(session.call(TN_OP_LINEAR, {x.get(), w.get(), b.get()}, {})[0].get());
}

void run_threads(const std::string& device, const std::string& plugin, const Promise& p) {
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_F16, TN_DTYPE_BF16}) {
    if (dtype != TN_DTYPE_F32 && p.precision != TN_PRECISION_HIGHEST) continue;
    const std::vector<Array> all = layer(dtype);
    const std::vector<unsigned char> want = bits(device, plugin, 1, p, all);
    for (const int32_t threads : {2, 5, 8})
      report(p, name_of(dtype) + " with " + std::to_string(threads) + " threads",
             bits(device, plugin, threads, p, all) == want ? "" : "other bits than with one");
  }
}

int run(const std::string& device, const std::string& plugin) {
  const std::map<std::string, Factors> hard = hard_data();
  for (const Promise& p : kPromises) {
    {
      const Runtime runtime(plugin, 0);
      Session session(runtime.raw, device);
      tn_ctx_set_precision(session.ctx(), p.precision);
      run_samples(session, p);
      run_hard(session, p, hard);
      run_convolutions(session, p);
      if (p.precision == TN_PRECISION_HIGHEST) {
        for (const tn_dtype dtype : {TN_DTYPE_F16, TN_DTYPE_BF16}) run_half(session, dtype);
        run_whole_numbers(session);
        const Runtime alone(plugin, 1);
        Session of_one_thread(alone.raw, device);
        run_whole_numbers(of_one_thread);
      }
    }
    run_threads(device, plugin, p);
  }
  std::printf("%s: %d compared, %d failed\n", device.c_str(), compared, failed);
  return failed == 0 && compared > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return device_main(argc, argv, run); }

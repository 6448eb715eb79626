// Adaptive pooling: window i of m along an axis of n elements is floor(i n / m) .. ceil((i + 1) n / m).
#include <algorithm>
#include <cmath>
#include <limits>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

constexpr uint32_t kSize = TN_ADAPTIVE_AVG_POOL2D_OUTPUT_SIZE;
static_assert(TN_ADAPTIVE_AVG_POOL1D_OUTPUT_SIZE == kSize &&
              TN_ADAPTIVE_AVG_POOL3D_OUTPUT_SIZE == kSize &&
              TN_ADAPTIVE_MAX_POOL1D_OUTPUT_SIZE == kSize &&
              TN_ADAPTIVE_MAX_POOL2D_OUTPUT_SIZE == kSize &&
              TN_ADAPTIVE_MAX_POOL3D_OUTPUT_SIZE == kSize);

Oracle pooled(bool greatest) {
  return [greatest](const Call& call) -> std::vector<Array> {
    const Array& x = call.in(0);
    const Dims size = call.attrs.list(kSize);
    Dims dims = x.dims;
    std::copy(size.begin(), size.end(), dims.begin() + 2);
    Array y(x.dtype, dims);
    size_t next = 0;
    for_each(dims, [&](const Dims& at) {
      Dims first = at, window(at.size(), 1);
      for (size_t a = 2; a < at.size(); ++a) {
        const double n = static_cast<double>(x.dims[a]), m = static_cast<double>(dims[a]);
        first[a] = static_cast<int64_t>(std::floor(static_cast<double>(at[a]) * n / m));
        window[a] =
            static_cast<int64_t>(std::ceil(static_cast<double>(at[a] + 1) * n / m)) - first[a];
      }
      const auto count = static_cast<double>(count_of(window));
      double sum = 0, size_of_sum = 0, top = -std::numeric_limits<double>::infinity();
      for_each(window, [&](const Dims& step) {
        Dims from = first;
        for (size_t a = 0; a < from.size(); ++a) from[a] += step[a];
        const double v = x.real(offset_of(from, strides_of(x.dims)));
        sum += v / count;
        size_of_sum += std::fabs(v) / count;
        top = std::fmax(top, v);
      });
      y.f[next++] = greatest ? top : sum;
      y.scale.push_back(greatest ? 0 : size_of_sum);
      y.terms = std::max(y.terms, count_of(window));
    });
    if (greatest) y.terms = 1;
    return {y};
  };
}

}  // namespace

void add_adaptive_pool(Catalogue& c) {
  struct Pool {
    tn_op op;
    const char* name;
    size_t axes;
    bool greatest;
  };
  const auto to = [](Dims size) { return std::vector<Attr>{list(kSize, std::move(size))}; };
  for (const Pool& p : {Pool{TN_OP_ADAPTIVE_AVG_POOL1D, "adaptive_avg_pool1d", 1, false},
                        Pool{TN_OP_ADAPTIVE_AVG_POOL2D, "adaptive_avg_pool2d", 2, false},
                        Pool{TN_OP_ADAPTIVE_AVG_POOL3D, "adaptive_avg_pool3d", 3, false},
                        Pool{TN_OP_ADAPTIVE_MAX_POOL1D, "adaptive_max_pool1d", 1, true},
                        Pool{TN_OP_ADAPTIVE_MAX_POOL2D, "adaptive_max_pool2d", 2, true},
                        Pool{TN_OP_ADAPTIVE_MAX_POOL3D, "adaptive_max_pool3d", 3, true}}) {
    OpSamples& s = c.add(p.op, p.name);
    s.on(kFloats).gives(pooled(p.greatest), p.greatest ? kExact : kComposite).gradient(Grad::yes);
    const auto of = [&](int64_t images, const Dims& all) {
      Dims dims{images, 2};
      dims.insert(dims.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(p.axes));
      return dims;
    };
    const auto first = [&](const Dims& all) {
      return Dims(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(p.axes));
    };
    const auto add = [&](const char* name, int64_t images, const Dims& from, const Dims& size) {
      s.add(Case{name, {in(of(images, from), distinct(-5, 5))}, to(first(size))}.ties());
    };
    add("parts", 2, {6, 4, 2}, {3, 2, 1});
    add("one", 1, {5, 3, 2}, {1, 1, 1});
    add("all", 1, {3, 2, 4}, {3, 2, 4});
    add("uneven", 2, {7, 5, 3}, {3, 2, 2});
    add("overlapping", 1, {5, 4, 3}, {4, 3, 2});
    add("more_than_there_are", 1, {3, 2, 2}, {5, 3, 4});
    add("no_images", 0, {5, 4, 3}, {2, 3, 2});
    const int64_t images = p.axes == 1 ? 24 : p.axes == 2 ? 6 : 1;
    s.add(Case{"large", {in(of(images, {67, 28, 13}), uniform(-5, 5))}, to(first({9, 7, 4}))}
              .large());
    const auto refuse = [&](const char* name, const Dims& dims, Dims size) {
      s.add(Case{name, {in(dims, uniform(-5, 5))}, to(std::move(size))}
                .refused(TN_INVALID_ARGUMENT)
                .only({TN_DTYPE_F32}));
    };
    refuse("size_of_0", of(1, {4, 4, 4}), first({0, 2, 2}));
    refuse("wrong_number_of_sizes", of(1, {4, 4, 4}), {2, 2, 2, 2});
    refuse("nothing_there", of(1, {0, 4, 4}), first({2, 2, 2}));
    refuse("wrong_rank", {2, 4}, first({2, 2, 2}));
  }
}

}  // namespace tenon::conformance

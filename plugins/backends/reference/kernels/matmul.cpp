// matmul(a, b) -> y: [..., m, k] by [..., k, n] gives [..., m, n]; leading dims broadcast. transpose_a and transpose_b say that a
// is [..., k, m] and b is [..., n, k].
#include "elementwise.hpp"

namespace tenon::reference {
namespace {

struct MatMul {
  struct Data {
    bool transpose_a = false, transpose_b = false;
  };
  static sdk::Plan<Data> prepare(const sdk::Signature& s) {
    const tn_dtype dtype = s.input(0).dtype;
    if (!sdk::has_dtype<sdk::Numbers>(dtype)) return s.decline(kNoMeaning);
    if (s.input(1).dtype != dtype) return s.decline("the inputs differ in dtype");
    return Data{sdk::attr_bool(s, TN_MATMUL_TRANSPOSE_A), sdk::attr_bool(s, TN_MATMUL_TRANSPOSE_B)};
  }

  // One matrix in a dense array: how far apart neighbours along a row's and a column's direction are.
  struct Steps {
    int64_t row, column;
  };
  static Steps steps_of(const tn_view& v, bool transposed) {
    const int64_t width = v.dims[v.rank - 1];
    return transposed ? Steps{1, width} : Steps{width, 1};
  }

  static void run(const Data& plan, const sdk::Queue&, const sdk::Args& args) {
    visit_wide(args[0].dtype, [&]<class W>(W) { multiply<W>(plan, args[0], args[1], args[2]); });
  }

  template <class W>
  static void multiply(const Data& plan, const tn_view& av, const tn_view& bv, const tn_view& yv) {
    const Dense<W> a = load<W>(av), b = load<W>(bv);
    Dense<W> y(static_cast<size_t>(yv.count));
    const int64_t m = yv.dims[yv.rank - 2], n = yv.dims[yv.rank - 1];
    const int64_t depth = av.dims[plan.transpose_a ? av.rank - 2 : av.rank - 1];
    const Steps as = steps_of(av, plan.transpose_a), bs = steps_of(bv, plan.transpose_b);
    const auto a_batch = batch_strides(av, yv), b_batch = batch_strides(bv, yv);
    const auto batches =
        sdk::coalesce<2>(sdk::dims(yv).first(yv.rank - 2u), {a_batch.data(), b_batch.data()});
    W* row = y.data();
    if (y.empty()) return;
    sdk::for_each(batches, [&](int64_t a0, int64_t b0) {
      for (int64_t i = 0; i < m; ++i, row += n) {
        for (int64_t k = 0; k < depth; ++k) {
          const W left = a[static_cast<size_t>(a0 + i * as.row + k * as.column)];
          const W* right = b.data() + b0 + k * bs.row;
          for (int64_t j = 0; j < n; ++j) {
            row[j] = sum_of(row[j], product_of(left, right[j * bs.column]));
          }
        }
      }
    });
    store(y, yv);
  }
};

}  // namespace

REFERENCE_KERNEL(matmul, MatMul, 0);

}  // namespace tenon::reference

// cholesky, triangular_solve and lu: blocks of rows or columns by plain loops, all that lies beside
// them by the matrix product. f16 and bf16 are converted to f32.
#include <tenon/op_ids.h>

#include <cmath>
#include <limits>
#include <memory>

#include "matmul/gemm.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kBlock = 32;

// ---- loops

// y[i] -= f x[i], i < n.
template <class T>
CPU_INLINE void subtract(T* y, const T* x, T f, int64_t n) {
  const Vec<T> factor = splat<Vec<T>>(-f);
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) store(y + i, fma(load(x + i), factor, load(y + i)));
  if (i < n) store_n(y + i, fma(load_n(x + i, n - i), factor, load_n(y + i, n - i)), n - i);
}

template <class T>
CPU_INLINE T dot(const T* x, const T* y, int64_t n) {
  Vec<T> sum{};
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) sum = fma(load(x + i), load(y + i), sum);
  if (i < n) sum = fma(load_n(x + i, n - i), load_n(y + i, n - i), sum);
  return sum_lanes(sum);
}

template <class T>
void copy_matrix(T* to, const T* from, int64_t rows, int64_t columns, int64_t row, int64_t column) {
  for (int64_t i = 0; i < rows; ++i, to += columns, from += row) {
    if (column == 1) {
      std::memcpy(static_cast<void*>(to), from, size_t(columns) * sizeof(T));
    } else {
      for (int64_t j = 0; j < columns; ++j) to[j] = from[j * column];
    }
  }
}

// to = -from, dense.
template <class T>
void copy_negated(T* to, const T* from, int64_t rows, int64_t columns, int64_t row,
                  int64_t column) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) *to++ = -from[i * row + j * column];
}

// ---- products of the steps

// What is subtracted before or after block number i, as C += A B with one of the two negated.
template <class T>
class Products {
 public:
  // Shapes by block. False: no memory.
  template <class Shape>
  bool plan(const Device& device, int64_t blocks, int64_t parts, const Shape& shape) {
    gemms_.reset(new (std::nothrow) Gemm<T>[size_t(blocks > 0 ? blocks : 1)]);
    if (!gemms_) return false;
    for (int64_t i = 0; i < blocks; ++i) {
      const GemmShape s = shape(i);
      const int64_t worth = gemm_parts_worth(device, s, 1);
      gemms_[size_t(i)].plan(s, device, worth < parts ? worth : parts);
      const int64_t scratch = (gemms_[size_t(i)].scratch() + 63) / 64 * 64;
      if (scratch > per_part_) per_part_ = scratch;
      if (gemms_[size_t(i)].parts() > parts_) parts_ = gemms_[size_t(i)].parts();
    }
    return true;
  }
  int64_t scratch() const { return per_part_ * parts_; }  // elements, 64-byte aligned
  void run(const Device& device, int64_t i, const T* a, const T* b, T* c, T* scratch) const {
    const Gemm<T>& g = gemms_[size_t(i)];
    parallel(device, g.parts(), 1, g.parts() > 1 ? kParallelNs : 0,
             [&](int64_t begin, int64_t end) {
               for (int64_t p = begin; p < end; ++p)
                 g.run_part(int(p), a, b, c, nullptr, scratch + p * per_part_, nullptr, true);
             });
  }

 private:
  std::unique_ptr<Gemm<T>[]> gemms_;
  int64_t per_part_ = 0;
  int parts_ = 1;
};

// ---- the plan of one op

template <class T>
struct Factor {
  const Device* device;
  int64_t n = 0, columns = 0;  // columns of b
  int64_t count = 1;           // matrices
  int64_t groups = 1;          // of matrices, at the same time
  int64_t work = 0;  // elements of each group: negated copies, then the scratch of products
  bool upper = false, transpose = false, unit = false;
  Products<T> products;

  int64_t blocks() const { return (n + kBlock - 1) / kBlock; }
  int64_t width(int64_t at) const { return n - at < kBlock ? n - at : kBlock; }
  int64_t negated() const { return (n * kBlock + 64) / 64 * 64; }  // at least one line

  // body(index, negated copies, scratch) for each matrix.
  template <class Body>
  void each(T* workspace, const Body& body) const {
    parallel(*device, groups, 1, groups > 1 ? kParallelNs : 0, [&](int64_t begin, int64_t end) {
      for (int64_t g = begin; g < end; ++g) {
        T* own = workspace + g * work;
        for (int64_t k = g * count / groups; k < (g + 1) * count / groups; ++k)
          body(k, own, own + negated());
      }
    });
  }
};

// Elements from the start of v to its matrix number `index` of those of `out`.
int64_t matrix_offset(const tn_view& v, const tn_view& out, int64_t index) {
  int64_t offset = 0;
  for (int a = out.rank - 3; a >= 0; --a) {
    const int64_t at = index % out.dims[a];
    index /= out.dims[a];
    const int own = a - (out.rank - v.rank);
    if (own >= 0 && v.dims[own] != 1) offset += at * v.strides[own];
  }
  return offset;
}

// ---- cholesky: each block of columns less what those before it give, then by rows

template <class T>
void cholesky(const Factor<T>& f, T* a, T* negated, T* scratch) {
  const int64_t n = f.n;
  for (int64_t block = 0, at = 0; at < n; ++block, at += kBlock) {
    const int64_t width = f.width(at);
    if (at > 0) {
      copy_negated(negated, a + at * n, width, at, n, 1);
      f.products.run(*f.device, block, a + at * n, negated, a + at * n + at, scratch);
    }
    const auto rows = [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        T* row = a + i * n + at;
        for (int64_t j = 0; j < width && j <= i - at; ++j) {
          const T* other = a + (at + j) * n + at;
          const T rest = row[j] - dot(row, other, j);
          if (i - at != j) {
            row[j] = rest / other[j];
          } else {
            row[j] = rest > 0 ? std::sqrt(rest) : std::numeric_limits<T>::quiet_NaN();
          }
        }
      }
    };
    rows(at, at + width);
    parallel(*f.device, n - at - width, 16, f.groups > 1 ? 0 : double(width) * double(width),
             [&](int64_t begin, int64_t end) { rows(at + width + begin, at + width + end); });
  }
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i + 1; j < n; ++j) {
      a[i * n + j] = f.upper ? a[j * n + i] : T(0);
      if (f.upper) a[j * n + i] = T(0);
    }
}

template <class T>
tn_error* TN_CALL run_cholesky(void* plan, void*, const tn_view* const* args) {
  const auto& f = *static_cast<const Factor<T>*>(plan);
  const tn_view &x = *args[0], &y = *args[1];
  const int64_t down = x.strides[x.rank - 2], across = x.strides[x.rank - 1];
  f.each(output<T>(args[2]), [&](int64_t k, T* negated, T* scratch) {
    T* a = output<T>(&y) + k * f.n * f.n;
    copy_matrix(a, input<T>(&x) + matrix_offset(x, y, k), f.n, f.n, f.upper ? across : down,
                f.upper ? down : across);
    cholesky(f, a, negated, scratch);
  });
  return nullptr;
}

// ---- triangular_solve: from the first row on. a and x may run backwards.

template <class T>
struct Strided {
  const T* a;
  int64_t row, column;
};

template <class T>
void solve_lower(const Factor<T>& f, Strided<T> s, T* x, int64_t x_row, T* negated, T* scratch) {
  for (int64_t block = 0, at = 0; at < f.n; ++block, at += kBlock) {
    const int64_t width = f.width(at);
    if (at > 0) {
      copy_negated(negated, s.a + at * s.row, width, at, s.row, s.column);
      f.products.run(*f.device, block, negated, x, x + at * x_row, scratch);
    }
    for (int64_t j = at; j < at + width; ++j) {
      T* row = x + j * x_row;
      const T* of_a = s.a + j * s.row;
      for (int64_t p = at; p < j; ++p) subtract(row, x + p * x_row, of_a[p * s.column], f.columns);
      const T diagonal = of_a[j * s.column];
      for (int64_t c = 0; c < f.columns && !f.unit; ++c) row[c] /= diagonal;
    }
  }
}

template <class T>
tn_error* TN_CALL run_triangular_solve(void* plan, void*, const tn_view* const* args) {
  const auto& f = *static_cast<const Factor<T>*>(plan);
  const tn_view &a = *args[0], &b = *args[1], &x = *args[2];
  const bool from_end = f.upper != f.transpose;
  Strided<T> s = {nullptr, a.strides[a.rank - 2], a.strides[a.rank - 1]};
  if (f.transpose) std::swap(s.row, s.column);
  const int64_t last = f.n - 1, x_row = f.columns;
  f.each(output<T>(args[3]), [&](int64_t k, T* negated, T* scratch) {
    T* y = output<T>(&x) + k * f.n * f.columns;
    copy_matrix(y, input<T>(&b) + matrix_offset(b, x, k), f.n, f.columns, b.strides[b.rank - 2],
                b.strides[b.rank - 1]);
    Strided<T> own = s;
    own.a = input<T>(&a) + matrix_offset(a, x, k);
    if (!from_end) return solve_lower(f, own, y, x_row, negated, scratch);
    own = {own.a + last * (s.row + s.column), -s.row, -s.column};
    solve_lower(f, own, y + last * x_row, -x_row, negated, scratch);
  });
  return nullptr;
}

// ---- lu: a block of columns with pivots, the rows beside it, then what is left

template <class T>
void lu_columns(const Factor<T>& f, T* a, int64_t* order, int64_t at, int64_t end) {
  const int64_t n = f.n;
  for (int64_t c = at; c < end; ++c) {
    int64_t best = c;
    for (int64_t i = c + 1; i < n; ++i)
      if (std::fabs(a[i * n + c]) > std::fabs(a[best * n + c])) best = i;
    if (best != c) {
      for (int64_t j = 0; j < n; ++j) std::swap(a[c * n + j], a[best * n + j]);
      std::swap(order[c], order[best]);
    }
    const T pivot = a[c * n + c];
    if (pivot == T(0)) continue;
    for (int64_t i = c + 1; i < n; ++i) {
      a[i * n + c] /= pivot;
      subtract(a + i * n + c + 1, a + c * n + c + 1, a[i * n + c], end - c - 1);
    }
  }
}

template <class T>
void lu(const Factor<T>& f, T* a, int64_t* order, T* negated, T* scratch) {
  const int64_t n = f.n;
  for (int64_t i = 0; i < n; ++i) order[i] = i;
  for (int64_t block = 0, at = 0; at < n; ++block, at += kBlock) {
    const int64_t end = at + f.width(at), rest = n - end;
    lu_columns(f, a, order, at, end);
    if (rest == 0) continue;
    for (int64_t j = at + 1; j < end; ++j)
      for (int64_t p = at; p < j; ++p)
        subtract(a + j * n + end, a + p * n + end, a[j * n + p], rest);
    copy_negated(negated, a + end * n + at, rest, end - at, n, 1);
    f.products.run(*f.device, block, negated, a + at * n + end, a + end * n + end, scratch);
  }
}

template <class T>
tn_error* TN_CALL run_lu(void* plan, void*, const tn_view* const* args) {
  const auto& f = *static_cast<const Factor<T>*>(plan);
  const tn_view &x = *args[0], &y = *args[1];
  int64_t* order = output<int64_t>(args[2]);
  f.each(output<T>(args[3]), [&](int64_t k, T* negated, T* scratch) {
    T* a = output<T>(&y) + k * f.n * f.n;
    copy_matrix(a, input<T>(&x) + matrix_offset(x, y, k), f.n, f.n, x.strides[x.rank - 2],
                x.strides[x.rank - 1]);
    lu(f, a, order + k * f.n, negated, scratch);
  });
  return nullptr;
}

// ---- prepare

GemmShape gemm(int64_t m, int64_t n, int64_t k) {
  GemmShape s;
  s.m = m;
  s.n = n;
  s.k = k;
  s.a_col = 1;
  s.b_col = 1;
  return s;
}

// The product of a block that begins at row `at`.
template <class T>
GemmShape shape_of(const Factor<T>& f, tn_op op, int64_t at) {
  const int64_t n = f.n, width = f.width(at);
  if (op == TN_OP_CHOLESKY) {
    GemmShape s = gemm(n - at, width, at);
    s.a_row = s.c_row = n;
    s.b_row = 1;
    s.b_col = at;
    return s;
  }
  if (op == TN_OP_TRIANGULAR_SOLVE) {
    GemmShape s = gemm(width, f.columns, at);
    s.a_row = at;
    s.b_row = s.c_row = f.upper != f.transpose ? -f.columns : f.columns;
    return s;
  }
  const int64_t rest = n - at - width;
  GemmShape s = gemm(rest, rest, width);
  s.a_row = width;
  s.b_row = s.c_row = n;
  return s;
}

template <class T>
tn_error* make_factor(const Device& device, const tn_signature& sig, tn_op op, tn_kernel_run run,
                      tn_plan* plan) {
  auto* f = make_plan<Factor<T>>(plan, run);
  if (!f) return out_of_memory(device);
  const tn_view& y = *sig.outputs[0];
  f->device = &device;
  f->n = y.dims[y.rank - 2];
  f->columns = y.dims[y.rank - 1];
  for (int a = 0; a + 2 < y.rank; ++a) f->count *= y.dims[a];
  if (f->n == 0 || f->columns == 0) f->count = 0;
  if (op == TN_OP_CHOLESKY) f->upper = attr_bool(sig, TN_CHOLESKY_UPPER);
  if (op == TN_OP_TRIANGULAR_SOLVE) {
    f->upper = attr_bool(sig, TN_TRIANGULAR_SOLVE_UPPER);
    f->transpose = attr_bool(sig, TN_TRIANGULAR_SOLVE_TRANSPOSE);
    f->unit = attr_bool(sig, TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL);
  }
  const double ns = 0.2 * double(f->n) * double(f->n) * double(f->columns) * double(f->count);
  if (f->count > 1 && worth_threads(device, ns))
    f->groups = f->count < device.threads ? f->count : device.threads;
  const auto shape = [&](int64_t block) { return shape_of(*f, op, block * kBlock); };
  if (!f->products.plan(device, f->blocks(), f->groups > 1 ? 1 : device.threads, shape)) {
    plan->release(f);
    plan->data = nullptr;
    plan->release = nullptr;
    return out_of_memory(device);
  }
  f->work = f->negated() + f->products.scratch();
  plan->workspace_bytes = uint64_t(f->groups * f->work) * sizeof(T);
  return nullptr;
}

tn_error* prepare_factor(const Device& device, const tn_signature& sig, tn_op op,
                         tn_kernel_run of_f32, tn_kernel_run of_f64, tn_plan* plan) {
  if (!contiguous(sig.outputs[0])) return decline(plan, "the output must be dense");
  const tn_dtype dtype = sig.outputs[0]->dtype;
  if (dtype == TN_DTYPE_F32) return make_factor<float>(device, sig, op, of_f32, plan);
  if (dtype == TN_DTYPE_F64) return make_factor<double>(device, sig, op, of_f64, plan);
  return decline(plan, "only f32, f64, f16 and bf16");
}

tn_error* cholesky_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  return prepare_factor(device, sig, TN_OP_CHOLESKY, run_cholesky<float>, run_cholesky<double>,
                        plan);
}
tn_error* triangular_solve_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  return prepare_factor(device, sig, TN_OP_TRIANGULAR_SOLVE, run_triangular_solve<float>,
                        run_triangular_solve<double>, plan);
}
tn_error* lu_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  return prepare_factor(device, sig, TN_OP_LU, run_lu<float>, run_lu<double>, plan);
}

tn_error* prepare_any(const Device& device, const tn_signature& sig, tn_plan* plan,
                      tn_error* (*prepare)(const Device&, const tn_signature&, tn_plan*)) {
  if (is_narrow(sig.outputs[0]->dtype)) return prepare_widened(device, sig, plan, prepare);
  return prepare(device, sig, plan);
}

}  // namespace

CPU_PREPARE(cholesky) { return prepare_any(device, sig, plan, cholesky_wide); }
CPU_PREPARE(triangular_solve) { return prepare_any(device, sig, plan, triangular_solve_wide); }
CPU_PREPARE(lu) { return prepare_any(device, sig, plan, lu_wide); }

}  // namespace tenon::cpu::CPU_ISA

// Factors of matrices and what is solved by them. Each oracle eliminates in the plainest order.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

// One matrix in wide numbers.
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<long double> v;
  Matrix(int64_t r, int64_t c) : rows(r), columns(c), v(static_cast<size_t>(r * c)) {}
  long double& at(int64_t i, int64_t j) { return v[static_cast<size_t>(i * columns + j)]; }
};

// Matrix number k of x.
Matrix matrix_of(const Array& x, int64_t k) {
  Matrix m(x.dims[x.rank() - 2], x.dims[x.rank() - 1]);
  for (size_t i = 0; i < m.v.size(); ++i)
    m.v[i] = x.real(k * static_cast<int64_t>(m.v.size()) + static_cast<int64_t>(i));
  return m;
}
int64_t matrices_in(const Dims& dims) { return count_of(Dims(dims.begin(), dims.end() - 2)); }
// As matrix number k of y. Errors are measured by its greatest element.
void put(Array& y, int64_t k, const Matrix& m) {
  double greatest = 0;
  for (const long double v : m.v)
    if (std::isfinite(v)) greatest = std::max(greatest, std::fabs(static_cast<double>(v)));
  y.scale.resize(y.f.size());
  y.terms = std::max<int64_t>(m.rows, 1);
  for (size_t i = 0; i < m.v.size(); ++i) {
    const size_t to = static_cast<size_t>(k) * m.v.size() + i;
    y.f[to] = static_cast<double>(m.v[i]);
    y.scale[to] = 4 * greatest;
  }
}

// ---- oracles

std::vector<Array> cholesky(const Call& call) {
  const Array& x = call.in(0);
  const bool upper = call.attrs.flag(TN_CHOLESKY_UPPER);
  Array y(x.dtype, x.dims);
  for (int64_t k = 0; k < matrices_in(x.dims); ++k) {
    Matrix a = matrix_of(x, k), l(a.rows, a.rows);
    for (int64_t i = 0; i < a.rows; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        long double rest = upper ? a.at(j, i) : a.at(i, j);
        for (int64_t p = 0; p < j; ++p)
          rest -= upper ? l.at(p, i) * l.at(p, j) : l.at(i, p) * l.at(j, p);
        const long double root = rest > 0 ? std::sqrt(rest) : std::nan("");
        const long double value = i == j ? root : rest / l.at(j, j);
        (upper ? l.at(j, i) : l.at(i, j)) = value;
      }
    put(y, k, l);
  }
  return {y};
}

// The triangle of a that is used, as a whole matrix.
Matrix triangle(Matrix a, const Attrs& attrs) {
  const bool upper = attrs.flag(TN_TRIANGULAR_SOLVE_UPPER);
  Matrix t(a.rows, a.rows);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < a.rows; ++j) {
      const bool kept = upper ? j >= i : j <= i;
      long double v = kept ? a.at(i, j) : 0;
      if (i == j && attrs.flag(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL)) v = 1;
      (attrs.flag(TN_TRIANGULAR_SOLVE_TRANSPOSE) ? t.at(j, i) : t.at(i, j)) = v;
    }
  return t;
}

// a^-1 b by Gauss and Jordan with the greatest pivot of each column. `det`: also the determinant.
Matrix solved(Matrix a, Matrix b, long double* det = nullptr) {
  long double product = 1;
  for (int64_t k = 0; k < a.rows; ++k) {
    int64_t best = k;
    for (int64_t i = k; i < a.rows; ++i)
      if (std::fabs(a.at(i, k)) > std::fabs(a.at(best, k))) best = i;
    for (int64_t j = 0; j < a.rows; ++j) std::swap(a.at(k, j), a.at(best, j));
    for (int64_t j = 0; j < b.columns; ++j) std::swap(b.at(k, j), b.at(best, j));
    const long double pivot = a.at(k, k);
    product *= best == k ? pivot : -pivot;
    if (det != nullptr && pivot == 0) break;
    for (int64_t i = 0; i < a.rows; ++i) {
      if (i == k) continue;
      const long double factor = a.at(i, k) / pivot;
      for (int64_t j = k; j < a.rows; ++j) a.at(i, j) -= factor * a.at(k, j);
      for (int64_t j = 0; j < b.columns; ++j) b.at(i, j) -= factor * b.at(k, j);
    }
  }
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < b.columns; ++j) b.at(i, j) /= a.at(i, i);
  if (det != nullptr) *det = product;
  return b;
}

Oracle solution(Matrix (*used)(Matrix, const Attrs&)) {
  return [=](const Call& call) -> std::vector<Array> {
    Array a = call.in(0), b = call.in(1);
    const bool vector = b.rank() == 1;
    if (vector) b.dims.push_back(1);
    const Dims of_a(a.dims.begin(), a.dims.end() - 2), of_b(b.dims.begin(), b.dims.end() - 2);
    Dims batch = broadcast_dims(of_a, of_b), dims_a = batch, dims = batch;
    dims_a.insert(dims_a.end(), a.dims.end() - 2, a.dims.end());
    dims.insert(dims.end(), b.dims.end() - 2, b.dims.end());
    a = broadcast(a, dims_a);
    b = broadcast(b, dims);
    Array x(a.dtype, dims);
    for (int64_t k = 0; k < matrices_in(dims); ++k)
      put(x, k, solved(used(matrix_of(a, k), call.attrs), matrix_of(b, k)));
    if (vector) x.dims.pop_back();
    return {x};
  };
}

std::vector<Array> lu(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, x.dims), order(TN_DTYPE_I64, Dims(x.dims.begin(), x.dims.end() - 1));
  for (int64_t k = 0; k < matrices_in(x.dims); ++k) {
    Matrix a = matrix_of(x, k);
    std::vector<int64_t> rows(static_cast<size_t>(a.rows));
    std::iota(rows.begin(), rows.end(), 0);
    for (int64_t c = 0; c < a.rows; ++c) {
      int64_t best = c;
      for (int64_t i = c; i < a.rows; ++i)
        if (std::fabs(a.at(i, c)) > std::fabs(a.at(best, c))) best = i;
      std::swap(rows[static_cast<size_t>(c)], rows[static_cast<size_t>(best)]);
      for (int64_t j = 0; j < a.rows; ++j) std::swap(a.at(c, j), a.at(best, j));
      for (int64_t i = c + 1; i < a.rows && a.at(c, c) != 0; ++i) {
        a.at(i, c) /= a.at(c, c);
        for (int64_t j = c + 1; j < a.rows; ++j) a.at(i, j) -= a.at(i, c) * a.at(c, j);
      }
    }
    put(y, k, a);
    for (int64_t i = 0; i < a.rows; ++i) order.set(k * a.rows + i, rows[static_cast<size_t>(i)]);
  }
  return {y, order};
}

Matrix identity(int64_t n) {
  Matrix m(n, n);
  for (int64_t i = 0; i < n; ++i) m.at(i, i) = 1;
  return m;
}
std::vector<Array> inverse(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, x.dims);
  for (int64_t k = 0; k < matrices_in(x.dims); ++k)
    put(y, k, solved(matrix_of(x, k), identity(x.dims.back())));
  return {y};
}

// Errors are measured by the product of the sums of the rows.
std::vector<Array> det(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, Dims(x.dims.begin(), x.dims.end() - 2));
  for (int64_t k = 0; k < y.count(); ++k) {
    Matrix a = matrix_of(x, k);
    long double value = 1, scale = 1;
    for (int64_t i = 0; i < a.rows; ++i) {
      long double row = 0;
      for (int64_t j = 0; j < a.rows; ++j) row += std::fabs(a.at(i, j));
      scale *= row;
    }
    solved(a, Matrix(a.rows, 0), &value);
    y.f[static_cast<size_t>(k)] = static_cast<double>(value);
    y.scale.push_back(static_cast<double>(scale));
  }
  y.terms = std::max<int64_t>(x.dims.back(), 1);
  return {y};
}

// ---- values

// Matrices with one great element in each row and each column, which lies on the diagonal, or, if
// `moved`, anywhere.
Fill dominant(bool moved) {
  return [=](Array& x, Rng& rng) {
    const int64_t n = x.dims.back();
    for (int64_t k = 0; k < matrices_in(x.dims); ++k) {
      std::vector<int64_t> place(static_cast<size_t>(n));
      std::iota(place.begin(), place.end(), 0);
      for (int64_t i = n; moved && i-- > 1;)
        std::swap(place[static_cast<size_t>(i)], place[static_cast<size_t>(rng.below(i + 1))]);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) {
          const bool great = place[static_cast<size_t>(i)] == j;
          x.set((k * n + i) * n + j,
                great ? rng.between(2, 3) : rng.between(-1, 1) / static_cast<double>(n));
        }
    }
  };
}
const Fill kPositive = dominant(false), kAny = dominant(true), kRight = uniform(-2, 2);

Case matrices(const std::string& name, const Dims& dims, const Fill& fill,
              std::vector<Attr> attrs = {}) {
  return Case{name, {in(dims, fill)}, std::move(attrs)}.distinct();
}

void add_sizes(OpSamples& s, const Fill& fill, const std::vector<Attr>& attrs = {}) {
  s.add(matrices("few", {4, 4}, fill, attrs));
  s.add(matrices("one", {1, 1}, fill, attrs));
  s.add(matrices("batch", {2, 1, 3, 3}, fill, attrs));
  s.add(matrices("nothing", {0, 0}, fill, attrs));
  s.add(matrices("no_matrices", {0, 3, 3}, fill, attrs));
  s.add(matrices("blocks", {2, 37, 37}, fill, attrs).no_grad());
  s.add(matrices("large", {70, 70}, fill, attrs).large());
  s.add(matrices("wide", {3, 4}, kRight, attrs).refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  s.add(matrices("vector", {3}, kRight, attrs).refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  s.add(matrices("whole", {2, 2}, kRight, attrs).refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_I32}));
}

// Of a and b.
void add_right_sides(OpSamples& s, const Fill& fill, const std::string& name = "",
                     const std::vector<Attr>& attrs = {}) {
  const auto add = [&](const std::string& what, const Dims& a, const Dims& b) -> Case {
    return Case{what + name, {in(a, fill), in(b, kRight)}, attrs}.distinct();
  };
  s.add(add("few", {4, 4}, {4, 3}));
  if (!name.empty()) {
    s.add(add("blocks", {37, 37}, {37, 5}).no_grad());
    return;
  }
  s.add(add("one", {1, 1}, {1, 1}));
  s.add(add("batch", {2, 3, 3}, {2, 3, 2}));
  s.add(add("same_matrix", {3, 3}, {2, 3, 2}));
  s.add(add("same_right_side", {2, 1, 3, 3}, {3, 3, 1}));
  s.add(add("nothing", {0, 0}, {0, 2}));
  s.add(add("no_columns", {3, 3}, {3, 0}));
  s.add(add("no_matrices", {0, 3, 3}, {0, 3, 2}));
  s.add(add("blocks", {2, 37, 37}, {2, 37, 5}).no_grad());
  s.add(add("large", {70, 70}, {70, 33}).large());
  const auto refuse = [&](const std::string& what, const Dims& a, const Dims& b) {
    s.add(Case{what, {in(a, kRight), in(b, kRight)}}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  };
  refuse("wide", {3, 4}, {4, 2});
  refuse("other_rows", {3, 3}, {4, 2});
  refuse("other_batch", {2, 3, 3}, {3, 3, 2});
  refuse("scalar", {3, 3}, {});
}

}  // namespace

void add_linalg(Catalogue& c) {
  OpSamples& l = c.add(TN_OP_CHOLESKY, "cholesky");
  l.on(kFloats).gives(cholesky, kComposite).gradient(Grad::yes);
  add_sizes(l, kPositive);
  l.add(matrices("upper", {2, 4, 4}, kPositive, {flag(TN_CHOLESKY_UPPER, true)}));
  l.add(matrices("upper_blocks", {37, 37}, kPositive, {flag(TN_CHOLESKY_UPPER, true)}).no_grad());
  l.add(matrices("not_positive", {3, 3}, values({4, 9, 9, 2, 1, 9, 2, 1, 5})).no_grad());
  l.add(matrices("negative", {2, 2}, values({-1, 0, 0, 1})).no_grad());

  OpSamples& t = c.add(TN_OP_TRIANGULAR_SOLVE, "triangular_solve");
  t.on(kFloats).gives(solution(triangle), kComposite).gradient(Grad::yes);
  add_right_sides(t, kPositive);
  for (int how = 1; how < 8; ++how)
    add_right_sides(t, kPositive,
                    std::string(how & 1 ? "_upper" : "") + (how & 2 ? "_transposed" : "") +
                        (how & 4 ? "_unit" : ""),
                    {flag(TN_TRIANGULAR_SOLVE_UPPER, (how & 1) != 0),
                     flag(TN_TRIANGULAR_SOLVE_TRANSPOSE, (how & 2) != 0),
                     flag(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL, (how & 4) != 0)});
  t.add(Case{"vector", {in({3, 3}, kRight), in({3}, kRight)}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));

  OpSamples& f = c.add(TN_OP_LU, "lu");
  f.on(kFloats).gives(lu, kComposite).gradient(Grad::yes);
  add_sizes(f, kAny);
  f.add(matrices("singular", {3, 3}, values({0, 2, 4, 0, 1, 3, 0, 4, 4})).no_grad());
  f.add(matrices("zeros", {2, 2}, values({0})).no_grad());

  const auto whole = [](Matrix m, const Attrs&) { return m; };
  OpSamples& s = c.add(TN_OP_SOLVE, "solve");
  s.on(kFloats).gives(solution(whole), kComposite).gradient(Grad::yes);
  add_right_sides(s, kAny);
  s.add(Case{"vector", {in({3, 3}, kAny), in({3}, kRight)}}.distinct());
  s.add(Case{"vector_for_all", {in({2, 3, 3}, kAny), in({3}, kRight)}}.distinct());

  OpSamples& i = c.add(TN_OP_INVERSE, "inverse");
  i.on(kFloats).gives(inverse, kComposite).gradient(Grad::yes);
  add_sizes(i, kAny);

  OpSamples& d = c.add(TN_OP_DET, "det");
  d.on(kFloats).gives(det, kComposite).gradient(Grad::yes);
  add_sizes(d, kAny);
  d.add(matrices("any", {3, 5, 5}, uniform(-2, 2)));
  d.add(matrices("singular", {3, 3}, values({1, 2, 3, 2, 4, 6, 1, 0, 1})).first_only());
  d.add(matrices("no_pivot", {3, 3}, values({0, 1, 2, 0, 3, 4, 0, 5, 1})).first_only());
}

}  // namespace tenon::conformance

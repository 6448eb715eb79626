// Factors of matrices and what is solved by them. Each oracle eliminates in the plainest order.
#include <algorithm>
#include <cmath>
#include <complex>
#include <numeric>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

using Wide = long double;
using Complex = std::complex<Wide>;
Wide conj(Wide x) { return x; }
Complex conj(Complex x) { return std::conj(x); }

// One matrix in wide numbers.
template <class T>
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<T> v;
  Matrix(int64_t r, int64_t c) : rows(r), columns(c), v(static_cast<size_t>(r * c)) {}
  T& at(int64_t i, int64_t j) { return v[static_cast<size_t>(i * columns + j)]; }
};

void get(const Array& x, int64_t k, Wide* to) { *to = x.real(k); }
void get(const Array& x, int64_t k, Complex* to) { *to = {x.real(2 * k), x.real(2 * k + 1)}; }
void put(Array& y, size_t k, Wide value, double scale) {
  y.f[k] = static_cast<double>(value);
  y.scale[k] = scale;
}
void put(Array& y, size_t k, Complex value, double scale) {
  put(y, 2 * k, value.real(), scale);
  put(y, 2 * k + 1, value.imag(), scale);
}
// An oracle by real or by complex numbers.
using Of = std::vector<Array> (*)(const Call&);
Oracle either(Of reals, Of complexes) {
  return [=](const Call& call) {
    return is_complex(call.in(0).dtype) ? complexes(call) : reals(call);
  };
}

// Matrix number k of x.
template <class T>
Matrix<T> matrix_of(const Array& x, int64_t k) {
  Matrix<T> m(x.dims[x.rank() - 2], x.dims[x.rank() - 1]);
  const auto n = static_cast<int64_t>(m.v.size());
  for (int64_t i = 0; i < n; ++i) get(x, k * n + i, &m.v[static_cast<size_t>(i)]);
  return m;
}
int64_t matrices_in(const Dims& dims) { return count_of(Dims(dims.begin(), dims.end() - 2)); }
// As matrix number k of y. Errors are measured by its greatest element.
template <class T>
void put(Array& y, int64_t k, const Matrix<T>& m) {
  double greatest = 0;
  for (const T v : m.v)
    if (std::isfinite(std::abs(v))) greatest = std::max(greatest, static_cast<double>(std::abs(v)));
  y.scale.resize(y.f.size());
  y.terms = std::max<int64_t>(m.rows, 1);
  for (size_t i = 0; i < m.v.size(); ++i)
    put(y, static_cast<size_t>(k) * m.v.size() + i, m.v[i], 4 * greatest);
}

// ---- oracles

template <class T>
std::vector<Array> cholesky(const Call& call) {
  const Array& x = call.in(0);
  const bool upper = call.attrs.flag(TN_CHOLESKY_UPPER);
  Array y(x.dtype, x.dims);
  for (int64_t k = 0; k < matrices_in(x.dims); ++k) {
    Matrix<T> a = matrix_of<T>(x, k), l(a.rows, a.rows);
    for (int64_t i = 0; i < a.rows; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        T rest = upper ? conj(a.at(j, i)) : a.at(i, j);  // of the lower triangle
        for (int64_t p = 0; p < j; ++p)
          rest -= upper ? conj(l.at(p, i)) * l.at(p, j) : l.at(i, p) * conj(l.at(j, p));
        const Wide square = std::real(rest), root = square > 0 ? std::sqrt(square) : std::nan("");
        const T value = i == j ? root : rest / l.at(j, j);
        (upper ? l.at(j, i) : l.at(i, j)) = upper ? conj(value) : value;
      }
    put(y, k, l);
  }
  return {y};
}

// The triangle of a that is used, as a whole matrix.
template <class T>
Matrix<T> triangle(Matrix<T> a, const Attrs& attrs) {
  const bool upper = attrs.flag(TN_TRIANGULAR_SOLVE_UPPER);
  Matrix<T> t(a.rows, a.rows);
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < a.rows; ++j) {
      const bool kept = upper ? j >= i : j <= i;
      T v = kept ? a.at(i, j) : 0;
      if (i == j && attrs.flag(TN_TRIANGULAR_SOLVE_UNIT_DIAGONAL)) v = 1;
      (attrs.flag(TN_TRIANGULAR_SOLVE_TRANSPOSE) ? t.at(j, i) : t.at(i, j)) = v;
    }
  return t;
}

// a^-1 b by Gauss and Jordan with the greatest pivot of each column. `det`: also the determinant.
template <class T>
Matrix<T> solved(Matrix<T> a, Matrix<T> b, T* det = nullptr) {
  T product = 1;
  for (int64_t k = 0; k < a.rows; ++k) {
    int64_t best = k;
    for (int64_t i = k; i < a.rows; ++i)
      if (std::abs(a.at(i, k)) > std::abs(a.at(best, k))) best = i;
    for (int64_t j = 0; j < a.rows; ++j) std::swap(a.at(k, j), a.at(best, j));
    for (int64_t j = 0; j < b.columns; ++j) std::swap(b.at(k, j), b.at(best, j));
    const T pivot = a.at(k, k);
    product *= best == k ? pivot : -pivot;
    if (det != nullptr && std::abs(pivot) == 0) break;
    for (int64_t i = 0; i < a.rows; ++i) {
      if (i == k) continue;
      const T factor = a.at(i, k) / pivot;
      for (int64_t j = k; j < a.rows; ++j) a.at(i, j) -= factor * a.at(k, j);
      for (int64_t j = 0; j < b.columns; ++j) b.at(i, j) -= factor * b.at(k, j);
    }
  }
  for (int64_t i = 0; i < a.rows; ++i)
    for (int64_t j = 0; j < b.columns; ++j) b.at(i, j) /= a.at(i, i);
  if (det != nullptr) *det = product;
  return b;
}

// As it is.
template <class T>
Matrix<T> whole(Matrix<T> m, const Attrs&) {
  return m;
}

template <class T, Matrix<T> (*Used)(Matrix<T>, const Attrs&)>
std::vector<Array> solution(const Call& call) {
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
    put(x, k, solved(Used(matrix_of<T>(a, k), call.attrs), matrix_of<T>(b, k)));
  if (vector) x.dims.pop_back();
  return {x};
}

template <class T>
std::vector<Array> lu(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, x.dims), order(TN_DTYPE_I64, Dims(x.dims.begin(), x.dims.end() - 1));
  for (int64_t k = 0; k < matrices_in(x.dims); ++k) {
    Matrix<T> a = matrix_of<T>(x, k);
    std::vector<int64_t> rows(static_cast<size_t>(a.rows));
    std::iota(rows.begin(), rows.end(), 0);
    for (int64_t c = 0; c < a.rows; ++c) {
      int64_t best = c;
      for (int64_t i = c; i < a.rows; ++i)
        if (std::abs(a.at(i, c)) > std::abs(a.at(best, c))) best = i;
      std::swap(rows[static_cast<size_t>(c)], rows[static_cast<size_t>(best)]);
      for (int64_t j = 0; j < a.rows; ++j) std::swap(a.at(c, j), a.at(best, j));
      for (int64_t i = c + 1; i < a.rows && std::abs(a.at(c, c)) != 0; ++i) {
        a.at(i, c) /= a.at(c, c);
        for (int64_t j = c + 1; j < a.rows; ++j) a.at(i, j) -= a.at(i, c) * a.at(c, j);
      }
    }
    put(y, k, a);
    for (int64_t i = 0; i < a.rows; ++i) order.set(k * a.rows + i, rows[static_cast<size_t>(i)]);
  }
  return {y, order};
}

template <class T>
Matrix<T> identity(int64_t n) {
  Matrix<T> m(n, n);
  for (int64_t i = 0; i < n; ++i) m.at(i, i) = 1;
  return m;
}
template <class T>
std::vector<Array> inverse(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, x.dims);
  for (int64_t k = 0; k < matrices_in(x.dims); ++k)
    put(y, k, solved(matrix_of<T>(x, k), identity<T>(x.dims.back())));
  return {y};
}

// Errors are measured by the product of the sums of the rows.
template <class T>
std::vector<Array> det(const Call& call) {
  const Array& x = call.in(0);
  Array y(x.dtype, Dims(x.dims.begin(), x.dims.end() - 2));
  y.scale.resize(y.f.size());
  for (int64_t k = 0; k < y.count(); ++k) {
    Matrix<T> a = matrix_of<T>(x, k);
    T value = 1;
    Wide scale = 1;
    for (int64_t i = 0; i < a.rows; ++i) {
      Wide row = 0;
      for (int64_t j = 0; j < a.rows; ++j) row += std::abs(a.at(i, j));
      scale *= row;
    }
    solved(a, Matrix<T>(a.rows, 0), &value);
    put(y, static_cast<size_t>(k), value, static_cast<double>(scale));
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
          for (int64_t part = 0; part < x.parts(); ++part)
            x.set(((k * n + i) * n + j) * x.parts() + part,
                  great && part == 0 ? rng.between(2, 3)
                                     : rng.between(-1, 1) / static_cast<double>(n * x.parts()));
        }
    }
  };
}
const std::vector<tn_dtype> kTypes{TN_DTYPE_F32,  TN_DTYPE_F64, TN_DTYPE_F16,
                                   TN_DTYPE_BF16, TN_DTYPE_C64, TN_DTYPE_C128};
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
  l.on(kTypes).gives(either(cholesky<Wide>, cholesky<Complex>), kComposite).gradient(Grad::yes);
  add_sizes(l, kPositive);
  l.add(matrices("upper", {2, 4, 4}, kPositive, {flag(TN_CHOLESKY_UPPER, true)}));
  l.add(matrices("upper_blocks", {37, 37}, kPositive, {flag(TN_CHOLESKY_UPPER, true)}).no_grad());
  l.add(matrices("not_positive", {3, 3}, values({4, 9, 9, 2, 1, 9, 2, 1, 5})).no_grad());
  l.add(matrices("negative", {2, 2}, values({-1, 0, 0, 1})).no_grad());

  OpSamples& t = c.add(TN_OP_TRIANGULAR_SOLVE, "triangular_solve");
  t.on(kTypes)
      .gives(either(solution<Wide, triangle>, solution<Complex, triangle>), kComposite)
      .gradient(Grad::yes);
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
  f.on(kTypes).gives(either(lu<Wide>, lu<Complex>), kComposite).gradient(Grad::yes);
  add_sizes(f, kAny);
  f.add(matrices("singular", {3, 3}, values({0, 2, 4, 0, 1, 3, 0, 4, 4})).no_grad());
  f.add(matrices("zeros", {2, 2}, values({0})).no_grad());

  OpSamples& s = c.add(TN_OP_SOLVE, "solve");
  s.on(kTypes)
      .gives(either(solution<Wide, whole>, solution<Complex, whole>), kComposite)
      .gradient(Grad::yes);
  add_right_sides(s, kAny);
  s.add(Case{"vector", {in({3, 3}, kAny), in({3}, kRight)}}.distinct());
  s.add(Case{"vector_for_all", {in({2, 3, 3}, kAny), in({3}, kRight)}}.distinct());

  OpSamples& i = c.add(TN_OP_INVERSE, "inverse");
  i.on(kTypes).gives(either(inverse<Wide>, inverse<Complex>), kComposite).gradient(Grad::yes);
  add_sizes(i, kAny);

  OpSamples& d = c.add(TN_OP_DET, "det");
  d.on(kTypes).gives(either(det<Wide>, det<Complex>), kComposite).gradient(Grad::yes);
  add_sizes(d, kAny);
  d.add(matrices("any", {3, 5, 5}, uniform(-2, 2)));
  d.add(matrices("singular", {3, 3}, values({1, 2, 3, 2, 4, 6, 1, 0, 1})).first_only());
  d.add(matrices("no_pivot", {3, 3}, values({0, 1, 2, 0, 3, 4, 0, 5, 1})).first_only());
}

}  // namespace tenon::conformance

// What the recurrent kernels share: a matrix packed once and used at every step, and which sequences
// of which direction a thread takes.
#ifndef TENON_CPU_RECURRENT_STEPS_HPP_
#define TENON_CPU_RECURRENT_STEPS_HPP_
#include "matmul/micro.hpp"
#include "norm/rows.hpp"

namespace tenon::cpu::CPU_ISA {

// B [k, n] in panels of kTileCols<T> columns.
template <class T>
struct Panels {
  int64_t k = 0, n = 0;

  int64_t count() const { return (n + kTileCols<T> - 1) / kTileCols<T>; }
  int64_t size() const { return count() * kTileCols<T> * k; }
  // B(p, j) is from[p * row + j * col].
  void pack(T* to, const T* from, int64_t row, int64_t col, int64_t panel) const {
    const int64_t j = panel * kTileCols<T>, width = n - j < kTileCols<T> ? n - j : kTileCols<T>;
    pack_b_panel(to + j * k, from + j * col, row, col, k, width);
  }
  // C (+)= A B; A [rows, k] and C [rows, n] with rows a_row and c_row apart.
  void multiply(T* c, int64_t c_row, const T* a, int64_t a_row, int64_t rows, const T* b,
                bool accumulate) const {
    if (rows == 0) return;
    const int64_t blocks = (rows + kTileRows<T> - 1) / kTileRows<T>;
    for (int64_t j = 0; j < n; j += kTileCols<T>) {
      Tile<T> t{};
      t.b = b + j * k;
      t.k = k;
      t.a_stride = a_row;
      t.b_stride = kTileCols<T>;
      t.c_stride = c_row;
      t.n = int32_t(n - j < kTileCols<T> ? n - j : kTileCols<T>);
      t.accumulate = accumulate;
      for (int64_t i = 0; i < blocks; ++i) {
        const int64_t first = i * rows / blocks, last = (i + 1) * rows / blocks;
        t.a = a + first * a_row;
        t.c = c + first * c_row + j;
        tile_function<T>(ALayout::rows, int(last - first), t.n)(t);
      }
    }
  }
};

// T steps of B sequences, H wide, in D directions.
struct Sequences {
  const Device* device = nullptr;
  int64_t steps = 0, batch = 0, width = 0, directions = 1;
  bool reverse = false;  // of direction 0
  int64_t parts = 1;     // into which the sequences of a direction are cut
  tn_dtype lengths = TN_DTYPE_NONE;

  void plan(const Device& d, const tn_signature& sig, const tn_view* of_lengths) {
    device = &d;
    reverse = attr_is(sig, 0, "reverse");
    directions = attr_is(sig, 0, "bidirectional") ? 2 : 1;
    const int64_t want = (d.threads + directions - 1) / directions, most = batch / 4;
    parts = want < most ? want : most > 1 ? most : 1;
    if (!absent(of_lengths)) lengths = of_lengths->dtype;
  }

  // The sequences first to last - 1 of direction d.
  struct Part {
    int64_t d, first, last;
    bool backwards;
    int64_t rows() const { return last - first; }
  };
  int64_t part_count() const { return directions * parts; }
  int64_t most_rows() const { return (batch + parts - 1) / parts; }
  Part part(int64_t index) const {
    const int64_t d = index / parts, p = index % parts;
    return {d, p * batch / parts, (p + 1) * batch / parts, reverse || d == 1};
  }
  int64_t time(const Part& p, int64_t k) const { return p.backwards ? steps - 1 - k : k; }

  int64_t length(const tn_view* v, int64_t b) const {
    if (lengths == TN_DTYPE_NONE) return steps;
    return lengths == TN_DTYPE_I64 ? input<int64_t>(v)[b] : input<int32_t>(v)[b];
  }
  // what: of the lengths, in errors.
  tn_error* check_lengths(const char* what, const tn_view* v) const {
    for (int64_t b = 0; lengths != TN_DTYPE_NONE && b < batch; ++b) {
      const int64_t n = length(v, b);
      if (n < 0 || n > steps) return outside(*device, what, lengths, n, b, steps + 1, false);
    }
    return nullptr;
  }

  // body(part) for each part, on the device's threads. flops: of all steps.
  template <class Body>
  void for_parts(double flops, Body&& body) const {
    parallel(*device, part_count(), 1, flops / double(part_count()) / 50,
             [&](int64_t begin, int64_t end) {
               for (int64_t u = begin; u < end; ++u) body(u, part(u));
             });
  }
};

// Packs the matrices of all directions, `apart` elements apart, one after the other.
template <class T>
void pack_all(const Sequences& s, const Panels<T>& panels, T* to, const T* from, int64_t apart,
              int64_t row, int64_t col) {
  const int64_t count = panels.count();
  parallel(*s.device, s.directions * count, 1, double(panels.k) * 8,
           [&](int64_t begin, int64_t end) {
             for (int64_t u = begin; u < end; ++u)
               panels.pack(to + u / count * panels.size(), from + u / count * apart, row, col,
                           u % count);
           });
}

// Calls body(i, load, store) for vectors of n elements; the last one may be part of a vector.
template <class T, class Body>
CPU_INLINE void for_each_vector(int64_t n, Body&& body) {
  using V = Vec<T>;
  for_vectors<T>(
      n,
      [&](int64_t i) {
        body(
            i, [](const T* p) { return load(p); }, [](T* p, V v) { store(p, v); });
      },
      [&](int64_t i, int64_t count) {
        body(
            i, [=](const T* p) { return load_n(p, count); },
            [=](T* p, V v) { store_n(p, v, count); });
      });
}

// The states that sequences begin with; zeros where there are none.
template <class T>
void start_state(T* to, const tn_view* from, int64_t at, int64_t count) {
  if (absent(from))
    std::memset(to, 0, size_t(count) * sizeof(T));
  else
    std::memcpy(to, input<T>(from) + at, size_t(count) * sizeof(T));
}

// Why these inputs and outputs cannot be taken; null: they can. lengths: the input of that kind.
inline const char* unfit(const tn_signature& sig, uint32_t n_inputs, uint32_t n_outputs,
                         uint32_t lengths) {
  for (uint32_t i = 0; i < n_inputs; ++i)
    if (!absent(sig.inputs[i]) && !contiguous(sig.inputs[i])) return "contiguous tensors only";
  for (uint32_t i = 0; i < n_outputs; ++i)
    if (!contiguous(sig.outputs[i])) return "contiguous tensors only";
  const tn_view* v = sig.inputs[lengths];
  if (!absent(v) && v->dtype != TN_DTYPE_I64 && v->dtype != TN_DTYPE_I32)
    return "only lengths in i32 and i64";
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA
#endif

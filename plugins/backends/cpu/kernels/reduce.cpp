// The driver of reductions.
#include "reduce.hpp"

#include <algorithm>

#include "../scratch.hpp"
#include "strided.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

struct Axis {
  int64_t n, in, out;  // size, stride in x, stride in y (0: reduced)
  bool folds;
};

struct Nest {
  const Device& device;
  const Reduction& kernel;
  const char* x;
  char* y;
  int rank = 0;            // all but the innermost
  Axis axes[TN_MAX_RANK];  // kept ones first, then the folded ones
  int kept = 0;
  Axis inner{1, 1, 0, true};
  int64_t outputs = 1;  // product of kept axes, without the innermost
  int64_t repeats = 1;  // product of folded axes, without the innermost
  int64_t folded = 1;   // elements per result
};

// Sorts the axes by stride and joins neighbours that both operands walk evenly.
void build(Nest& nest, const tn_view* x, uint32_t mask) {
  Axis all[TN_MAX_RANK];
  int n = 0;
  int64_t step = 1;
  for (int i = x->rank - 1; i >= 0; --i) {
    const bool folds = (mask >> i & 1) != 0;
    if (x->dims[i] != 1) all[n++] = {x->dims[i], x->strides[i], folds ? 0 : step, folds};
    if (folds) {
      nest.folded *= x->dims[i];
    } else {
      step *= x->dims[i];
    }
  }
  const auto size = [](int64_t s) { return s < 0 ? -s : s; };
  // Innermost (smallest stride) first; equal strides keep their order.
  for (int i = 1; i < n; ++i) {
    for (int k = i; k > 0 && size(all[k].in) < size(all[k - 1].in); --k)
      std::swap(all[k], all[k - 1]);
  }
  Axis joined[TN_MAX_RANK];
  int m = 0;
  for (int i = 0; i < n; ++i) {
    if (m > 0 && joined[m - 1].folds == all[i].folds &&
        all[i].in == joined[m - 1].in * joined[m - 1].n &&
        all[i].out == joined[m - 1].out * joined[m - 1].n) {
      joined[m - 1].n *= all[i].n;
    } else {
      joined[m++] = all[i];
    }
  }
  if (m > 0) nest.inner = joined[0];
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = m - 1; i > 0; --i) {
      if (joined[i].folds != (pass == 1)) continue;
      nest.axes[nest.rank++] = joined[i];
      (pass == 0 ? nest.outputs : nest.repeats) *= joined[i].n;
    }
    if (pass == 0) nest.kept = nest.rank;
  }
}

// Offsets of the `index`-th combination of axes begin..end.
void locate(const Nest& nest, int begin, int end, int64_t index, int64_t* in, int64_t* out) {
  for (int i = end - 1; i >= begin; --i) {
    const Axis& a = nest.axes[i];
    *in += index % a.n * a.in;
    *out += index % a.n * a.out;
    index /= a.n;
  }
}

// Results to y with a stride.
void put(const Nest& nest, int64_t at, int64_t step, const char* wide, int64_t n) {
  const Reduction& k = nest.kernel;
  if (step == 1 || n == 1) {
    k.finish(nest.y + at * k.out_bytes, wide, n, nest.folded);
    return;
  }
  alignas(64) char dense[kColumns * kMaxBytes];
  k.finish(dense, wide, n, nest.folded);
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(nest.y + (at + i * step) * k.out_bytes, dense + i * k.out_bytes,
                size_t(k.out_bytes));
  }
}

// n elements with a step, as the kernel sees them: in place where that is possible, else in
// `buffer` (n <= kRun).
struct alignas(64) Buffers {
  char gathered[kRun * kMaxBytes];
  char loaded[kRun * kMaxBytes];
};
const void* fetch(const Reduction& k, Buffers& b, const char* x, int64_t step, int64_t n) {
  const void* p = x;
  if (step != 1) {
    gather_run(b.gathered, x, k.in_bytes, 1, &n, &step, 0, n);
    p = b.gathered;
  }
  if (!k.load) return p;
  k.load(b.loaded, p, n);
  return b.loaded;
}

void fold_run(const Reduction& k, Buffers& b, void* wide, const char* x, int64_t step, int64_t n) {
  if (step == 1 && !k.load) {
    k.run(wide, x, n);
    return;
  }
  for (int64_t i = 0; i < n; i += kRun) {
    const int64_t part = std::min(n - i, kRun);
    k.run(wide, fetch(k, b, x + i * step * k.in_bytes, step, part), part);
  }
}

// ---- the innermost axis is folded

void fold_outputs(const Nest& nest, int64_t begin, int64_t end) {
  constexpr int64_t kAtOnce = 64;
  const Reduction& k = nest.kernel;
  const Axis next = nest.kept > 0 ? nest.axes[nest.kept - 1] : Axis{1, 0, 0, false};
  Buffers b;
  alignas(64) char wide[kAtOnce * kMaxBytes];
  for (int64_t o = begin; o < end;) {
    const int64_t n = std::min({kAtOnce, end - o, next.n - o % next.n});
    int64_t in = 0, out = 0;
    locate(nest, 0, nest.kept, o, &in, &out);
    k.init(wide, n);
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t r = 0; r < nest.repeats; ++r) {
        int64_t at = in + i * next.in, none = 0;
        locate(nest, nest.kept, nest.rank, r, &at, &none);
        fold_run(k, b, wide + i * k.wide_bytes, nest.x + at * k.in_bytes, nest.inner.in,
                 nest.inner.n);
      }
    }
    put(nest, out, next.out, wide, n);
    o += n;
  }
}

// Few results, each of one long run: parts of fixed length, merged in order.
bool fold_in_parts(const Nest& nest) {
  const int64_t parts = parts_of_run(nest.inner.n, nest.repeats, nest.outputs);
  if (parts < 2) return false;
  const Reduction& k = nest.kernel;
  const Scratch<char> wide(nest.device, nest.outputs * parts * kMaxBytes);
  if (!wide) return false;
  parallel(
      nest.device, nest.outputs * parts, 1, kPart * kElementNs, [&](int64_t begin, int64_t end) {
        Buffers b;
        for (int64_t u = begin; u < end; ++u) {
          int64_t in = u % parts * kPart * nest.inner.in, out = 0;
          const int64_t n = std::min(nest.inner.n - u % parts * kPart, kPart);
          locate(nest, 0, nest.kept, u / parts, &in, &out);
          k.init(wide.get() + u * kMaxBytes, 1);
          fold_run(k, b, wide.get() + u * kMaxBytes, nest.x + in * k.in_bytes, nest.inner.in, n);
        }
      });
  for (int64_t o = 0; o < nest.outputs; ++o) {
    int64_t in = 0, out = 0;
    locate(nest, 0, nest.kept, o, &in, &out);
    char* first = wide.get() + o * parts * kMaxBytes;
    for (int64_t p = 1; p < parts; ++p) k.merge(first, first + p * kMaxBytes, 1);
    put(nest, out, 1, first, 1);
  }
  return true;
}

// Many short runs: 256 of them at a time, turned, are columns.
bool fold_short(const Nest& nest) {
  if (nest.kept != 1 || nest.inner.in != 1 || !is_turned(nest.inner.n, nest.repeats, nest.outputs))
    return false;
  const Reduction& k = nest.kernel;
  const Axis& axis = nest.axes[0];
  parallel(nest.device, axis.n, kTurned, double(nest.inner.n) * 0.5,
           [&](int64_t begin, int64_t end) {
             alignas(64) char wide[kTurned * kMaxBytes];
             for (int64_t i = begin; i < end; i += kTurned) {
               const int64_t n = std::min(end - i, kTurned);
               k.init(wide, n);
               fold_turned(k, wide, nest.x + i * axis.in * k.in_bytes, axis.in, nest.inner.n, n);
               put(nest, i * axis.out, axis.out, wide, n);
             }
           });
  return true;
}

// ---- the innermost axis is kept

// Rows first..last of the innermost folded axis, and all of the other folded axes, into wide[0..n).
void fold_columns(const Nest& nest, Buffers& b, char* wide, int64_t in, int64_t first, int64_t last,
                  int64_t n) {
  const Reduction& k = nest.kernel;
  const bool folds = nest.rank > nest.kept;
  const Axis rows = folds ? nest.axes[nest.rank - 1] : Axis{1, 0, 0, true};
  const int64_t others = nest.repeats / rows.n;
  for (int64_t r = 0; r < others; ++r) {
    int64_t at = in + first * rows.in, none = 0;
    if (folds) locate(nest, nest.kept, nest.rank - 1, r, &at, &none);
    const char* x = nest.x + at * k.in_bytes;
    if (nest.inner.in == 1 && !k.load) {
      k.columns(wide, x, last - first, rows.in, n);
      continue;
    }
    for (int64_t i = first; i < last; ++i, x += rows.in * k.in_bytes) {
      k.columns(wide, fetch(k, b, x, nest.inner.in, n), 1, 0, n);
    }
  }
}

void fold_strips(const Nest& nest) {
  const Reduction& k = nest.kernel;
  const int64_t rows = nest.rank > nest.kept ? nest.axes[nest.rank - 1].n : 1;
  const Strips cut(nest.inner.n, rows, nest.outputs);
  const int64_t strips = cut.n, units = nest.outputs * strips, width = cut.width;
  const int64_t part_rows = cut.part_rows;
  int64_t parts = cut.parts;
  Scratch<char> shared;
  if (parts > 1) {
    shared.reset(nest.device, units * parts * width * kMaxBytes);
    if (!shared) parts = 1;
  }
  const double cost = double(nest.repeats / parts * width) * kElementNs;
  const int64_t bytes = width * k.wide_bytes;
  const auto strip = [&](int64_t u, int64_t* in, int64_t* out) {
    const int64_t c = u % strips * width;
    *in = c * nest.inner.in;
    *out = c * nest.inner.out;
    locate(nest, 0, nest.kept, u / strips, in, out);
    return std::min(nest.inner.n - c, width);
  };
  parallel(nest.device, units * parts, 1, cost, [&](int64_t begin, int64_t end) {
    Buffers b;
    alignas(64) char own[kColumns * kMaxBytes];
    for (int64_t u = begin; u < end; ++u) {
      int64_t in = 0, out = 0;
      const int64_t n = strip(u / parts, &in, &out);
      char* wide = parts > 1 ? shared.get() + u * bytes : own;
      const int64_t first = parts > 1 ? u % parts * part_rows : 0;
      const int64_t last = parts > 1 ? std::min(rows, first + part_rows) : rows;
      k.init(wide, n);
      fold_columns(nest, b, wide, in, first, last, n);
      if (parts == 1) put(nest, out, nest.inner.out, wide, n);
    }
  });
  for (int64_t u = 0; parts > 1 && u < units; ++u) {
    int64_t in = 0, out = 0;
    const int64_t n = strip(u, &in, &out);
    char* wide = shared.get() + u * parts * bytes;
    for (int64_t p = 1; p < parts; ++p) k.merge(wide, wide + p * bytes, n);
    put(nest, out, nest.inner.out, wide, n);
  }
}

}  // namespace

void fold_turned(const Reduction& k, void* wide, const char* x, int64_t row_stride, int64_t length,
                 int64_t n) {
  alignas(64) char turned[kTurned * 16 * kMaxBytes];
  alignas(64) char loaded[kTurned * 16 * kMaxBytes];
  gather_tile(turned, x, k.in_bytes, length, n, kTurned, 1, row_stride);
  const char* rows = turned;
  if (k.load) {
    for (int64_t r = 0; r < length; ++r) {
      k.load(loaded + r * kTurned * k.item_bytes, turned + r * kTurned * k.in_bytes, n);
    }
    rows = loaded;
  }
  k.columns(wide, rows, length, kTurned, n);
}

uint32_t reduced_axes(const tn_signature& sig, uint32_t key, int rank) {
  const I64s list = attr_i64s(sig, key);
  if (list.size == 0) return (1u << rank) - 1;
  uint32_t mask = 0;
  for (int64_t i = 0; i < list.size; ++i) {
    mask |= 1u << (list[i] < 0 ? list[i] + rank : list[i]);
  }
  return mask;
}

tn_error* run_reduction(const Device& device, const Reduction& kernel, const tn_view* x,
                        uint32_t axes, const tn_view* y) {
  if (y->count == 0) return nullptr;
  if (y->count == 1 && x->count <= kPart && contiguous(x) && !kernel.load) {
    alignas(64) char wide[kMaxBytes];
    kernel.init(wide, 1);
    kernel.run(wide, input<char>(x), x->count);
    kernel.finish(output<char>(y), wide, 1, x->count);
    return nullptr;
  }
  Nest nest{device, kernel, input<char>(x), output<char>(y), 0, {}, 0, {1, 1, 0, true}, 1, 1, 1};
  build(nest, x, axes);
  if (x->count == 0) {
    alignas(64) char wide[kMaxBytes];
    kernel.init(wide, 1);
    for (int64_t i = 0; i < y->count; ++i) {
      kernel.finish(nest.y + i * kernel.out_bytes, wide, 1, nest.folded);
    }
    return nullptr;
  }
  if (!nest.inner.folds) {
    fold_strips(nest);
  } else if (!fold_in_parts(nest) && !fold_short(nest)) {
    const double cost = double(nest.repeats * nest.inner.n) * kElementNs + 10.0;
    parallel(device, nest.outputs, 1, cost,
             [&](int64_t begin, int64_t end) { fold_outputs(nest, begin, end); });
  }
  return nullptr;
}

}  // namespace tenon::cpu::CPU_ISA

// The driver of elementwise kernels.
#include "elementwise.hpp"

#include "strided.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int kBlockBytes = 4096;  // of one operand; all operands of a block fit in L1
constexpr int64_t kTileColumns = 64;
constexpr int64_t kTileBytes = 16 << 10;  // of one operand
constexpr int64_t kRowEnough = 64;        // shorter rows are gathered into blocks

struct Job {
  const Device& device;
  const Elementwise& kernel;
  const void* param;
  int inputs;
  int64_t n;
  char* out;
  const char* in[kMaxInputs];
  uint32_t scalars = 0;  // inputs that are one value for all
  uint32_t dense = 0;    // inputs that lie as the output does
  Walk<kMaxInputs> walk;

  bool converts() const {
    if (kernel.save) return true;
    for (int k = 0; k < inputs; ++k) {
      if (kernel.load[k]) return true;
    }
    return false;
  }
  int block() const {
    int widest = kernel.row_out_bytes;
    for (int k = 0; k < inputs; ++k) {
      if (kernel.row_in_bytes[k] > widest) widest = kernel.row_in_bytes[k];
    }
    return kBlockBytes / widest;
  }
};

// What a thread works with: a gathered block and a converted one of each input, and one of the
// output.
struct alignas(64) Scratch {
  char gathered[kMaxInputs][kBlockBytes];
  char converted[kMaxInputs][kBlockBytes];
  char result[kBlockBytes];
};

// n elements, at most a block where the kernel converts.
void compute(const Job& job, Scratch& s, void* y, const void* const* in, uint32_t scalars,
             int64_t n) {
  const Elementwise& k = job.kernel;
  const void* from[kMaxInputs];
  for (int i = 0; i < job.inputs; ++i) {
    from[i] = in[i];
    if (k.load[i]) {
      k.load[i](s.converted[i], in[i], (scalars >> i & 1) ? 1 : n);
      from[i] = s.converted[i];
    }
  }
  if (k.save) {
    k.row(s.result, from, scalars, n, job.param);
    k.save(y, s.result, n);
  } else {
    k.row(y, from, scalars, n, job.param);
  }
}

// As compute, for any n.
void compute_long(const Job& job, Scratch& s, char* y, const char* const* in, uint32_t scalars,
                  int64_t n) {
  const int64_t step = job.converts() ? job.block() : n;
  const void* from[kMaxInputs];
  for (int64_t i = 0; i < n; i += step) {
    for (int k = 0; k < job.inputs; ++k) {
      from[k] = in[k] + ((scalars >> k & 1) ? 0 : i * job.kernel.in_bytes[k]);
    }
    compute(job, s, y + i * job.kernel.out_bytes, from, scalars, n - i < step ? n - i : step);
  }
}

}  // namespace

void stream_out(char* to, const char* from, int64_t bytes) {
#if defined(__AVX512F__)
  for (; bytes >= 64; bytes -= 64, to += 64, from += 64) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_load_si512(from));
  }
#elif defined(__AVX2__)
  for (; bytes >= 32; bytes -= 32, to += 32, from += 32) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to),
                        _mm256_load_si256(reinterpret_cast<const __m256i*>(from)));
  }
#elif defined(__SSE2__)
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to),
                     _mm_load_si128(reinterpret_cast<const __m128i*>(from)));
  }
#endif
  std::memcpy(to, from, size_t(bytes));
}

namespace {

bool should_stream(const Job& job) {
#if defined(__SSE2__)
  const int64_t bytes = job.n * job.kernel.out_bytes;
  if (bytes < job.device.l3_bytes || (reinterpret_cast<uintptr_t>(job.out) & 63)) return false;
  for (int k = 0; k < job.inputs; ++k) {
    if (job.in[k] < job.out + bytes && job.out < job.in[k] + job.n * job.kernel.in_bytes[k]) {
      return false;  // in place: the lines are in cache anyway
    }
  }
  return true;
#else
  (void)job;
  return false;
#endif
}

// Every input is one value or lies as the output does.
void run_flat(const Job& job) {
  const bool stream = should_stream(job);
  const int64_t block = job.block();
  parallel(job.device, job.n, 4096, job.kernel.ns, [&](int64_t begin, int64_t end) {
    Scratch s;
    const char* in[kMaxInputs];
    const int64_t step = stream ? block : end - begin;
    for (int64_t i = begin; i < end; i += step) {
      const int64_t n = end - i < step ? end - i : step;
      for (int k = 0; k < job.inputs; ++k) {
        in[k] = job.in[k] + ((job.scalars >> k & 1) ? 0 : i * job.kernel.in_bytes[k]);
      }
      char* y = job.out + i * job.kernel.out_bytes;
      if (stream) {
        alignas(64) char fresh[kBlockBytes];
        compute_long(job, s, fresh, in, job.scalars, n);
        stream_out(y, fresh, n * job.kernel.out_bytes);
      } else {
        compute_long(job, s, y, in, job.scalars, n);
      }
    }
#if defined(__SSE2__)
    if (stream) _mm_sfence();
#endif
  });
}

// Offset of row `row` (all axes but the last `skip`) in operand k, in elements.
int64_t row_offset(const Walk<kMaxInputs>& w, int k, int64_t row, int outer) {
  int64_t offset = 0;
  for (int i = outer - 1; i >= 0; --i) {
    offset += row % w.dims[i] * w.strides[k][i];
    row /= w.dims[i];
  }
  return offset;
}

// Every input walks the innermost axis by steps of 0 or 1, and that axis is long.
void run_rows(const Job& job) {
  const Walk<kMaxInputs>& w = job.walk;
  const int64_t inner = w.inner();
  const int64_t piece = inner < 16384 ? inner : 16384;
  const int64_t pieces = (inner + piece - 1) / piece;
  uint32_t scalars = 0;
  for (int k = 0; k < job.inputs; ++k) {
    if (w.inner_stride(k) == 0) scalars |= 1u << k;
  }
  const int64_t units = job.n / inner * pieces;
  const int64_t grain = 4096 / piece > 1 ? 4096 / piece : 1;
  parallel(job.device, units, grain, job.kernel.ns * float(piece), [&](int64_t begin, int64_t end) {
    Scratch s;
    const char* in[kMaxInputs];
    for (int64_t u = begin; u < end; ++u) {
      const int64_t row = u / pieces;
      const int64_t first = u % pieces * piece;
      const int64_t n = inner - first < piece ? inner - first : piece;
      for (int k = 0; k < job.inputs; ++k) {
        const int64_t at = row_offset(w, k, row, w.rank - 1) + ((scalars >> k & 1) ? 0 : first);
        in[k] = job.in[k] + at * job.kernel.in_bytes[k];
      }
      compute_long(job, s, job.out + (row * inner + first) * job.kernel.out_bytes, in, scalars, n);
    }
  });
}

// Blocks of consecutive outputs, with the strided inputs gathered.
void run_blocks(const Job& job) {
  const Walk<kMaxInputs>& w = job.walk;
  int64_t block = job.block();
  // A block of whole rows sees a row that repeats always alike: gathered once.
  uint32_t repeats = 0;
  if (w.rank == 2 && w.inner() <= block) {
    block = block / w.inner() * w.inner();
    for (int k = 0; k < job.inputs; ++k) {
      if (w.strides[k][0] == 0 && !(job.scalars >> k & 1)) repeats |= 1u << k;
    }
  }
  parallel(job.device, job.n, block, job.kernel.ns + 1.0f, [&](int64_t begin, int64_t end) {
    Scratch s;
    const void* in[kMaxInputs];
    for (int64_t i = begin; i < end; i += block) {
      const int64_t n = end - i < block ? end - i : block;
      for (int k = 0; k < job.inputs; ++k) {
        const int bytes = job.kernel.in_bytes[k];
        if (job.scalars >> k & 1) {
          in[k] = job.in[k];
        } else if (job.dense >> k & 1) {
          in[k] = job.in[k] + i * bytes;
        } else {
          in[k] = s.gathered[k];
          if ((repeats >> k & 1) && i != begin) continue;
          gather_run(s.gathered[k], job.in[k], bytes, w.rank, w.dims, w.strides[k], i, n);
        }
      }
      compute(job, s, job.out + i * job.kernel.out_bytes, in, job.scalars, n);
    }
  });
}

// The axis that some input with long inner steps walks by 1, so that tiles over it and the
// innermost axis read whole cache lines; -1 if there is none.
int tile_axis(const Job& job) {
  const Walk<kMaxInputs>& w = job.walk;
  if (w.rank < 2 || w.inner() < 16 || job.n < 4096) return -1;
  for (int k = 0; k < job.inputs; ++k) {
    const int64_t step = w.inner_stride(k);
    if (step == 0 || step == 1) continue;
    for (int i = 0; i + 1 < w.rank; ++i) {
      if (w.strides[k][i] == 1 && w.dims[i] >= 8) return i;
    }
  }
  return -1;
}

void tile(const Job& job, Scratch& s, char* tiles, int axis, const int64_t* base, int64_t out_base,
          int64_t out_step, int64_t r0, int64_t rows, int64_t c0, int64_t columns) {
  const Walk<kMaxInputs>& w = job.walk;
  const Elementwise& kernel = job.kernel;
  const char* start[kMaxInputs];
  int64_t step[kMaxInputs];  // bytes from row to row
  uint32_t scalars = 0;
  for (int k = 0; k < job.inputs; ++k) {
    const int64_t bytes = kernel.in_bytes[k];
    const int64_t along = w.inner_stride(k);
    const int64_t across = w.strides[k][axis];
    start[k] = job.in[k] + (base[k] + r0 * across + c0 * along) * bytes;
    step[k] = across * bytes;
    if (along == 0) {
      scalars |= 1u << k;
    } else if (along != 1) {
      char* to = tiles + k * kTileBytes;
      gather_tile(to, start[k], int(bytes), rows, columns, kTileColumns, across, along);
      start[k] = to;
      step[k] = kTileColumns * bytes;
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    const void* in[kMaxInputs];
    for (int k = 0; k < job.inputs; ++k) in[k] = start[k] + r * step[k];
    char* y = job.out + (out_base + (r0 + r) * out_step + c0) * kernel.out_bytes;
    compute(job, s, y, in, scalars, columns);
  }
}

void run_tiles(const Job& job, int axis) {
  const Walk<kMaxInputs>& w = job.walk;
  const int64_t inner = w.inner();
  int64_t widest = 1;
  for (int k = 0; k < job.inputs; ++k) {
    if (job.kernel.in_bytes[k] > widest) widest = job.kernel.in_bytes[k];
  }
  const int64_t tile_rows = kTileBytes / (kTileColumns * widest);
  const int64_t strips = (w.dims[axis] + tile_rows - 1) / tile_rows;
  int64_t out_strides[TN_MAX_RANK];
  int64_t step = 1;
  for (int i = w.rank - 1; i >= 0; --i) out_strides[i] = step, step *= w.dims[i];
  const int64_t units = job.n / inner / w.dims[axis] * strips;
  const float cost = float(inner * tile_rows) * (job.kernel.ns + 0.5f);
  parallel(job.device, units, 1, cost, [&](int64_t begin, int64_t end) {
    Scratch s;
    alignas(64) char tiles[kMaxInputs * kTileBytes];
    for (int64_t u = begin; u < end; ++u) {
      const int64_t r0 = u % strips * tile_rows;
      int64_t rest = u / strips;
      int64_t base[kMaxInputs] = {};
      int64_t out_base = 0;
      for (int i = w.rank - 2; i >= 0; --i) {
        if (i == axis) continue;
        const int64_t at = rest % w.dims[i];
        rest /= w.dims[i];
        out_base += at * out_strides[i];
        for (int k = 0; k < job.inputs; ++k) base[k] += at * w.strides[k][i];
      }
      const int64_t rows = w.dims[axis] - r0 < tile_rows ? w.dims[axis] - r0 : tile_rows;
      for (int64_t c0 = 0; c0 < inner; c0 += kTileColumns) {
        const int64_t columns = inner - c0 < kTileColumns ? inner - c0 : kTileColumns;
        tile(job, s, tiles, axis, base, out_base, out_strides[axis], r0, rows, c0, columns);
      }
    }
  });
}

}  // namespace

void run_elementwise(const Device& device, const Elementwise& kernel, const tn_view* const* args,
                     const void* param) {
  const int inputs = kernel.n_inputs;
  const tn_view* y = args[inputs];
  Job job{device, kernel, param, inputs, y->count, output<char>(y), {}, 0, 0, {}};
  if (job.n == 0) return;
  for (int k = 0; k < inputs; ++k) {
    const tn_view* v = args[k];
    job.in[k] = input<char>(v);
    bool one = (v->flags & TN_VIEW_IMMEDIATE) != 0 || v->rank == 0;
    if (!one && contiguous(v)) job.dense |= 1u << k;
    if (!one && !contiguous(v)) {
      one = true;
      for (int i = 0; i < v->rank; ++i) one = one && (v->strides[i] == 0 || v->dims[i] == 1);
    }
    if (one) job.scalars |= 1u << k;
  }
  const uint32_t all = (1u << inputs) - 1;
  if ((job.scalars | job.dense) == all) return run_flat(job);

  static constexpr int64_t kZeros[TN_MAX_RANK] = {};
  job.walk.build(inputs, y->rank, y->dims,
                 [&](int k) { return (job.scalars >> k & 1) ? kZeros : args[k]->strides; });
  bool steps = true;
  for (int k = 0; k < inputs; ++k) {
    const int64_t step = job.walk.inner_stride(k);
    steps = steps && (step == 0 || step == 1);
  }
  if (steps && job.walk.rank <= 1) {
    for (int k = 0; k < inputs; ++k) {
      if (job.walk.inner_stride(k) == 0) job.scalars |= 1u << k;
    }
    return run_flat(job);
  }
  if (steps && job.walk.inner() >= kRowEnough) return run_rows(job);
  const int axis = tile_axis(job);
  if (axis >= 0) return run_tiles(job, axis);
  run_blocks(job);
}

}  // namespace tenon::cpu::CPU_ISA

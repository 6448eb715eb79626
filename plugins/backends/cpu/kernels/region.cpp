// The interpreter of regions.
#include "region.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr size_t kMostValues = 256;

// What a thread works with: where each value is now.
struct Frame {
  char* at[kMostValues];
};

void step(const RegionPlan& p, const RegionStep& s, Frame& f, char* scratch, int64_t n) {
  const void* in[3] = {nullptr, nullptr, nullptr};
  const Elementwise& k = s.kernel;
  for (int i = 0; i < k.n_inputs; ++i) in[i] = f.at[s.args[i]];
  char* y = f.at[s.value];
  if (!s.converts) {
    k.row(y, in, s.scalars, n, nullptr);
    return;
  }
  char* block = scratch + p.converted;
  for (int i = 0; i < k.n_inputs; ++i) {
    if (!k.load[i]) continue;
    char* to = block + i * p.block_bytes;
    k.load[i](to, in[i], (s.scalars >> i & 1) ? 1 : n);
    in[i] = to;
  }
  if (!k.save) {
    k.row(y, in, s.scalars, n, nullptr);
    return;
  }
  char* wide = block + 3 * p.block_bytes;
  k.row(wide, in, s.scalars, n, nullptr);
  k.save(y, wide, n);
}

int64_t offset_of(const Walk<kRegionInputs>& w, int k, int64_t row) {
  int64_t offset = 0;
  for (int i = w.rank - 2; i >= 0; --i) {
    offset += row % w.dims[i] * w.strides[k][i];
    row /= w.dims[i];
  }
  return offset;
}

// What one thread does of a run.
class Part {
 public:
  Part(const RegionPlan& p, const tn_view* const* args, bool stream, char* scratch)
      : p_(p), args_(args), stream_(stream), scratch_(scratch) {
    for (size_t v = 0; v < p.values.size(); ++v) {
      const RegionValue& value = p.values[v];
      if (value.input >= 0 && value.where != Lies::kGather) {
        frame_.at[v] = const_cast<char*>(input<char>(args[value.input]));
      } else {
        frame_.at[v] = scratch + value.scratch;
        if (value.constant) std::memcpy(frame_.at[v], &value.bits, 8);
      }
    }
  }

  void uniform() {
    for (const RegionStep& s : p_.uniform) step(p_, s, frame_, scratch_, 1);
  }

  // Elements begin..end of a row; of all outputs where row is -1.
  void run(int64_t begin, int64_t end, int64_t row) {
    for (int64_t i = begin; i < end; i += p_.block) {
      const int64_t n = end - i < p_.block ? end - i : p_.block;
      block(i, n, row);
    }
  }

  // Elements first .. first + n of all outputs, with value 0 at `made`.
  void piece(int64_t first, int64_t n, const char* made) {
    const int64_t inner = p_.rows ? p_.walk.inner() : n;
    for (int64_t done = 0; done < n;) {
      const int64_t at = p_.rows ? (first + done) / inner : -1;
      const int64_t i = first + done - (p_.rows ? at * inner : 0);
      const int64_t more = p_.rows && inner - i < n - done ? inner - i : n - done;
      if (at != row_) row(row_ = at);
      made_ = made + done * p_.values[0].bytes;
      made_first_ = i;
      run(i, i + more, at);
      done += more;
    }
  }

  void row(int64_t row) {
    for (int k = 0; k < p_.n_inputs; ++k) {
      const RegionValue& v = p_.values[size_t(k)];
      frame_.at[k] =
          const_cast<char*>(input<char>(args_[k])) + offset_of(p_.walk, k, row) * v.bytes;
      start_[k] = frame_.at[k];
    }
    uniform();
  }

 private:
  void block(int64_t i, int64_t n, int64_t row) {
    const int64_t out_first = row < 0 ? i : row * p_.walk.inner() + i;
    for (int v : p_.moving) {
      const RegionValue& value = p_.values[size_t(v)];
      const char* base = row < 0 ? input<char>(args_[value.input]) : start_[v];
      frame_.at[v] = const_cast<char*>(base) + i * value.bytes;
    }
    if (made_) frame_.at[0] = const_cast<char*>(made_) + (i - made_first_) * p_.values[0].bytes;
    for (int k = 0; k < p_.n_inputs; ++k) {
      const RegionValue& value = p_.values[size_t(k)];
      if (value.where == Lies::kGather)
        gather_run(frame_.at[k], input<char>(args_[k]), value.bytes, p_.walk.rank, p_.walk.dims,
                   p_.walk.strides[k], i, n);
    }
    if (!stream_)
      for (size_t o = 0; o < p_.outputs.size(); ++o) frame_.at[p_.outputs[o]] = place(o, out_first);
    for (const RegionStep& s : p_.steps) step(p_, s, frame_, scratch_, n);
    if (stream_)
      for (size_t o = 0; o < p_.outputs.size(); ++o)
        stream_out(place(o, out_first), frame_.at[p_.outputs[o]],
                   n * p_.values[size_t(p_.outputs[o])].bytes);
  }
  char* place(size_t o, int64_t first) const {
    return output<char>(args_[size_t(p_.n_inputs) + o]) +
           first * p_.values[size_t(p_.outputs[o])].bytes;
  }

  const RegionPlan& p_;
  const tn_view* const* args_;
  bool stream_;
  char* scratch_;
  Frame frame_;
  char* start_[kRegionInputs];
  int64_t row_ = -1;
  const char* made_ = nullptr;  // value 0 of element made_first_ of the row
  int64_t made_first_ = 0;
};

bool should_stream(const RegionPlan& p, const tn_view* const* args) {
#if defined(__SSE2__)
  if (p.rows) return false;
  int64_t bytes = 0;
  for (size_t o = 0; o < p.outputs.size(); ++o) {
    bytes += p.n * p.values[size_t(p.outputs[o])].bytes;
    if (reinterpret_cast<uintptr_t>(output<char>(args[size_t(p.n_inputs) + o])) & 63) return false;
  }
  return bytes >= p.device.l3_bytes;
#else
  (void)p;
  (void)args;
  return false;
#endif
}

tn_error* TN_CALL run_region(void* data, void*, const tn_view* const* args) {
  const RegionPlan& p = *static_cast<const RegionPlan*>(data);
  if (p.n == 0) return nullptr;
  const bool stream = should_stream(p, args);
  if (!p.rows) {
    parallel(p.device, p.n, p.block, p.ns, [&](int64_t begin, int64_t end) {
      alignas(64) char scratch[kRegionScratch];
      Part part(p, args, stream, scratch);
      part.uniform();
      part.run(begin, end, -1);
#if defined(__SSE2__)
      if (stream) _mm_sfence();
#endif
    });
    return nullptr;
  }
  const int64_t inner = p.walk.inner();
  const int64_t piece = inner < 16384 ? inner : 16384;
  const int64_t pieces = (inner + piece - 1) / piece;
  const int64_t grain = 4096 / piece > 1 ? 4096 / piece : 1;
  parallel(p.device, p.n / inner * pieces, grain, p.ns * float(piece),
           [&](int64_t begin, int64_t end) {
             alignas(64) char scratch[kRegionScratch];
             Part part(p, args, stream, scratch);
             for (int64_t u = begin; u < end; ++u) {
               const int64_t first = u % pieces * piece;
               part.row(u / pieces);
               part.run(first, first + piece < inner ? first + piece : inner, u / pieces);
             }
#if defined(__SSE2__)
             if (stream) _mm_sfence();
#endif
           });
  return nullptr;
}

}  // namespace

const char* plan_epilogue(const tn_signature& sig, uint32_t first, tn_dtype dtype, Epilogue& out) {
  constexpr uint32_t most = kRegionInputs;
  const tn_view& y = *sig.outputs[0];
  const uint32_t n = sig.n_inputs - first + 1;
  if (n > most) return "too many inputs";
  if (!contiguous(&y)) return "the output is not dense";
  tn_view views[most];
  const tn_view* list[most];
  int64_t strides[most][TN_MAX_RANK];
  for (uint32_t k = 0; k < n; ++k) {  // each with the dims of the output
    views[k] = k ? *sig.inputs[first + k - 1] : y;
    list[k] = &views[k];
    if (k == 0) continue;
    const tn_view from = views[k];
    for (int a = 0; a < y.rank; ++a) {
      const int b = a - (y.rank - from.rank);
      strides[k][a] = b < 0 || from.dims[b] == 1 ? 0 : from.strides[b];
    }
    views[k].rank = y.rank;
    views[k].dims = y.dims;
    views[k].strides = strides[k];
    views[k].count = y.count;
    if (from.count != y.count) views[k].flags &= uint8_t(~TN_VIEW_CONTIGUOUS);
  }
  views[0].dtype = dtype;
  tn_signature region = sig;
  region.n_inputs = n;
  region.inputs = list;
  const char* why = plan_region(region, out.region);
  if (why) return why;
  const auto last = int(out.region.values.size()) - 1;
  if (out.region.values[0].where != Lies::kDense || out.region.outputs[0] != last ||
      out.region.values.size() > kMostValues)
    return "a region that cannot be run piece by piece";
  out.first = int(first);
  out.result = int(sig.n_inputs);
  return nullptr;
}

void run_epilogue(const Epilogue& e, const tn_view* const* args, const Piece& piece) {
  const RegionPlan& p = e.region;
  const tn_view* list[kRegionInputs + 1];
  list[0] = list[p.n_inputs] = args[e.result];
  for (int k = 1; k < p.n_inputs; ++k) list[k] = args[e.first + k - 1];
  alignas(64) char scratch[kRegionScratch];
  Part part(p, list, false, scratch);
  if (!p.rows) part.uniform();
  if (piece.row == piece.n && piece.from_row == piece.n)
    return part.piece(piece.at, piece.rows * piece.n, piece.from);
  for (int64_t r = 0; r < piece.rows; ++r)
    part.piece(piece.at + r * piece.row, piece.n,
               piece.from + r * piece.from_row * p.values[0].bytes);
}

CPU_PREPARE(region) {
  for (uint32_t o = 0; o < sig.n_outputs; ++o)
    if (!contiguous(sig.outputs[o])) return decline(plan, "an output is not dense");
  try {
    RegionPlan* made = make_plan<RegionPlan>(plan, run_region, device);
    if (!made) return out_of_memory(device);
    const char* why = plan_region(sig, *made);
    if (!why && made->values.size() > kMostValues) why = "too many values";
    return why ? decline(plan, why) : nullptr;
  } catch (const std::bad_alloc&) {
    return out_of_memory(device);
  }
}

}  // namespace tenon::cpu::CPU_ISA

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

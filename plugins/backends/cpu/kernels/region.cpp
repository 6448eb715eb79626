// The interpreter of regions.
#include "region_chain.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

// A step whose operands or result are of another dtype than its row function takes.
[[gnu::noinline]] void converting_step(const RegionPlan& p, const RegionStep& s, char* y,
                                       const void** in, char* scratch, int64_t n) {
  const Elementwise& k = s.kernel;
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

// Small regions spend more time between row functions than in them.
inline void step(const RegionPlan& p, const RegionStep& s, char* const* at, char* scratch,
                 int64_t n) {
  const void* in[3] = {at[s.args[0]], at[s.args[1]], at[s.args[2]]};
  if (s.converts) [[unlikely]]
    return converting_step(p, s, at[s.value], in, scratch, n);
  s.kernel.row(at[s.value], in, s.scalars, n, nullptr);
}

int64_t offset_of(const Walk<kRegionInputs>& w, int k, int64_t row) {
  int64_t offset = 0;
  for (int i = w.rank - 2; i >= 0; --i) {
    offset += row % w.dims[i] * w.strides[k][i];
    row /= w.dims[i];
  }
  return offset;
}

}  // namespace

RegionPart::RegionPart(const RegionPlan& p, const tn_view* const* args, bool stream, char* scratch)
    : p_(p), args_(args), stream_(stream), scratch_(scratch) {
  char** at = at_;
  for (const RegionValue *v = p.values.data(), *end = v + p.values.size(); v != end; ++v, ++at) {
    if (v->input >= 0 && v->where != Lies::kGather)
      *at = const_cast<char*>(input<char>(args[v->input]));
    else if (v->constant)
      *at = const_cast<char*>(reinterpret_cast<const char*>(&v->bits));  // nobody writes there
    else
      *at = scratch + v->scratch;
  }
}

void RegionPart::uniform() {
  for (const RegionStep& s : p_.uniform) step(p_, s, at_, scratch_, 1);
}

void RegionPart::run(int64_t begin, int64_t end, int64_t row) {
  for (int64_t i = begin; i < end; i += p_.block) {
    const int64_t n = end - i < p_.block ? end - i : p_.block;
    const int64_t whole = p_.stretches.empty() ? 0 : n / kRegionSlice * kRegionSlice;
    if (whole > 0) block(i, whole, row);
    if (whole < n) block(i + whole, n - whole, row);
  }
}

void RegionPart::row(int64_t row) {
  for (int k = 0; k < p_.n_inputs; ++k) {
    const RegionValue& v = p_.values[size_t(k)];
    at_[k] = const_cast<char*>(input<char>(args_[k])) + offset_of(p_.walk, k, row) * v.bytes;
    start_[k] = at_[k];
  }
  uniform();
}

void RegionPart::span(int64_t first, int64_t n, int64_t at) {
  first_item_ = first - at;
  if (!p_.rows) return run(first, first + n, -1);
  const int64_t inner = p_.walk.inner();
  for (const int64_t end = first + n; first < end;) {
    const int64_t i = first % inner, m = inner - i < end - first ? inner - i : end - first;
    row(first / inner);
    run(i, i + m, first / inner);
    first += m;
  }
}

void RegionPart::piece(int64_t first, int64_t n, const char* made) {
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

const char* RegionPart::items(const RegionFold& f, int64_t first) const {
  const RegionValue& v = p_.values[size_t(f.value)];
  return v.where == Lies::kOutput ? place(f.value, first) : scratch_ + v.scratch;
}

void RegionPart::block(int64_t i, int64_t n, int64_t row) {
  const int64_t out_first = row < 0 ? i : row * p_.walk.inner() + i;
  for (int v : p_.moving) {
    const RegionValue& value = p_.values[size_t(v)];
    const char* base = row < 0 ? input<char>(args_[value.input]) : start_[v];
    at_[v] = const_cast<char*>(base) + i * value.bytes;
  }
  if (made_) at_[0] = const_cast<char*>(made_) + (i - made_first_) * p_.values[0].bytes;
  for (int k = 0; k < p_.n_inputs; ++k) {
    const RegionValue& value = p_.values[size_t(k)];
    if (value.where == Lies::kGather)
      gather_run(at_[k], input<char>(args_[k]), value.bytes, p_.walk.rank, p_.walk.dims,
                 p_.walk.strides[k], i, n);
  }
  for (int v : p_.items) {
    const RegionValue& value = p_.values[size_t(v)];
    at_[v] = scratch_ + value.scratch + (out_first - first_item_) * value.bytes;
  }
  if (!stream_)
    for (int v : p_.outputs) at_[v] = place(v, out_first);
  steps(n);
  if (stream_)
    for (int v : p_.outputs)
      stream_out(place(v, out_first), at_[v], n * p_.values[size_t(v)].bytes);
}

void RegionPart::steps(int64_t n) {
  if (p_.stretches.empty() || n % kRegionSlice) {
    for (const RegionStep& s : p_.steps) step(p_, s, at_, scratch_, n);
    return;
  }
  for (const RegionStretch& x : p_.stretches) {
    if (x.link >= 0) {
      run_chain(&p_.links[size_t(x.link)], at_, n);
      continue;
    }
    for (int32_t s = x.begin; s < x.end; ++s) step(p_, p_.steps[size_t(s)], at_, scratch_, n);
  }
}

char* RegionPart::place(int value, int64_t first) const {
  const RegionValue& v = p_.values[size_t(value)];
  return output<char>(args_[p_.n_inputs + v.output]) + first * v.bytes;
}

namespace {

bool should_stream(const RegionPlan& p, const tn_view* const* args) {
#if defined(__SSE2__)
  if (p.rows) return false;
  int64_t bytes = 0;
  for (int v : p.outputs) {
    const RegionValue& value = p.values[size_t(v)];
    bytes += p.n * value.bytes;
    if (reinterpret_cast<uintptr_t>(output<char>(args[p.n_inputs + value.output])) & 63)
      return false;
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
  if (!p.folds.empty()) return run_folds(p, args);
  if (p.n == 0) return nullptr;
  const bool stream = should_stream(p, args);
  if (!p.rows) {
    parallel(p.device, p.n, p.block, p.ns, [&](int64_t begin, int64_t end) {
      alignas(64) char scratch[kRegionScratch];
      RegionPart part(p, args, stream, scratch);
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
             RegionPart part(p, args, stream, scratch);
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
      !out.region.folds.empty() || out.region.values.size() > kRegionValues)
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
  RegionPart part(p, list, false, scratch);
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
    if (!why && made->values.size() > kRegionValues) why = "too many values";
    return why ? decline(plan, why) : nullptr;
  } catch (const std::bad_alloc&) {
    return out_of_memory(device);
  }
}

}  // namespace tenon::cpu::CPU_ISA

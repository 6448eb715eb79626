// scaled_dot_product_attention_grad in f32. A block of rows keeps its scores against all keys, as
// exponentials, so that the maximum and the sum of a row are known before they are needed and no
// product is computed twice; memory grows with the rows of a block times the keys.
//
// With E the exponentials, l their sums and f = scale * log2(e), which the queries already have:
//   G = g / l, D = sum(g * y) / l, C = ln(2) * E * (G v^T - D)
//   dq = f C k, dk = C^T (f q), dv = E^T G
#include "attention/backward.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kKeyBlock = 128;
constexpr int64_t kRowBlock = 70;  // the depth of the products that make dk and dv
constexpr int64_t kFewUnits = 8;   // fewer have their rows cut
constexpr float kLn2 = 0.693147181f;

struct Gradient {  // of the keys or values of a unit
  float* data;
  int64_t row;
};

// One slot's scratch and what it works on.
struct Work {
  const Backward& plan;
  const Problem& p;
  const tn_view* const* args;
  float *keys, *values;             // packed
  float *queries, *g, *dq, *delta;  // of the block of rows: f q, G, sums of C k, ln(2) * D
  float *scores, *changes;          // E by blocks of keys; C of one
  float* part_sums;
  int64_t q_stride, g_stride, s_stride;

  Work(const Backward& b, const tn_view* const* views, float* scratch, float* sums)
      : plan(b), p(b.problem), args(views), part_sums(sums) {
    q_stride = padded(p.width);
    g_stride = padded(p.out);
    s_stride = padded(kKeyBlock);
    const int64_t rows = b.row_block;
    keys = scratch;
    values = keys + packed_size(p.keys, p.width);
    queries = values + packed_size(p.keys, p.out);
    g = queries + rows * q_stride;
    dq = g + rows * g_stride;
    changes = dq + rows * q_stride;
    delta = changes + rows * s_stride;
    scores = delta + round_up(rows, kLine);
  }
  static int64_t size(const Problem& p, int64_t rows) {
    return packed_size(p.keys, p.width) + packed_size(p.keys, p.out) + round_up(rows, kLine) +
           rows * (2 * padded(p.width) + padded(p.out) +
                   padded(kKeyBlock) * (ceil_div(p.keys, kKeyBlock) + 1));
  }

  void run(int64_t unit, int64_t part);
  void exponentials_of(int64_t unit, int64_t begin, int64_t end);
  void load_gradients(int64_t unit, int64_t begin, int64_t end, const float* sums);
  void change_scores(int64_t begin, const Panels& panels, int64_t key, int64_t n);
  void key_block(int64_t unit, int64_t begin, const Panels& panels, int64_t key, int64_t n,
                 const Gradient& dk, const Gradient& dv);
  void write_queries(int64_t unit, int64_t begin, int64_t end);
  float* block(int64_t key) const { return scores + key / kKeyBlock * plan.row_block * s_stride; }
};

// E of the rows begin .. end for all keys that the last of them sees, and what is divided by its
// sums.
void Work::exponentials_of(int64_t unit, int64_t begin, int64_t end) {
  const Panels panels(begin, end - begin);
  const UnitMask mask(p, args[5], unit);
  const int64_t limit = p.limit(begin, end);
  float sums[kRowBlock];
  load_queries(p, input<float>(args[2]) + p.offset(p.q, unit), begin, end, queries, q_stride);
  for (int64_t i = 0; i < panels.count; ++i) {
    const int64_t first = panels.begin(i), last = panels.begin(i + 1);
    const int64_t seen = p.limit(first, last), at = (first - begin) * s_stride;
    for (int64_t key = 0; key < seen; key += kKeyBlock)
      multiply_packed({queries + (first - begin) * q_stride, q_stride, ALayout::rows, keys, 0,
                       block(key) + at, s_stride, last - first, p.keys, p.width, false},
                      key, smaller(key + kKeyBlock, seen));
    for (int64_t r = first; r < last; ++r) {
      const int64_t row = (r - begin) * s_stride;
      float top = -kInf, sum = 0;
      for (int64_t key = 0; key < limit; key += kKeyBlock) {
        const float most =
            mask_scores(p, mask, r, key, smaller(kKeyBlock, limit - key), block(key) + row);
        top = most > top ? most : top;
      }
      for (int64_t key = 0; key < limit; key += kKeyBlock)
        sum +=
            exponentials(block(key) + row, smaller(kKeyBlock, limit - key), top == -kInf ? 0 : top);
      sums[r - begin] = sum;
    }
  }
  load_gradients(unit, begin, end, sums);
}

void Work::load_gradients(int64_t unit, int64_t begin, int64_t end, const float* sums) {
  const float* from = input<float>(args[0]) + p.offset(plan.g, unit);
  const float* y = input<float>(args[1]) + p.offset(plan.y, unit);
  for (int64_t r = begin; r < end; ++r) {
    const float factor = reciprocal(p, sums[r - begin]);
    const float* of_g = from + p.offset_of_row(plan.g, r);
    const float* of_y = y + p.offset_of_row(plan.y, r);
    float* to = g + (r - begin) * g_stride;
    for (int64_t e = 0; e < p.out; ++e) to[e] = of_g[e] * factor;
    F32 sum{};
    for (int64_t e = 0; e < p.out; e += kLanes<float>) {
      const int64_t n = smaller(kLanes<float>, p.out - e);
      sum += load_n(to + e, n) * load_n(of_y + e, n);
    }
    delta[r - begin] = sum_lanes(sum) * kLn2;
  }
}

// C of the keys key .. key + n.
void Work::change_scores(int64_t begin, const Panels& panels, int64_t key, int64_t n) {
  const F32 factor = splat<F32>(kLn2);
  for (int64_t i = 0; i < panels.count; ++i) {
    const int64_t first = panels.begin(i), last = panels.begin(i + 1), at = first - begin;
    float* c = changes + at * s_stride;
    if (p.limit(first, last) <= key) {
      std::memset(c, 0, size_t((last - first) * s_stride) * sizeof(float));
      continue;
    }
    multiply_packed({g + at * g_stride, g_stride, ALayout::rows, values, 0, c, s_stride,
                     last - first, p.keys, p.out, false},
                    key, key + n);
    for (int64_t r = at; r < last - begin; ++r, c += s_stride) {
      const float* e = block(key) + r * s_stride;
      const F32 shift = splat<F32>(delta[r]);
      for (int64_t j = 0; j < n; j += kLanes<float>)
        store(c + j, load(e + j) * (load(c + j) * factor - shift));
    }
  }
}

void Work::key_block(int64_t unit, int64_t begin, const Panels& panels, int64_t key, int64_t n,
                     const Gradient& dk, const Gradient& dv) {
  change_scores(begin, panels, key, n);
  const Panels of_keys(0, n);
  for (int64_t i = 0; i < of_keys.count; ++i) {
    const int64_t at = of_keys.begin(i), rows = of_keys.begin(i + 1) - at;
    multiply({block(key) + at, s_stride, ALayout::columns, g, g_stride,
              dv.data + (key + at) * dv.row, dv.row, rows, p.out, panels.rows, true});
    multiply({changes + at, s_stride, ALayout::columns, queries, q_stride,
              dk.data + (key + at) * dk.row, dk.row, rows, p.width, panels.rows, true});
  }
  const float* k = input<float>(args[3]) + p.offset(p.k, unit) + key * p.k.row;
  for (int64_t i = 0; i < panels.count; ++i) {
    const int64_t at = panels.begin(i) - begin, rows = panels.begin(i + 1) - panels.begin(i);
    if (p.limit(begin + at, begin + at + rows) <= key) continue;
    multiply({changes + at * s_stride, s_stride, ALayout::rows, k, p.k.row, dq + at * q_stride,
              q_stride, rows, p.width, n, key > 0});
  }
}

void Work::write_queries(int64_t unit, int64_t begin, int64_t end) {
  float* to = output<float>(args[6]) + p.offset(plan.dq, unit);
  const float factor = p.scale * kLog2e;
  for (int64_t r = begin; r < end; ++r) {
    float* row = to + p.offset_of_row(plan.dq, r);
    const float* from = dq + (r - begin) * q_stride;
    for (int64_t e = 0; e < p.width; ++e) row[e] = from[e] * factor;
  }
}

// One part of the rows of a unit.
void Work::run(int64_t unit, int64_t part) {
  Gradient dk{output<float>(args[7]) + p.offset(plan.dk, unit), plan.dk.row};
  Gradient dv{output<float>(args[8]) + p.offset(plan.dv, unit), plan.dv.row};
  if (part > 0) {
    dk = {plan.sums_of(part_sums, unit, part), p.width};
    dv = {dk.data + p.keys * p.width, p.out};
  }
  for (int64_t j = 0; j < p.keys; ++j) {
    std::memset(dk.data + j * dk.row, 0, size_t(p.width) * sizeof(float));
    std::memset(dv.data + j * dv.row, 0, size_t(p.out) * sizeof(float));
  }
  pack_transposed_rows(keys, input<float>(args[3]) + p.offset(p.k, unit), p.k.row, p.keys, p.width);
  pack_transposed_rows(values, input<float>(args[4]) + p.offset(p.v, unit), p.v.row, p.keys, p.out);
  const int64_t blocks = ceil_div(p.rows, plan.row_block);
  for (int64_t i = part * blocks / plan.parts; i < (part + 1) * blocks / plan.parts; ++i) {
    const int64_t begin = i * p.rows / blocks, end = (i + 1) * p.rows / blocks;
    const Panels panels(begin, end - begin);
    exponentials_of(unit, begin, end);
    const int64_t limit = p.limit(begin, end);
    for (int64_t key = 0; key < limit; key += kKeyBlock)
      key_block(unit, begin, panels, key, smaller(kKeyBlock, limit - key), dk, dv);
    if (limit == 0) std::memset(dq, 0, size_t((end - begin) * q_stride) * sizeof(float));
    write_queries(unit, begin, end);
  }
}

// dk and dv of a unit: the sums of all its parts.
template <class T>
void join_parts(const Backward& b, const tn_view* const* args, float* sums, int64_t unit) {
  const Problem& p = b.problem;
  int64_t at = 0;
  for (const bool of_keys : {true, false}) {
    const Operand& o = of_keys ? b.dk : b.dv;
    const int64_t n = of_keys ? p.width : p.out;
    T* to = output<T>(args[of_keys ? 7 : 8]) + p.offset(o, unit);
    for (int64_t j = 0; j < p.keys; ++j, to += o.row, at += n) {
      float* sum;
      if constexpr (std::is_same_v<T, float>)
        sum = to;
      else
        sum = b.sums_of(sums, unit, 0) + at;
      for (int64_t part = 1; part < b.parts; ++part) {
        const float* from = b.sums_of(sums, unit, part) + at;
        for (int64_t e = 0; e < n; ++e) sum[e] += from[e];
      }
      if constexpr (!std::is_same_v<T, float>) convert_run<T, float>(to, sum, n);
    }
  }
}

void run_multiply_adds(const Backward& b, const tn_view* const* args, char* scratch, float* sums,
                       int64_t begin, int64_t end) {
  Work work(b, args, reinterpret_cast<float*>(scratch), sums);
  for (int64_t i = begin; i < end; ++i) work.run(i / b.parts, i % b.parts);
}

template <class T>
void run_tiles([[maybe_unused]] const Backward& b, [[maybe_unused]] const tn_view* const* args,
               [[maybe_unused]] char* scratch, [[maybe_unused]] float* sums,
               [[maybe_unused]] int64_t begin, [[maybe_unused]] int64_t end) {
#if defined(__AVX512BW__)
  TileBackward<T> tiles(b, args, scratch, sums);
  for (int64_t i = begin; i < end; ++i) {
    if (tiles.run(i / b.parts, i % b.parts)) continue;
    if constexpr (std::is_same_v<T, float>) run_multiply_adds(b, args, scratch, sums, i, i + 1);
  }
#endif
}

tn_error* TN_CALL run_backward(void* data, void*, const tn_view* const* args) {
  const auto& b = *static_cast<const Backward*>(data);
  const Problem& p = b.problem;
  const int64_t items = p.units * b.parts;
  if (items == 0) return nullptr;
  char* scratch = output<char>(args[9]);
  float* sums = reinterpret_cast<float*>(scratch + b.slots * b.slot);
  const auto run = !b.tiles ? run_multiply_adds : p.narrow ? run_tiles<bf16> : run_tiles<float>;
  parallel(*p.device, b.slots, 1, kParallelNs, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s)
      run(b, args, scratch + s * b.slot, sums, s * items / b.slots, (s + 1) * items / b.slots);
  });
  if (b.parts == 1) return nullptr;
  const auto join = p.narrow ? join_parts<bf16> : join_parts<float>;
  parallel(*p.device, p.units, 1, 0.3 * double(b.sums() * b.parts),
           [&](int64_t begin, int64_t end) {
             for (int64_t unit = begin; unit < end; ++unit) join(b, args, sums, unit);
           });
  return nullptr;
}

// Of f32, or with `narrow` of bf16 by tiles: false where that is not the way.
bool plan_backward(const Device& device, const tn_signature& sig, bool narrow, Backward* b,
                   const char** why) {
  Problem& p = b->problem;
  if (!attention_problem(device, sig, 2, narrow, &p, why)) return false;
  *why = "vectors without elements";
  if (p.out == 0) return false;
  *why = "rows must be dense";
  const int64_t shared = sig.inputs[3]->dims[p.rank - 1];
  if (!attention_operand(*sig.inputs[0], shared, false, &b->g) ||
      !attention_operand(*sig.inputs[1], shared, false, &b->y) ||
      !attention_operand(*sig.outputs[0], shared, false, &b->dq) ||
      !attention_operand(*sig.outputs[1], shared, true, &b->dk) ||
      !attention_operand(*sig.outputs[2], shared, true, &b->dv))
    return false;
  b->tiles = tiles_worth(p, true);
  if (p.units == 0) return true;
  int64_t blocks = larger(1, ceil_div(p.rows, kRowBlock));
  b->row_block = larger(1, ceil_div(p.rows, blocks));
  int64_t bytes = Work::size(p, b->row_block) * int64_t(sizeof(float));
#if defined(__AVX512BW__)
  if (b->tiles) {
    bytes = narrow ? TileBackward<bf16>::bytes(p) : larger(bytes, TileBackward<float>::bytes(p));
    blocks = TileBackward<float>::row_blocks(p);
  }
#endif
  b->slot = round_up(bytes, 64);
  const double products = 5.0 * double(p.width) / (b->tiles ? narrow ? 5 : 2 : 1);
  // How sums are made up must not depend on the number of threads.
  if (p.units < kFewUnits && p.worth_threads(products))
    b->parts = smaller(ceil_div(kFewUnits, p.units), blocks);
  b->slots = p.slots(products, p.units * b->parts);
  return b->tiles || !narrow;
}

tn_error* take_plan(const Device& device, const Backward& b, tn_plan* plan) {
  if (!make_plan<Backward>(plan, run_backward, b)) return out_of_memory(device);
  plan->workspace_bytes = uint64_t(b.slots * b.slot) + uint64_t(b.all_sums()) * sizeof(float);
  return nullptr;
}

tn_error* prepare_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  Backward b;
  const char* why = nullptr;
  if (!plan_backward(device, sig, false, &b, &why)) return decline(plan, why);
  return take_plan(device, b, plan);
}

}  // namespace

CPU_PREPARE(scaled_dot_product_attention_grad) {
  if (!is_narrow(sig.outputs[0]->dtype)) return prepare_wide(device, sig, plan);
  Backward b;
  const char* why = nullptr;
  if (plan_backward(device, sig, true, &b, &why)) return take_plan(device, b, plan);
  return prepare_widened(device, sig, plan, prepare_wide);
}

}  // namespace tenon::cpu::CPU_ISA

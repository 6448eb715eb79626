// scaled_dot_product_attention in f32, after FlashAttention-2 (Dao 2023): a panel of rows goes over
// blocks of keys with a running maximum and sum, so that no more than one block of scores is kept.
#include <cmath>
#include <limits>

#include "attention/forward.hpp"
#include "matmul/widened.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kKeyBlock = 512;  // a panel's scores of a block stay in the first-level cache
constexpr int64_t kFewRows = 4;     // below it packing the keys costs more than it saves

// One slot's scratch and what it works on.
struct Work {
  const Forward& plan;
  const Problem& p;
  const float *q, *k, *v;
  float* y;
  const tn_view* mask_view;
  float *keys, *queries, *scores, *sums;  // packed keys; of the panel
  int64_t q_stride, s_stride, y_stride;

  Work(const Forward& f, const tn_view* const* args, float* scratch)
      : plan(f),
        p(f.problem),
        q(input<float>(args[0])),
        k(input<float>(args[1])),
        v(input<float>(args[2])),
        y(output<float>(args[4])),
        mask_view(args[3]),
        q_stride(padded(p.width)),
        s_stride(padded(kKeyBlock)),
        y_stride(padded(p.out)) {
    keys = scratch;
    queries = keys + (f.packs ? packed_size(p.keys, p.width) : 0);
    scores = queries + kTileRows<float> * q_stride;
    sums = scores + kTileRows<float> * s_stride;
  }
  static int64_t size(const Problem& p, bool packs) {
    return (packs ? packed_size(p.keys, p.width) : 0) +
           kTileRows<float> * (padded(p.width) + padded(kKeyBlock) + padded(p.out));
  }

  void take(int64_t unit);
  void run_panel(int64_t unit, int64_t first, int64_t last);
  void block_scores(const float* unit_k, int64_t key, int64_t n, int64_t rows);
  void write(int64_t unit, int64_t first, int64_t last, const float* total);
};

void Work::block_scores(const float* unit_k, int64_t key, int64_t n, int64_t rows) {
  if (!plan.packs) {
    dot_block<float>({queries, unit_k + key * p.k.row, scores, nullptr, rows, n, p.width, q_stride,
                      p.k.row, s_stride, false});
    return;
  }
  const PanelProduct product{queries,          q_stride, ALayout::rows, keys,
                             kTileCols<float>, scores,   s_stride,      rows,
                             p.keys,           p.width,  false};
  multiply_packed(product, key, key + n);
}

void Work::write(int64_t unit, int64_t first, int64_t last, const float* total) {
  float* to = y + p.offset(plan.y, unit);
  for (int64_t r = first; r < last; ++r) {
    const float factor = reciprocal(p, total[r - first]);
    const float* from = sums + (r - first) * y_stride;
    float* row = to + p.offset_of_row(plan.y, r);
    for (int64_t e = 0; e < p.out; ++e) row[e] = from[e] * factor;
  }
}

void Work::run_panel(int64_t unit, int64_t first, int64_t last) {
  const int64_t rows = last - first, limit = p.limit(first, last);
  const float* unit_k = k + p.offset(p.k, unit);
  const float* unit_v = v + p.offset(p.v, unit);
  const UnitMask mask(p, mask_view, unit);
  float top[kTileRows<float>], total[kTileRows<float>];
  load_queries(p, q + p.offset(p.q, unit), first, last, queries, q_stride);
  for (int64_t i = 0; i < rows; ++i) {
    top[i] = -std::numeric_limits<float>::infinity();
    total[i] = 0;
  }
  if (limit == 0) std::memset(sums, 0, size_t(rows * y_stride) * sizeof(float));
  for (int64_t key = 0; key < limit; key += kKeyBlock) {
    const int64_t n = smaller(kKeyBlock, limit - key);
    block_scores(unit_k, key, n, rows);
    for (int64_t i = 0; i < rows; ++i) {
      float* s = scores + i * s_stride;
      const float most = mask_scores(p, mask, first + i, key, n, s);
      const float now = most > top[i] ? most : top[i];
      const float shift = std::isinf(now) && now < 0 ? 0 : now;
      const float sum = exponentials(s, n, shift);
      if (key > 0 && now != top[i]) {
        const float factor = power_of_two(top[i] - shift);
        float* row = sums + i * y_stride;
        for (int64_t e = 0; e < p.out; ++e) row[e] *= factor;
        total[i] *= factor;
      }
      total[i] += sum;
      top[i] = now;
    }
    multiply({scores, s_stride, ALayout::rows, unit_v + key * p.v.row, p.v.row, sums, y_stride,
              rows, p.out, n, key > 0});
  }
  write(unit, first, last, total);
}

void Work::take(int64_t unit) {
  if (plan.packs) pack_transposed_rows(keys, k + p.offset(p.k, unit), p.k.row, p.keys, p.width);
}

// Items are the panels of all units, one unit after the other: run(unit, first place, last place).
template <class Run>
void run_items(const Forward& f, int64_t begin, int64_t end, const Run& run) {
  const int64_t panels = f.panels();
  for (int64_t item = begin; item < end;) {
    const int64_t unit = item / panels, n = smaller((unit + 1) * panels, end) - item;
    run(unit, item % panels, item % panels + n);
    item += n;
  }
}

void run_multiply_adds(const Forward& f, const tn_view* const* args, char* scratch, int64_t begin,
                       int64_t end) {
  Work work(f, args, reinterpret_cast<float*>(scratch));
  const Panels panels(0, f.problem.rows);
  run_items(f, begin, end, [&](int64_t unit, int64_t first, int64_t last) {
    work.take(unit);
    for (int64_t place = first; place < last; ++place) {
      const int64_t i = f.panel_at(place);
      work.run_panel(unit, panels.begin(i), panels.begin(i + 1));
    }
  });
}

template <class T>
void run_tiles([[maybe_unused]] const Forward& f, [[maybe_unused]] const tn_view* const* args,
               [[maybe_unused]] char* scratch, [[maybe_unused]] int64_t begin,
               [[maybe_unused]] int64_t end) {
#if defined(__AVX512BW__)
  TileForward<T> tiles(f, args, scratch);
  run_items(f, begin, end, [&](int64_t unit, int64_t first, int64_t last) {
    if (tiles.take(unit)) return tiles.run(first, last);
    if constexpr (std::is_same_v<T, float>) {
      Work work(f, args, reinterpret_cast<float*>(scratch));
      work.take(unit);
      for (int64_t place = first; place < last; ++place) {
        const int64_t from = f.panel_at(place) * kSquare;
        const Panels panels(from, smaller(kSquare, f.problem.rows - from));
        for (int64_t i = 0; i < panels.count; ++i)
          work.run_panel(unit, panels.begin(i), panels.begin(i + 1));
      }
    }
  });
#endif
}

tn_error* TN_CALL run_forward(void* data, void*, const tn_view* const* args) {
  const auto& f = *static_cast<const Forward*>(data);
  const Problem& p = f.problem;
  if (p.units * p.rows * p.out == 0) return nullptr;
  char* scratch = output<char>(args[5]);
  const auto run = !f.tiles ? run_multiply_adds : p.narrow ? run_tiles<bf16> : run_tiles<float>;
  const int64_t items = p.units * f.panels();
  parallel(*p.device, f.slots, 1, kParallelNs, [&](int64_t begin, int64_t end) {
    for (int64_t s = begin; s < end; ++s)
      run(f, args, scratch + s * f.slot, s * items / f.slots, (s + 1) * items / f.slots);
  });
  return nullptr;
}

// Of f32, or with `narrow` of bf16 by tiles: false where that is not the way.
bool plan_forward(const Device& device, const tn_signature& sig, bool narrow, Forward* f,
                  const char** why) {
  Problem& p = f->problem;
  if (!attention_problem(device, sig, 0, narrow, &p, why)) return false;
  *why = "rows must be dense";
  if (!attention_operand(*sig.outputs[0], sig.inputs[1]->dims[p.rank - 1], false, &f->y))
    return false;
  f->tiles = tiles_worth(p, false);
  if (p.units * p.rows * p.out == 0) return true;
  f->packs = p.rows >= kFewRows;
  f->slots =
      p.slots(double(p.width + p.out) / (f->tiles ? narrow ? 5 : 2 : 1), p.units * f->panels());
  int64_t bytes = Work::size(p, f->packs) * int64_t(sizeof(float));
#if defined(__AVX512BW__)
  if (f->tiles)
    bytes = narrow ? TileForward<bf16>::bytes(p) : larger(bytes, TileForward<float>::bytes(p));
#endif
  f->slot = round_up(bytes, 64);
  return f->tiles || !narrow;
}

tn_error* take_plan(const Device& device, const Forward& f, tn_plan* plan) {
  if (!make_plan<Forward>(plan, run_forward, f)) return out_of_memory(device);
  plan->workspace_bytes = uint64_t(f.slots * f.slot);
  return nullptr;
}

tn_error* prepare_wide(const Device& device, const tn_signature& sig, tn_plan* plan) {
  Forward f;
  const char* why = nullptr;
  if (!plan_forward(device, sig, false, &f, &why)) return decline(plan, why);
  return take_plan(device, f, plan);
}

}  // namespace

CPU_PREPARE(scaled_dot_product_attention) {
  if (!is_narrow(sig.outputs[0]->dtype)) return prepare_wide(device, sig, plan);
  Forward f;
  const char* why = nullptr;
  if (plan_forward(device, sig, true, &f, &why)) return take_plan(device, f, plan);
  return prepare_widened(device, sig, plan, prepare_wide);
}

}  // namespace tenon::cpu::CPU_ISA

// Regions with reductions. What these read is computed a run at a time, in the order and in the pieces in which a reduction alone would
// read it from memory: so the results have the same bits, for any number of threads.
#include <algorithm>

#include "../scratch.hpp"
#include "region.hpp"

namespace tenon::cpu::CPU_ISA {
namespace {

constexpr int64_t kWide = 8;     // bytes of a wide value of what regions hold
constexpr int64_t kLeast = 128;  // columns of a strip that is cut for more threads

// What one thread works with.
struct Worker {
  Worker(const RegionPlan& plan, const tn_view* const* views)
      : p(plan), args(views), part(plan, views, false, scratch) {
    part.uniform();
  }

  const RegionPlan& p;
  const tn_view* const* args;
  alignas(64) char scratch[kRegionScratch + kRegionItems];
  alignas(64) char loaded[kRun * kWide];
  RegionPart part;
};

// Results first .. first + n of a reduction, which lie densely.
void finish(const RegionPlan& p, const tn_view* const* args, const RegionFold& f, int64_t first,
            const char* wide, int64_t n) {
  const Reduction& k = *f.kernel;
  k.finish(output<char>(args[p.n_inputs + f.output]) + first * k.out_bytes, wide, n,
           p.columns ? p.middle : p.outer * p.inner);
}

// ---- the last axis is folded

void fold_run(Worker& w, const Reduction& k, char* wide, const char* x, int64_t n) {
  if (!k.load) return k.run(wide, x, n);
  for (int64_t i = 0; i < n; i += kRun) {
    const int64_t m = std::min(n - i, kRun);
    k.load(w.loaded, x + i * k.in_bytes, m);
    k.run(wide, w.loaded, m);
  }
}

// Elements begin..end of all runs of one result, into wide[0] of each reduction.
void fold_long(Worker& w, int64_t result, int64_t begin, int64_t end, char (*wide)[kWide]) {
  const RegionPlan& p = w.p;
  for (int64_t r = 0; r < p.outer; ++r) {
    for (int64_t i = begin; i < end; i += kRegionRun) {
      const int64_t n = std::min(end - i, kRegionRun);
      const int64_t first = (r * p.middle + result) * p.inner + i;
      w.part.span(first, n, 0);
      for (size_t f = 0; f < p.folds.size(); ++f) {
        fold_run(w, *p.folds[f].kernel, wide[f], w.part.items(p.folds[f], first), n);
      }
    }
  }
}

// n results of one run each, which together are no more than is computed at a time.
void fold_several(Worker& w, int64_t result, int64_t n, bool turned) {
  const RegionPlan& p = w.p;
  const int64_t first = result * p.inner;
  w.part.span(first, n * p.inner, 0);
  for (const RegionFold& f : p.folds) {
    alignas(64) char wide[kTurned * kWide];
    const Reduction& k = *f.kernel;
    const char* x = w.part.items(f, first);
    k.init(wide, n);
    if (turned) {
      fold_turned(k, wide, x, p.inner, p.inner, n);
    } else {
      for (int64_t i = 0; i < n; ++i) {
        fold_run(w, k, wide + i * k.wide_bytes, x + i * p.inner * k.in_bytes, p.inner);
      }
    }
    finish(p, w.args, f, result, wide, n);
  }
}

tn_error* fold_rows(const RegionPlan& p, const tn_view* const* args) {
  const int64_t parts = parts_of_run(p.inner, p.outer, p.middle);
  const auto init = [&](char(*wide)[kWide]) {
    for (size_t f = 0; f < p.folds.size(); ++f) p.folds[f].kernel->init(wide[f], 1);
  };
  if (parts > 1) {
    using Wide = char[kRegionFolds][kWide];
    const Scratch<Wide> wide(p.device, p.middle * parts);
    if (!wide) return out_of_memory(p.device);
    parallel(p.device, p.middle * parts, 1, double(kPart) * p.ns, [&](int64_t begin, int64_t end) {
      Worker w(p, args);
      for (int64_t u = begin; u < end; ++u) {
        const int64_t at = u % parts * kPart;
        init(wide[u]);
        fold_long(w, u / parts, at, std::min(p.inner, at + kPart), wide[u]);
      }
    });
    for (int64_t o = 0; o < p.middle; ++o) {
      for (size_t f = 0; f < p.folds.size(); ++f) {
        char* first = wide[o * parts][f];
        for (int64_t u = 1; u < parts; ++u) {
          p.folds[f].kernel->merge(first, wide[o * parts + u][f], 1);
        }
        finish(p, args, p.folds[f], o, first, 1);
      }
    }
    return nullptr;
  }
  const bool turned = is_turned(p.inner, p.outer, p.middle);
  const int64_t several = p.outer > 1 ? 1 : std::clamp<int64_t>(kRegionRun / p.inner, 1, kTurned);
  const int64_t units = (p.middle + several - 1) / several;
  parallel(p.device, units, 1, double(several * p.outer * p.inner) * p.ns,
           [&](int64_t begin, int64_t end) {
             Worker w(p, args);
             for (int64_t u = begin; u < end; ++u) {
               const int64_t o = u * several;
               if (several > 1) {
                 fold_several(w, o, std::min(several, p.middle - o), turned);
                 continue;
               }
               alignas(64) char wide[kRegionFolds][kWide];
               init(wide);
               fold_long(w, o, 0, p.inner, wide);
               for (size_t f = 0; f < p.folds.size(); ++f) {
                 finish(p, args, p.folds[f], o, wide[f], 1);
               }
             }
           });
  return nullptr;
}

// ---- the last axis is kept

// Where the columns of one strip are added up: for each reduction wide values, and items in the dtype itself.
struct Sums {
  static int64_t part(int64_t width) { return (width * kWide + 127) / 64 * 64; }
  static int64_t room(int64_t width) { return 2 * kRegionFolds * part(width); }
  char* wide(size_t f) const { return memory + 2 * int64_t(f) * bytes; }
  char* items(size_t f) const { return wide(f) + bytes; }

  char* memory;
  int64_t bytes;
};

// Columns c .. c + n of rows first..last of set `set`, into wide[f][0..n).
void fold_strip(Worker& w, const Sums& sums, int64_t set, int64_t c, int64_t n, int64_t first,
                int64_t last, char* const* wide) {
  const RegionPlan& p = w.p;
  const int64_t several = std::clamp<int64_t>(kRegionRun / n / 8 * 8, 8, kRows);
  for (size_t f = 0; f < p.folds.size(); ++f) {
    p.folds[f].kernel->init(wide[f], n);
    p.folds[f].kernel->clear(sums.items(f), n);
  }
  for (int64_t r = first; r < last;) {
    const int64_t edge = std::min(last, first + ((r - first) / kRows + 1) * kRows);
    const int64_t rows = std::min(several, edge - r);
    const int64_t at = (set * p.middle + r) * p.inner + c;
    if (n == p.inner) {
      w.part.span(at, rows * n, 0);
    } else {
      for (int64_t i = 0; i < rows; ++i) w.part.span(at + i * p.inner, n, i * n);
    }
    r += rows;
    for (size_t f = 0; f < p.folds.size(); ++f) {
      const Reduction& k = *p.folds[f].kernel;
      const char* x = w.part.items(p.folds[f], at);
      const bool direct = p.values[size_t(p.folds[f].value)].where == Lies::kOutput;
      const int64_t stride = direct ? p.inner : n;
      if (!k.load) {
        k.rows(sums.items(f), x, rows, stride, n);
        if (r < edge) continue;
        k.widen(wide[f], sums.items(f), n);
        k.clear(sums.items(f), n);
        continue;
      }
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < n; j += kColumns) {
          const int64_t m = std::min(kColumns, n - j);
          k.load(w.loaded, x + (i * stride + j) * k.in_bytes, m);
          k.columns(wide[f] + j * k.wide_bytes, w.loaded, 1, 0, m);
        }
      }
    }
  }
}

tn_error* fold_columns(const RegionPlan& p, const tn_view* const* args) {
  const Strips cut(p.inner, p.middle, p.outer);
  // Columns know nothing of each other: how many are in a strip is free. Whole rows where they are not too long.
  const int64_t units = p.outer * cut.parts;
  const int64_t most = p.items.empty() ? kRegionRun : std::min(kRegionRun, p.room / 8 / 64 * 64);
  const int64_t wanted =
      std::max((p.inner + most - 1) / most, (p.device.threads + units - 1) / units);
  const int64_t even = ((p.inner + wanted - 1) / wanted + 63) / 64 * 64;
  const int64_t width = std::min(p.inner, std::clamp(even, kLeast, most));
  const int64_t strips = (p.inner + width - 1) / width, bytes = width * kWide;
  Scratch<char> shared;
  if (cut.parts > 1) {
    shared.reset(p.device, units * strips * kRegionFolds * bytes);
    if (!shared) return out_of_memory(p.device);
  }
  const auto part_of = [&](int64_t unit, size_t f) {
    return shared.get() + (unit * kRegionFolds + int64_t(f)) * bytes;
  };
  const ThreadScratch<char> memory(p.device, units * strips, Sums::room(width));
  if (!memory) return out_of_memory(p.device);
  parallel(p.device, units * strips, 1, double(cut.part_rows * width) * p.ns,
           [&](int64_t begin, int64_t end) {
             const decltype(memory)::Mine mine(memory);
             const Sums sums{mine.get(), Sums::part(width)};
             Worker w(p, args);
             for (int64_t u = begin; u < end; ++u) {
               const int64_t strip = u / cut.parts, first = u % cut.parts * cut.part_rows;
               const int64_t set = strip / strips, c = strip % strips * width;
               const int64_t n = std::min(p.inner - c, width);
               char* wide[kRegionFolds];
               for (size_t f = 0; f < p.folds.size(); ++f) {
                 wide[f] = cut.parts > 1 ? part_of(u, f) : sums.wide(f);
               }
               fold_strip(w, sums, set, c, n, first, std::min(p.middle, first + cut.part_rows),
                          wide);
               for (size_t f = 0; cut.parts == 1 && f < p.folds.size(); ++f) {
                 finish(p, args, p.folds[f], set * p.inner + c, wide[f], n);
               }
             }
           });
  for (int64_t s = 0; cut.parts > 1 && s < p.outer * strips; ++s) {
    const int64_t c = s % strips * width, n = std::min(p.inner - c, width);
    for (size_t f = 0; f < p.folds.size(); ++f) {
      char* wide = part_of(s * cut.parts, f);
      for (int64_t u = 1; u < cut.parts; ++u) {
        p.folds[f].kernel->merge(wide, part_of(s * cut.parts + u, f), n);
      }
      finish(p, args, p.folds[f], s / strips * p.inner + c, wide, n);
    }
  }
  return nullptr;
}

}  // namespace

tn_error* run_folds(const RegionPlan& p, const tn_view* const* args) {
  return p.columns ? fold_columns(p, args) : fold_rows(p, args);
}

}  // namespace tenon::cpu::CPU_ISA

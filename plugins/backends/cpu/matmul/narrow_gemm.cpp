// Loops, outermost first: blocks of columns, blocks along k (mostly one), blocks of rows (A packed: in the second-level cache), groups
// of columns (B packed), squares of C, whose sums stay in tiles. They are rounded between the steps of the next square.
#include "matmul/narrow_gemm.hpp"

#include "kernels/whole.hpp"
#include "matmul/panels.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

constexpr int64_t kDeepest = 2048;      // along k that is one block
constexpr int64_t kDepth = 256;         // else of a block
constexpr int64_t kMostGroup = 8;       // panels
constexpr int64_t kMostKept = 8 << 20;  // bytes of B in the scratch
constexpr int64_t kMostStrips = 3;      // of kTileSide rows that are multiplied together
constexpr int64_t kMostSquare = kMostStrips * kTileSide * kSquare;  // sums
constexpr int64_t kStep = 2 * kTileBytes;                           // of a panel

// A square of sums, kSquare a row, on its way to C.
struct Rounding {
  const float* sums = nullptr;
  const float* bias = nullptr;
  bf16* to = nullptr;
  int64_t row = 0, left = 0;
  __mmask32 columns = 0;

  CPU_INLINE void one() {
    const __m512 x = _mm512_add_ps(_mm512_load_ps(sums), _mm512_load_ps(bias));
    const __m512 y =
        _mm512_add_ps(_mm512_load_ps(sums + kTileSide), _mm512_load_ps(bias + kTileSide));
    __m512i rounded;  // by an instruction beyond what the file is compiled for; denormals become 0
    asm("vcvtne2ps2bf16 %1, %2, %0" : "=v"(rounded) : "v"(x), "v"(y));
    _mm512_mask_storeu_epi16(to, columns, rounded);
    sums += kSquare;
    to += row;
    --left;
  }
  CPU_INLINE void some(int64_t n) {
    for (n = smaller(n, left); n > 0; --n) one();
  }
  void all() { some(left); }
};

#define NARROW_LOAD(base, row, at, tile) "tileloadd " at "(%" base ",%" row ",1), %%tmm" tile "\n"
#define NARROW_MULTIPLY(sum, a, b) "tdpbf16ps %%tmm" b ", %%tmm" a ", %%tmm" sum "\n"
// Sums of `tall` by `wide` tiles: in tiles 0, 1, 2 those on the left, in 3, 4, 5 those on the right.
template <int tall, int wide>
CPU_INLINE void move_sums(float* sums, bool store) {
  const int64_t row = kSquare * int64_t(sizeof(float));
  constexpr int64_t down = kTileSide * kSquare;
#define NARROW_MOVE(there, at, tile)                                                             \
  if constexpr (there) {                                                                         \
    if (store)                                                                                   \
      asm volatile("tilestored %%tmm" tile ", (%0,%1,1)"                                         \
                   :                                                                             \
                   : "r"(sums + (at)), "r"(row)                                                  \
                   : "memory");                                                                  \
    else                                                                                         \
      asm volatile("tileloadd (%0,%1,1), %%tmm" tile : : "r"(sums + (at)), "r"(row) : "memory"); \
  }
  NARROW_MOVE(true, 0, "0")
  NARROW_MOVE(tall > 1, down, "1")
  NARROW_MOVE(tall > 2, 2 * down, "2")
  NARROW_MOVE(wide > 1, kTileSide, "3")
  NARROW_MOVE(wide > 1 && tall > 1, down + kTileSide, "4")
  NARROW_MOVE(wide > 1 && tall > 2, 2 * down + kTileSide, "5")
#undef NARROW_MOVE
}

// The tiles of A of the first step, where their rows are and the next step's.
struct Strips {
  const char *first, *second, *third;
  int64_t row, step;
};

template <int tall, int wide>
void multiply(const Strips& strips, const char* b, int64_t steps, float* sums, bool accumulate,
              Rounding& before) {
  const int64_t line = 64, row = strips.row, step = strips.step;
  const char *a = strips.first, *second = strips.second, *third = strips.third;
  if (accumulate)
    move_sums<tall, wide>(sums, false);
  else
    asm volatile(
        "tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n"
        "tilezero %%tmm3\n tilezero %%tmm4\n tilezero %%tmm5"
        :
        :);
#define NARROW_RUN(text) \
  asm volatile(text : : "r"(a), "r"(b), "r"(line), "r"(second), "r"(third), "r"(row) : "memory")
  const int64_t rows = ceil_div(before.left, steps);  // that are rounded with each step
  for (int64_t s = 0; s < steps; ++s) {
    NARROW_RUN(NARROW_LOAD("1", "2", "", "6") NARROW_LOAD("0", "5", "", "7")
                   NARROW_MULTIPLY("0", "7", "6"));
    if constexpr (tall > 1)
      NARROW_RUN(NARROW_LOAD("3", "5", "", "7") NARROW_MULTIPLY("1", "7", "6"));
    if constexpr (tall > 2)
      NARROW_RUN(NARROW_LOAD("4", "5", "", "7") NARROW_MULTIPLY("2", "7", "6"));
    if constexpr (wide > 1) {
      // The last tile of A is still there; the others come from the first-level cache.
      NARROW_RUN(NARROW_LOAD("1", "2", "1024", "6"));
      if constexpr (tall == 1) NARROW_RUN(NARROW_MULTIPLY("3", "7", "6"));
      if constexpr (tall == 2)
        NARROW_RUN(NARROW_MULTIPLY("4", "7", "6") NARROW_LOAD("0", "5", "", "7")
                       NARROW_MULTIPLY("3", "7", "6"));
      if constexpr (tall == 3)
        NARROW_RUN(NARROW_MULTIPLY("5", "7", "6") NARROW_LOAD("0", "5", "", "7") NARROW_MULTIPLY(
            "3", "7", "6") NARROW_LOAD("3", "5", "", "7") NARROW_MULTIPLY("4", "7", "6"));
    }
    a += step;
    second += step;
    third += step;
    b += kStep;
    before.some(rows);
  }
#undef NARROW_RUN
  move_sums<tall, wide>(sums, true);
}

using Multiply = decltype(&multiply<1, 1>);
constexpr Multiply kMultiply[3][2] = {{multiply<1, 1>, multiply<1, 2>},
                                      {multiply<2, 1>, multiply<2, 2>},
                                      {multiply<3, 1>, multiply<3, 2>}};

// How many of `left` strips of kTileSide rows are multiplied together.
int64_t strips_together(int64_t left) { return left == 4 ? 2 : smaller(left, kMostStrips); }

}  // namespace

bool NarrowGemm::worth(const GemmShape& s, const Device& device) {
  if (!device.amx_bf16 || !device.avx512_bf16) return false;
  if ((s.a_row != 1 && s.a_col != 1) || (s.b_row != 1 && s.b_col != 1)) return false;
  return double(s.m) * double(s.n) * double(s.k) >= 16e3;
}

int64_t NarrowGemm::parts_worth(const Device& device, const GemmShape& s, int64_t count) {
  // Of 15 microseconds and more.
  return tenon::cpu::parts_worth(
      device, 2.0 * double(s.m) * double(s.n) * double(s.k) * double(count) / 12e6);
}

int64_t NarrowGemm::begin_m(int64_t part) const {
  return smaller(part * ceil_div(s_.m, kSquare) / parts_m_ * kSquare, s_.m);
}
int64_t NarrowGemm::begin_n(int64_t part) const {
  return smaller(part * ceil_div(s_.n, kSquare) / parts_n_ * kSquare, s_.n);
}
int64_t NarrowGemm::blocks_k() const { return ceil_div(s_.k, depth_); }

// The cut that leaves the longest part the least to multiply and to pack.
void NarrowGemm::cut(int64_t parts) {
  const int64_t squares_m = ceil_div(s_.m, kSquare), squares_n = ceil_div(s_.n, kSquare);
  double least = 0;
  for (int64_t pm = 1; pm <= smaller(parts, squares_m); ++pm) {
    const int64_t pn = smaller(parts / pm, squares_n);
    const double m = double(ceil_div(squares_m, pm)), n = double(ceil_div(squares_n, pn));
    const double cost = m * n + m + 1.5 * n;
    if (pm > 1 && cost >= least) continue;
    least = cost;
    parts_m_ = pm;
    parts_n_ = pn;
  }
}

void NarrowGemm::plan(const GemmShape& shape, const Device& device, int64_t parts) {
  *this = NarrowGemm();
  s_ = shape;
  l2_bytes_ = device.l2_bytes;
  depth_ = round_up(ceil_div(s_.k, s_.k <= kDeepest ? 1 : ceil_div(s_.k, kDepth)), kTileDepth);
  cut(parts);
  for (int64_t i = 0; i < parts_m_; ++i) part_m_ = larger(part_m_, begin_m(i + 1) - begin_m(i));
  for (int64_t i = 0; i < parts_n_; ++i) part_n_ = larger(part_n_, begin_n(i + 1) - begin_n(i));
  // Rows that start in few sets of the first-level cache are slow to multiply.
  direct_a_ = s_.a_col == 1 && s_.k % kTileDepth == 0 && s_.a_row % kTileDepth == 0 &&
              part_n_ <= (s_.a_row % 1024 == 0 ? 256 : 640) && blocks_k() == 1;
  plan_blocks();
  plan_scratch();
}

// Either all of A's rows stay in the second-level cache, or all of B's columns, or of A what does, for which all of B is read again. Of
// several blocks along k, a block of B does, and sums come and go. Rows that something is done with are made whole, or as long as a
// block of B can be.
void NarrowGemm::plan_blocks() {
  const int64_t panel = panel_bytes(depth_, 1);
  const int64_t panels_m = ceil_div(part_m_, kSquare), panels_n = ceil_div(part_n_, kSquare);
  const int64_t few = l2_bytes_ / 8 / panel;
  const int64_t group = few < 2 ? 2 : smaller(few, kMostGroup);
  int64_t height = panels_m, width = panels_n;
  if (s_.rows_done || blocks_k() > 1) {
    height = 2;
    width = larger(l2_bytes_ * 5 / 8 / panel, 1);
  } else if (panels_m * panel > l2_bytes_ / 2 && panels_n * panel <= l2_bytes_ / 2) {
    height = group;
  } else if (panels_m * panel > l2_bytes_ / 2) {
    height = larger(l2_bytes_ / 2 / panel, 2);
    width = larger(kMostKept / panel, 2);
  }
  height = ceil_div(panels_m, ceil_div(panels_m, height));
  width = ceil_div(panels_n, ceil_div(panels_n, width));
  keep_b_ = height < panels_m;
  height_ = height * kSquare;
  width_ = width * kSquare;
  group_ = smaller(group, width) * kSquare;
}

void NarrowGemm::plan_scratch() {
  const int64_t panels_m = height_ / kSquare, panels_n = width_ / kSquare;
  bytes_.b = panels_m * panel_bytes(depth_, 1);
  bytes_.sums = bytes_.b;
  if (!packed_b_) bytes_.sums += (keep_b_ ? panels_n : group_ / kSquare) * panel_bytes(depth_, 1);
  bytes_.all = bytes_.sums;
  if (blocks_k() > 1)
    bytes_.all += panels_n * round_up(part_m_, kTileSide) * kSquare * int64_t(sizeof(float));
}

// ---- B packed for good: blocks along k, each of panels of kSquare columns

bool NarrowGemm::take_packed() {
  packed_b_ = true;
  plan_scratch();
  return true;
}

// Of a panel, from row p and column j on.
int64_t NarrowGemm::place_packed(int64_t p, int64_t j) const {
  return panel_bytes(p, 1) * ceil_div(s_.n, kSquare) +
         j / kSquare * panel_bytes(smaller(depth_, s_.k - p), 1);
}

int64_t NarrowGemm::packed_bytes() const { return panel_bytes(s_.k, 1) * ceil_div(s_.n, kSquare); }

void NarrowGemm::pack(const Device& device, const bf16* b, char* to) const {
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t p = 0; p < s_.k; p += depth_) {
      const int64_t j = begin * kSquare, k = smaller(depth_, s_.k - p);
      pack_panels(to + place_packed(p, j), panel_bytes(k, 1),
                  {b + p * s_.b_row + j * s_.b_col, s_.b_col, s_.b_row,
                   smaller(end * kSquare, s_.n) - j, k},
                  true);
    }
  };
  parallel(device, ceil_div(s_.n, kSquare), 2, double(s_.k * kSquare), body);
}

// ---- one part

struct NarrowGemm::Run {
  const NarrowGemm& g;
  const GemmShape& s;
  const bf16 *a, *b, *bias;
  bf16* c;
  int64_t m, n, column;  // the first of the part
  char* scratch;
  const RowsDone* done;
  Rounding rounding{};   // of the square before
  int64_t squares = 0;   // begun so far
  int64_t packed_a = 0;  // panels of the block of A
  bool direct = false;   // A is multiplied where it lies, but for rows that do not fill a tile
  alignas(64) float bias_wide[kMostGroup * kSquare] = {};
  float* local = nullptr;  // two squares

  struct Block {
    int64_t i0, height, j0, width, p0, k;
  };
  void all();
  void block(const Block& x);
  void group(const Block& x, int64_t j, int64_t columns, const char* panels);
  void square(const Block& x, int64_t strip, int64_t strips, int64_t j, int64_t columns,
              const char* panel, const float* bias_of);
  void pack_a(const Block& x, int64_t panels);
  Lines<bf16> rows_of_a(const Block& x, int64_t i, int64_t most) const;
  Strips strips_of(const Block& x, int64_t strip, int64_t strips) const;
  const char* panels_of_b(const Block& x, int64_t j, int64_t columns);
  char* kept(const Block& x, int64_t j) const;
};

// Where the panels of a group are, or will be, packed.
char* NarrowGemm::Run::kept(const Block& x, int64_t j) const {
  char* to = scratch + g.bytes_.b;
  if (!g.keep_b_) return to;
  return to + j / kSquare * panel_bytes(x.k, 1);
}

const char* NarrowGemm::Run::panels_of_b(const Block& x, int64_t j, int64_t columns) {
  if (g.packed_b_)
    return reinterpret_cast<const char*>(b) + g.place_packed(x.p0, column + x.j0 + j);
  char* to = kept(x, j);
  if (!g.keep_b_ || x.i0 == 0)
    pack_panels(to, panel_bytes(x.k, 1),
                {b + x.p0 * s.b_row + (x.j0 + j) * s.b_col, s.b_col, s.b_row, columns, x.k}, true);
  return to;
}

void NarrowGemm::Run::square(const Block& x, int64_t strip, int64_t strips, int64_t j,
                             int64_t columns, const char* panel, const float* bias_of) {
  const int64_t i = strip * kTileSide, height = smaller(strips * kTileSide, x.height - i);
  const int64_t steps = panel_steps(x.k);
  float* sums = local + squares++ % 2 * kMostSquare;
  if (g.blocks_k() > 1)
    sums = reinterpret_cast<float*>(scratch + g.bytes_.sums) +
           ((x.i0 / kTileSide + strip) * (g.width_ / kSquare) + j / kSquare * strips) * kTileSide *
               kSquare;  // as they are come to
  const bool last = x.p0 + x.k == s.k;
  bf16* to = c + (x.i0 + i) * s.c_row + x.j0 + j;
  kMultiply[strips - 1][columns > kTileSide](strips_of(x, strip, strips), panel, steps, sums,
                                             x.p0 > 0, rounding);
  rounding.all();
  if (last) rounding = {sums, bias_of, to, s.c_row, height, _bzhi_u32(~0u, unsigned(columns))};
}

Lines<bf16> NarrowGemm::Run::rows_of_a(const Block& x, int64_t i, int64_t most) const {
  return {a + (x.i0 + i) * s.a_row + x.p0 * s.a_col, s.a_row, s.a_col, smaller(most, x.height - i),
          x.k};
}

Strips NarrowGemm::Run::strips_of(const Block& x, int64_t strip, int64_t strips) const {
  const int64_t apart = panel_bytes(x.k, 1);
  if (direct && (strip + strips) * kTileSide <= x.height) {
    const int64_t row = s.a_row * int64_t(sizeof(bf16));
    const auto* at = reinterpret_cast<const char*>(rows_of_a(x, strip * kTileSide, 1).from);
    return {at, at + kTileSide * row, at + 2 * kTileSide * row, row, 64};
  }
  const auto at = [&](int64_t q) { return scratch + q / 2 * apart + q % 2 * kTileBytes; };
  return {at(strip), at(strip + 1), at(strip + 2), 64, kStep};
}

// Packs at least so many panels of a block of A, by two.
void NarrowGemm::Run::pack_a(const Block& x, int64_t panels) {
  const int64_t apart = panel_bytes(x.k, 1), two = 2 * kSquare;
  for (; packed_a < panels; packed_a += 2) {
    const int64_t i = packed_a * kSquare;
    pack_panels(scratch + packed_a * apart, apart, rows_of_a(x, i, two), false);
  }
}

// All rows of a block by some columns.
void NarrowGemm::Run::group(const Block& x, int64_t j, int64_t columns, const char* panels) {
  const int64_t strips = ceil_div(x.height, kTileSide), apart = panel_bytes(x.k, 1);
  const int64_t whole = direct ? x.height / kTileSide : strips;
  rounding.all();  // the bias is another from here on
  if (bias) convert_run<float, bf16>(bias_wide, bias + x.j0 + j, columns);
  if (whole < strips && j == 0)
    pack_panels(scratch + whole / 2 * apart, apart, rows_of_a(x, whole / 2 * kSquare, kSquare),
                false);
  for (int64_t strip = 0, height = 0; strip < strips; strip += height) {
    height = strip < whole ? strips_together(whole - strip) : 1;
    if (!direct) pack_a(x, ceil_div(strip + height, 2));
    for (int64_t q = 0; q < columns; q += kSquare)
      square(x, strip, height, j + q, smaller(kSquare, columns - q), panels + q / kSquare * apart,
             bias_wide + q);
  }
}

void NarrowGemm::Run::block(const Block& x) {
  packed_a = 0;
  for (int64_t j = 0; j < x.width; j += g.group_) {
    const int64_t columns = smaller(g.group_, x.width - j);
    group(x, j, columns, panels_of_b(x, j, columns));
  }
}

void NarrowGemm::Run::all() {
  alignas(64) float two[2 * kMostSquare];
  local = two;
  direct = g.direct_a_ && reinterpret_cast<uintptr_t>(a) % 64 == 0;
  for (int64_t j0 = 0; j0 < n; j0 += g.width_) {
    const int64_t width = smaller(g.width_, n - j0);
    for (int64_t p0 = 0; p0 < s.k; p0 += g.depth_) {
      const int64_t k = smaller(g.depth_, s.k - p0);
      for (int64_t i0 = 0; i0 < m; i0 += g.height_) {
        const int64_t height = smaller(g.height_, m - i0);
        block({i0, height, j0, width, p0, k});
        if (!done || p0 + k < s.k) continue;
        rounding.all();
        done->run(*done, c + i0 * s.c_row + j0, s.c_row, height, width);
      }
    }
  }
  rounding.all();
}

void NarrowGemm::run_part(int part, const bf16* a, const bf16* b, bf16* c, const bf16* bias,
                          bf16* scratch, const RowsDone* done) const {
  const TileRegisters registers;
  const int64_t m = part / parts_n_, n = part % parts_n_, i = begin_m(m), j = begin_n(n);
  Run{*this,
      s_,
      a + i * s_.a_row,
      packed_b_ ? b : b + j * s_.b_col,
      bias ? bias + j : nullptr,
      c + i * s_.c_row + j,
      begin_m(m + 1) - i,
      begin_n(n + 1) - j,
      j,
      reinterpret_cast<char*>(scratch),
      done}
      .all();
}

#else
bool NarrowGemm::worth(const GemmShape&, const Device&) { return false; }
int64_t NarrowGemm::parts_worth(const Device&, const GemmShape&, int64_t) { return 1; }
void NarrowGemm::plan(const GemmShape&, const Device&, int64_t) {}
void NarrowGemm::run_part(int, const bf16*, const bf16*, bf16*, const bf16*, bf16*,
                          const RowsDone*) const {}
bool NarrowGemm::take_packed() { return false; }
int64_t NarrowGemm::packed_bytes() const { return 0; }
void NarrowGemm::pack(const Device&, const bf16*, char*) const {}
#endif

}  // namespace tenon::cpu::CPU_ISA

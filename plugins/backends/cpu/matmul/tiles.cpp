#include "matmul/tiles.hpp"

namespace tenon::cpu::CPU_ISA {

#if defined(__AVX512BW__)

namespace {

// Sums in tiles 0 (upper left), 1 (upper right), 2, 3; A in 4 and 5, B in 6 and 7.
#define LOAD(base, at, tile) "tileloadd " at "(%" base ",%2,1), %%tmm" tile "\n"
#define MULTIPLY(sum, a, b) "tdpbf16ps %%tmm" b ", %%tmm" a ", %%tmm" sum "\n"
#define A1(upper, lower, part) LOAD("0", upper, "4")
#define A2(upper, lower, part) LOAD("0", upper, "4") LOAD("0", lower, "5")
#define B1(left, right, part) LOAD("1", left, "6")
#define B2(left, right, part) LOAD("1", left, "6") LOAD("1", right, "7")
#define C11 MULTIPLY("0", "4", "6")
#define C12 C11 MULTIPLY("1", "4", "7")
#define C21 C11 MULTIPLY("2", "5", "6")
#define C22 C12 MULTIPLY("2", "5", "6") MULTIPLY("3", "5", "7")
// Of a step: the parts 0, 1, 2 of both tiles one after another, or beside one another in the rows.
#define FIRST(X) X("0", "1024", "0")
#define SECOND(X) X("2048", "3072", "64")
#define THIRD(X) X("4096", "5120", "128")
// Small products first.
#define ONE(A, B, C) FIRST(A) FIRST(B) C
#define THREE(A, B, C)          \
  FIRST(A) SECOND(B) C FIRST(B) \
  C SECOND(A) C
#define FOUR(A, B, C)            \
  SECOND(A) SECOND(B) C FIRST(A) \
  C FIRST(B)                     \
  C SECOND(A) C
#define SIX(A, B, C)            \
  FIRST(A) THIRD(B) C SECOND(B) \
  C SECOND(A)                   \
  C FIRST(B)                    \
  C THIRD(A)                    \
  C FIRST(A) C

#define RUN(STEP, A, B, C) \
  asm volatile(STEP(A, B, C) : : "r"(a), "r"(b), "r"(int64_t(64)) : "memory")
#define RUN_SHAPE(RUN, STEP, A1, A2, B1, B2) \
  do {                                       \
    if constexpr (tall && wide)              \
      RUN(STEP, A2, B2, C22);                \
    else if constexpr (tall)                 \
      RUN(STEP, A2, B1, C21);                \
    else if constexpr (wide)                 \
      RUN(STEP, A1, B2, C12);                \
    else                                     \
      RUN(STEP, A1, B1, C11);                \
  } while (false)
#define RUN_PRODUCTS(RUN, A1, A2, B1, B2)           \
  do {                                              \
    if constexpr (products == Products::one)        \
      RUN_SHAPE(RUN, ONE, A1, A2, B1, B2);          \
    else if constexpr (products == Products::three) \
      RUN_SHAPE(RUN, THREE, A1, A2, B1, B2);        \
    else if constexpr (products == Products::four)  \
      RUN_SHAPE(RUN, FOUR, A1, A2, B1, B2);         \
    else                                            \
      RUN_SHAPE(RUN, SIX, A1, A2, B1, B2);          \
  } while (false)

template <Products products, bool tall, bool wide>
void multiply_panels(const char* a, const char* b, int64_t steps) {
  constexpr int parts = parts_of(products);
  constexpr int64_t step = 2 * parts * kTileBytes;
  for (int64_t s = 0; s < steps; ++s, a += step, b += step) {
    RUN_PRODUCTS(RUN, A1, A2, B1, B2);
  }
}

using PanelsFunction = void (*)(const char*, const char*, int64_t);
template <Products products>
constexpr PanelsFunction kShapes[4] = {
    multiply_panels<products, false, false>, multiply_panels<products, false, true>,
    multiply_panels<products, true, false>, multiply_panels<products, true, true>};
constexpr const PanelsFunction* kProducts[4] = {kShapes<Products::one>, kShapes<Products::three>,
                                                kShapes<Products::four>, kShapes<Products::six>};

// Rows anywhere: both tiles of A by 0 and 1, of B by 2 and 3, rows 4 and 5 bytes apart.
#define ROWS(base, row, part, tile) "tileloadd " part "(%" base ",%" row ",1), %%tmm" tile "\n"
#define U1(upper, lower, part) ROWS("0", "4", part, "4")
#define U2(upper, lower, part) U1(upper, lower, part) ROWS("1", "4", part, "5")
#define V1(left, right, part) ROWS("2", "5", part, "6")
#define V2(left, right, part) V1(left, right, part) ROWS("3", "5", part, "7")
#define RUN_ROWS(STEP, A, B, C)                                                                 \
  asm volatile(STEP(A, B, C)                                                                    \
               :                                                                                \
               : "r"(a), "r"(a + p.a_lower), "r"(b), "r"(b + p.b_right), "r"(a_row), "r"(b_row) \
               : "memory")

template <Products products, bool tall, bool wide>
void multiply_rows(const StepsProduct& p) {
  const int64_t a_row = p.a_row, b_row = p.b_row;
  const char* b = p.b;
  for (int64_t o = 0; o < p.outer; ++o) {
    for (int64_t i = 0; i < p.inner; ++i, b += p.b_step) {
      const char* a = p.a + o * p.a_outer + p.at[i];
      RUN_PRODUCTS(RUN_ROWS, U1, U2, V1, V2);
    }
  }
}

using RowsFunction = void (*)(const StepsProduct&);
template <Products products>
constexpr RowsFunction kRowShapes[4] = {
    multiply_rows<products, false, false>, multiply_rows<products, false, true>,
    multiply_rows<products, true, false>, multiply_rows<products, true, true>};
constexpr const RowsFunction* kRowProducts[4] = {
    kRowShapes<Products::one>, kRowShapes<Products::three>, nullptr, kRowShapes<Products::six>};

}  // namespace

void multiply_steps(const StepsProduct& p) {
  asm volatile("tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3" : :);
  kRowProducts[int(p.products)][p.tall * 2 + p.wide](p);
  const int64_t row = kSquare * int64_t(sizeof(float));
  float* lower = p.c + kTileSide * kSquare;
  asm volatile("tilestored %%tmm0, (%0,%1,1)" : : "r"(p.c), "r"(row) : "memory");
  if (p.wide) asm volatile("tilestored %%tmm1, 64(%0,%1,1)" : : "r"(p.c), "r"(row) : "memory");
  if (p.tall) asm volatile("tilestored %%tmm2, (%0,%1,1)" : : "r"(lower), "r"(row) : "memory");
  if (p.tall && p.wide)
    asm volatile("tilestored %%tmm3, 64(%0,%1,1)" : : "r"(lower), "r"(row) : "memory");
}

void multiply_square(const SquareProduct& p) {
  const int64_t row = p.c_row * int64_t(sizeof(float));
  float* lower = p.c + kTileSide * p.c_row;
  if (p.accumulate) {
    asm volatile("tileloadd (%0,%1,1), %%tmm0" : : "r"(p.c), "r"(row) : "memory");
    if (p.wide) asm volatile("tileloadd 64(%0,%1,1), %%tmm1" : : "r"(p.c), "r"(row) : "memory");
    if (p.tall) asm volatile("tileloadd (%0,%1,1), %%tmm2" : : "r"(lower), "r"(row) : "memory");
    if (p.tall && p.wide)
      asm volatile("tileloadd 64(%0,%1,1), %%tmm3" : : "r"(lower), "r"(row) : "memory");
  } else {
    asm volatile("tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3" : :);
  }
  kProducts[int(p.products)][p.tall * 2 + p.wide](p.a, p.b, p.steps);
  asm volatile("tilestored %%tmm0, (%0,%1,1)" : : "r"(p.c), "r"(row) : "memory");
  if (p.wide) asm volatile("tilestored %%tmm1, 64(%0,%1,1)" : : "r"(p.c), "r"(row) : "memory");
  if (p.tall) asm volatile("tilestored %%tmm2, (%0,%1,1)" : : "r"(lower), "r"(row) : "memory");
  if (p.tall && p.wide)
    asm volatile("tilestored %%tmm3, 64(%0,%1,1)" : : "r"(lower), "r"(row) : "memory");
}

#else
void multiply_square(const SquareProduct&) {}
void multiply_steps(const StepsProduct&) {}
#endif

}  // namespace tenon::cpu::CPU_ISA

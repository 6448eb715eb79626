// Samples of an op: cases with generated inputs, and an oracle that says in double precision what
// must come out. An oracle is written from the op's definition, never from its implementation.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tenon/conformance/array.hpp"
#include "tenon/tenon.h"

namespace tenon::conformance {

// ---- attributes

struct Attr {
  uint32_t key = 0, tag = 0;
  int64_t bits = 0;  // i64, bool, dtype
  double number = 0;
  std::string text;
  Dims list;
  std::vector<double> numbers;
};
Attr integer(uint32_t key, int64_t value);
Attr flag(uint32_t key, bool value);
Attr number(uint32_t key, double value);
Attr text(uint32_t key, std::string value);
Attr type(uint32_t key, tn_dtype value);
Attr list(uint32_t key, Dims value);
Attr numbers(uint32_t key, std::vector<double> value);

// The attributes of one call; what is absent has the value that the caller of get names.
class Attrs {
 public:
  Attrs() = default;
  Attrs(std::vector<Attr> given);  // NOLINT(google-explicit-constructor): sorts by key

  int64_t integer(uint32_t key, int64_t fallback) const;
  bool flag(uint32_t key, bool fallback = false) const;
  double number(uint32_t key, double fallback) const;
  std::string text(uint32_t key, const char* fallback) const;
  tn_dtype type(uint32_t key, tn_dtype fallback) const;
  // An empty list also takes the fallback.
  Dims list(uint32_t key, const Dims& fallback = {}) const;
  std::vector<double> numbers(uint32_t key) const;
  // As the C ABI takes them; they point into this object.
  std::vector<tn_attr> encode() const;

 private:
  const Attr* find(uint32_t key) const;
  std::vector<Attr> attrs_;
};

// ---- oracles

// State of the random numbers before the call.
struct RandomState {
  uint64_t seed = 0, stream = 0, offset = 0;
};

struct Call {
  std::vector<Array> inputs;
  Attrs attrs;
  RandomState random;

  const Array& in(size_t k) const { return inputs[k]; }
  bool has(size_t k) const { return k < inputs.size() && !inputs[k].absent; }
};

using Oracle = std::function<std::vector<Array>(const Call&)>;
// For outputs that are not determined: what is wrong with them, or "".
using Judge = std::function<std::string(const Call&, const std::vector<Array>&)>;

// An error of at most `ulps` units of the output's last place, relative to the greater of the
// element and its scale. Sums are allowed the growth of rounding errors with the number of their
// terms, in f32 for the half formats; `wide`: all of the sum is in that precision. The half formats
// are computed in f32: `ulps` units of that, then one rounding, for which `ulps`, or 2 if it is more,
// units of the element itself are allowed.
struct Tolerance {
  double ulps = 0;
  bool wide = false;
  bool zero_sign = false;  // -0 is not 0
  double half_ulps =
      0;  // instead, where half formats may be rounded on the way: units of element or scale
};
inline constexpr Tolerance kExact{0, false, false};
inline constexpr Tolerance kSameBits{0, false, true};
inline constexpr Tolerance kRounded{1, false, false};     // basic arithmetic
inline constexpr Tolerance kSum{1, true, false};          // sums of products in one kernel
inline constexpr Tolerance kFunction{8, false, false};    // library functions
inline constexpr Tolerance kComposite{24, false, false};  // several roundings in a row
inline constexpr Tolerance kBiased{24, false, false, 2};  // a product that is rounded, then a bias

// ---- values

// SplitMix64: small, and the same everywhere.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}
  uint64_t next();
  double unit();  // [0, 1)
  int64_t below(int64_t n);
  double between(double low, double high) { return low + (high - low) * unit(); }

 private:
  uint64_t state_;
};

using Fill = std::function<void(Array&, Rng&)>;
// Floating: [low, high); integers: low .. high, from 0 where there is no sign; bool: a coin.
Fill uniform(double low, double high);
// The same, at least `gap` away from each point (floating dtypes only).
Fill clear_of(double low, double high, std::vector<double> points, double gap);
// No two alike, in random order, with gaps of (high - low) / 2n at least.
Fill distinct(double low, double high);
// In turn.
Fill values(std::vector<double> list);
// NaN, infinities, zeros of both signs, and ordinary values.
Fill special();
Fill indices(int64_t n);      // 0 .. n-1
Fill any_indices(int64_t n);  // -n .. n-1

// ---- cases

struct Input {
  Dims dims;
  Fill fill;
  tn_dtype dtype = TN_DTYPE_NONE;  // NONE: the dtype that the case is run with
  bool weak = false;
  bool absent = false;
  bool known_last = false;  // the size of the last axis says what the op does: never a symbol
};
Input in(Dims dims, Fill fill);
Input in(Dims dims, Fill fill, tn_dtype dtype);
Input weak(Fill fill);
Input absent();

struct Case {
  Case(std::string title, std::vector<Input> what, std::vector<Attr> how = {})
      : name(std::move(title)), inputs(std::move(what)), attrs(std::move(how)) {}

  // No gradient is taken: kinks, ties, special values.
  Case no_grad() &&;
  // Only as written: no other layouts.
  Case plain() &&;
  // Long enough for kernels that use several threads: few dtypes, few layouts, no gradient.
  Case large() &&;
  // Repeated values would be ties: no broadcast layout when gradients are checked.
  Case ties() &&;
  // Each element counts: no layout that repeats some (of a matrix, which would become singular).
  Case distinct() &&;
  // The call must be refused with this code.
  Case refused(tn_code code) &&;
  // An index is out of range: OUT_OF_RANGE, or clamped on a device that cannot report.
  Case out_of_range() &&;
  // No gradient of the gradient is taken.
  Case first_only() &&;
  // Instead of the op's own dtypes.
  Case only(std::vector<tn_dtype> types) &&;
  // Instead of the op's own tolerance.
  Case within(Tolerance t) &&;
  // Finite differences with another step and tolerance, where the op rounds.
  Case coarse(double step, double tolerance) &&;

  std::string name;
  std::vector<Input> inputs;
  Attrs attrs;
  std::vector<tn_dtype> dtypes;
  bool grad = true, layouts = true, is_large = false, has_ties = false, repeats = true;
  bool may_clamp = false, second = true;
  std::optional<Tolerance> tolerance;   // none: the op's own
  tn_code refusal = TN_OK;              // not OK: the call must be refused so
  double step = 0, grad_tolerance = 0;  // 0: the kit's own
};

enum class Grad { no, yes, either };

struct OpSamples {
  OpSamples& on(std::vector<tn_dtype> types);
  // A device or the core may refuse these dtypes.
  OpSamples& maybe(std::vector<tn_dtype> types);
  OpSamples& gives(Oracle o, Tolerance t);
  OpSamples& gradient(Grad g);
  OpSamples& add(Case c);

  tn_op op = 0;
  std::string name;
  std::vector<tn_dtype> dtypes{TN_DTYPE_NONE};  // NONE: the op has no dtype of its own to vary
  std::vector<tn_dtype> optional;
  Oracle oracle;
  Judge judge;  // instead of an oracle
  Tolerance tolerance;
  Grad grad = Grad::no;
  bool random = false;  // draws from the random state
  // So many words per element of input 0, or, of an op without inputs, of output 0.
  uint64_t words = 1, words_f64 = 1;
  std::vector<Case> cases;
};

extern const std::vector<tn_dtype> kFloats;    // f32 f64 f16 bf16
extern const std::vector<tn_dtype> kSigned;    // i8 i16 i32 i64
extern const std::vector<tn_dtype> kUnsigned;  // u8 u16 u32 u64
extern const std::vector<tn_dtype> kIntegers;
extern const std::vector<tn_dtype> kNumbers;  // floats and integers
extern const std::vector<tn_dtype> kAll;      // and bool

class Catalogue {
 public:
  OpSamples& add(tn_op op, const char* name);
  OpSamples& at(tn_op op);  // added before
  const std::vector<OpSamples>& ops() const { return ops_; }

 private:
  std::vector<OpSamples> ops_;
};

// What every elementwise op gets: small, rank 0, rank 5, empty, large; with several inputs also
// those that broadcast, and a host scalar as the last one.
void elementwise_cases(OpSamples& op, const std::vector<Fill>& fills);

// All of the kit's samples.
const Catalogue& catalogue();

// ---- families, one file each in samples/

void add_unary(Catalogue& c);
void add_activations(Catalogue& c);
void add_binary(Catalogue& c);
void add_logic(Catalogue& c);
void add_convert(Catalogue& c);
void add_movement(Catalogue& c);
void add_arrange(Catalogue& c);
void add_index(Catalogue& c);
void add_elements(Catalogue& c);
void add_reduce(Catalogue& c);
void add_region(Catalogue& c);
void add_sort(Catalogue& c);
void add_matmul(Catalogue& c);
void add_products(Catalogue& c);
void add_diagonal(Catalogue& c);
void add_einsum(Catalogue& c);
void add_linalg(Catalogue& c);
void add_complex(Catalogue& c);
void add_complex_tensors(Catalogue& c);  // after the families of the ops
void add_counted(Catalogue& c);
void add_conv(Catalogue& c);
void add_product_region(Catalogue& c);  // after region, matmul and conv
void add_conv_nd(Catalogue& c);
void add_window(Catalogue& c);
void add_adaptive_pool(Catalogue& c);
void add_resize(Catalogue& c);
void add_grid_sample(Catalogue& c);
void add_softmax(Catalogue& c);
void add_attention(Catalogue& c);
void add_recurrent(Catalogue& c);
void add_quantize(Catalogue& c);
void add_quantized_products(Catalogue& c);
void add_normalize(Catalogue& c);
void add_normalize_groups(Catalogue& c);
void add_loss(Catalogue& c);
void add_loss_pairwise(Catalogue& c);
void add_ctc(Catalogue& c);
void add_random(Catalogue& c);
void add_random_choice(Catalogue& c);

}  // namespace tenon::conformance

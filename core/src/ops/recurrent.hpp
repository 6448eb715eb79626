// What rnn, gru and lstm share, some of it with ctc. In recipes a value over time is [T, B, D, ...], D being the number of
// directions, and a state [D, B, H].
#pragma once
#include <functional>
#include <vector>

#include "infer.hpp"
#include "recipe.hpp"

namespace tenon::ops {

using Values = std::vector<Value>;

// ---- rules

// The attribute direction, which has key 0 in all of them: how many there are.
tn_error* direction_rule(const Infer& c, int64_t* directions);
// Input i, if it is there, has these dims, and is cast to t. `form`: "[D, B, H]".
tn_error* require_dims(const Infer& c, uint32_t i, const char* name, const char* form,
                       const Dims& dims, tn_dtype t);
// Input i, if it is there: integers [B].
tn_error* require_lengths(const Infer& c, uint32_t i, const char* name, int64_t batch);

// ---- recipes

// Dims without axis `axis` of size 1, or with one in front of it.
Value without(Value x, uint32_t axis);
Value with(Value x, uint32_t axis);
// Elements first to last - 1 along an axis; kToEnd: all the others.
Value part(Value x, uint32_t axis, int64_t first, int64_t last);
Value joined(std::span<const Value> parts, uint32_t axis);
inline Value joined(std::initializer_list<Value> parts, uint32_t axis) {
  return joined(std::span(parts.begin(), parts.size()), axis);
}
// [..., n * H] as [..., n, H].
Value split_last(Value x, int64_t n, int64_t width);
// [..., n, H] as [..., n * H].
Value merge_last(Value x);
// Whether a recipe may write out so many steps. False: it has failed, as the number is symbolic or too
// large.
bool unrolls(const Recipe& b, int64_t steps);

// How the steps go. A recipe that writes them out must first ask unrolls().
class Sequence {
 public:
  // lengths: the input as given, or none; name: what it is called, as "gru: lengths".
  Sequence(const Recipe& b, int64_t steps, int64_t batch, int64_t width, tn_dtype dtype,
           Value lengths, const char* name);

  // [B, ...] of [T, B, D, ...].
  Value at(Value v, int64_t t, uint32_t d) const;
  // Element d of axis 0; zeros [B, H] where there is no state.
  Value of_direction(Value v, uint32_t d) const;
  // Zeros in v [T, B, D, ...] at times beyond a sequence's length.
  Value masked(Value v) const;
  // [T, B, D, W] before each step: the first one has `first` [D, B, W], or zeros. carried: beyond a
  // length v goes on with what it was.
  Value previous(Value v, Value first, bool carried) const;

  // now: the states before a step, [B, H] each, to which it may add; fresh: after it; kept: what is to
  // be had of every time.
  struct Step {
    int64_t t = 0;
    uint32_t d = 0;
    Value now[2], fresh[2], kept[2];
  };
  struct Result {
    Value states[2];  // [D, B, H] each
    // Of every direction and time: kept 0 and 1, [B, ...], and the states after it.
    Values all[4];
  };
  // The steps in their order, or with `back` from the last to the first, of so many states, which begin
  // as zeros where they are none. Beyond its length a sequence keeps its states.
  Result run(uint32_t states, const Value (&initial)[2], bool back,
             const std::function<void(Step&)>& step) const;

  // One of r.all, [B, gates * H] each, as [T, B, D, gates * H].
  Value over_time(const Values& all, int64_t gates) const;
  // Kept 0 as [T, D, B, H], with zeros beyond a sequence's length.
  Value output(const Result& r) const;

 private:
  bool backwards(uint32_t d) const { return reverse_ || d == 1; }

  const Recipe& b_;
  int64_t steps_, batch_, width_;
  tn_dtype dtype_;
  bool reverse_;
  uint32_t directions_;
  Value lengths_;  // i64 [B], checked
  Value valid_;    // bool [T, B, 1, 1]
};

// [T, D, B, H] as [T, B, D, H].
Value by_sequence(Value y);
// [T, B, D, W] as [D, T * B, W], and back.
Value by_direction(const Recipe& b, Value v);
Value by_time(Value v, int64_t steps, int64_t batch);
// v [T, B, D, W] times the matrices m [D, X, W], transposed, of each direction: [T, B, D, X].
Value times_matrices(const Recipe& b, Value v, Value m);
// The gradient of such a product by m: [D, X, W]. g: of the product.
Value matrices_gradient(const Recipe& b, Value g, Value v);

// The inputs that rnn, gru and lstm have in common, halves as f32.
struct RecurrentInputs {
  explicit RecurrentInputs(const Recipe& b);
  Value x, w, r, bias, lengths, h0;
  int64_t steps, batch, width;
};
Value wide_if(Value x);  // none stays none
// rnn, gru, lstm: inputs, so many gates, and states from input 5 on, which are outputs from 1 on.
tn_error* recurrent_rule(Infer& c, int64_t gates, uint32_t states, tn_dtype* t);

// x w^T + bias of all steps, [T, B, D, gates * H]. bias [D, gates * H], or none.
Value gates_of(const Recipe& b, Value x, Value w, Value bias);
// The two biases of `bias` [D, 2 * gates * H] added up; none where there are none.
Value bias_sum(Value bias, int64_t gates, int64_t width);

}  // namespace tenon::ops

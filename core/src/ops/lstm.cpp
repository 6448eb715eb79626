// lstm, as ONNX has it (opset 14, layout 0): one product for the inputs of all steps, then lstm_steps,
// whose backward recursion is lstm_steps_grad. Gates lie in the order i o f c.
#include "recurrent.hpp"

#include "scatter.hpp"

namespace tenon::ops {
namespace {

// ---- lstm

tn_error* lstm_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  TN_TRY(recurrent_rule(c, 4, 2, &t));
  Dims peephole(2, c.dim(2, 0));
  peephole[1] = c.mul(3, c.dim(2, 2));
  return require_dims(c, 7, "peephole", "[D, 3 * H]", peephole, t);
}

void lstm_of_base(Recipe& b) {
  const RecurrentInputs in(b);
  const Value gates = gates_of(b, in.x, in.w, bias_sum(in.bias, 4, in.width));
  const Value lengths = in.lengths.v() == TN_NO_VALUE
                            ? in.lengths
                            : checked(in.lengths, b.add(in.steps, 1), "lstm: lengths", false);
  tn_value out[4];
  tn_b_lstm_steps(b.raw(), gates.v(), in.r.v(), lengths.v(), in.h0.v(), wide_if(b.in(6)).v(),
                  wide_if(b.in(7)).v(), b.str(TN_LSTM_DIRECTION), out);
  for (uint32_t i = 0; i < 3; ++i) b.set(i, cast({b.raw(), out[i]}, b.in(0).dtype()));
}

// ---- lstm_steps

// T, B, D and H from `gates` [T, B, D, n * H], input 0, and r, and the other inputs that both ops
// have: lengths, 2, peephole and states [D, B, H].
struct StepDims {
  Dims gates, state, y;
};
struct State {
  uint32_t input;
  const char* name;
};
tn_error* steps_rule(const Infer& c, const char* name, int64_t n,
                     std::initializer_list<State> states, uint32_t peephole, tn_dtype* t,
                     StepDims* out) {
  TN_TRY(c.common({0, 1}, kFloat, t));
  TN_TRY(c.require_rank(0, name, 4, "[T, B, D, gates * H]"));
  TN_TRY(c.require_rank(1, "r", 3, "[D, 4 * H, H]"));
  int64_t directions = 0;
  TN_TRY(direction_rule(c, &directions));
  const int64_t width = c.dim(1, 2);
  Dims gates = c.dims(0), r(3, directions), hole(2, directions);
  gates[2] = directions;
  gates[3] = c.mul(n, width);
  r[1] = c.mul(4, width);
  r[2] = width;
  hole[1] = c.mul(3, width);
  out->state = Dims(3, directions);
  out->state[1] = gates[1];
  out->state[2] = width;
  out->y = Dims(4, gates[0]);
  for (uint32_t a = 0; a < 3; ++a) out->y[a + 1] = out->state[a];
  TN_TRY(require_dims(c, 1, "r", "[D, 4 * H, H]", r, *t));
  TN_TRY(require_dims(c, 0, name, "[T, B, D, gates * H]", gates, *t));
  TN_TRY(require_lengths(c, 2, "lengths", gates[1]));
  for (const State& s : states)
    TN_TRY(require_dims(c, s.input, s.name, "[D, B, H]", out->state, *t));
  TN_TRY(require_dims(c, peephole, "peephole", "[D, 3 * H]", hole, *t));
  out->gates = gates;
  return c.check_count(gates);
}

tn_error* lstm_steps_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  StepDims dims;
  TN_TRY(steps_rule(c, "gates", 4, {{3, "h0"}, {4, "c0"}}, 5, &t, &dims));
  dims.gates[3] = c.mul(5, c.dim(1, 2));
  TN_TRY(c.check_count(dims.gates));
  TN_TRY(c.out(0, t, dims.y));
  TN_TRY(c.out(1, t, dims.state));
  TN_TRY(c.out(2, t, dims.state));
  return c.out(3, t, dims.gates);
}

// What peephole [D, 3 * H] has for gate i, o or f of direction d: [1, H].
Value hole_of(Value peephole, uint32_t d, int64_t k, int64_t width) {
  return without(part(part(split_last(peephole, 3, width), 0, d, d + 1), 1, k, k + 1), 1);
}

Value row(Value gates, int64_t k) { return without(part(gates, 1, k, k + 1), 1); }  // of [B, n, H]
Value gate(Value v, int64_t k) { return without(part(v, 3, k, k + 1), 3); }  // of [T, B, D, n, H]

constexpr const char* kStepsLengths = "lstm_steps: lengths";

void lstm_steps_of_base(Recipe& b) {
  const tn_dtype t = b.in(0).dtype();
  const Value gates = wide(b.in(0)), r = wide(b.in(1)), hole = wide_if(b.in(5));
  const int64_t width = r.dim(2);
  if (!unrolls(b, gates.dim(0))) return;
  const Sequence s(b, gates.dim(0), gates.dim(1), width, gates.dtype(), b.in(2), kStepsLengths);
  const auto step = [&](Sequence::Step& p) {
    const uint32_t d = p.d;
    const Value m = matmul(p.now[0], s.of_direction(r, d), false, true);
    const Value a = split_last(s.at(gates, p.t, d) + m, 4, width), c = p.now[1];
    Value i, o, f;
    if (hole) {
      i = sigmoid(row(a, 0) + hole_of(hole, d, 0, width) * c);
      f = sigmoid(row(a, 2) + hole_of(hole, d, 2, width) * c);
    } else {
      const Value all = sigmoid(part(a, 1, 0, 3));
      i = row(all, 0), o = row(all, 1), f = row(all, 2);
    }
    const Value n = tanh(row(a, 3)), next = f * c + i * n;
    if (hole) o = sigmoid(row(a, 1) + hole_of(hole, d, 1, width) * next);
    p.kept[0] = p.fresh[0] = o * tanh(next);
    p.fresh[1] = next;
    p.kept[1] = joined({i, o, f, n}, 1);
  };
  const Sequence::Result result = s.run(2, {wide_if(b.in(3)), wide_if(b.in(4))}, false, step);
  b.set(0, cast(s.output(result), t));
  b.set(1, cast(result.states[0], t));
  b.set(2, cast(result.states[1], t));
  const Value kept = s.masked(s.over_time(result.all[1], 4));
  b.set(3, cast(joined({kept, s.over_time(result.all[3], 1)}, 3), t));
}

// By gates, states and peephole through lstm_steps_grad; by r in one product.
void d_lstm_steps(Recipe& b) {
  const Value gates = wide(b.in(0)), r = wide(b.in(1)), hole = wide_if(b.in(5));
  const Value h0 = wide_if(b.in(3)), c0 = wide_if(b.in(4)), saved = wide(b.out(3));
  const int64_t width = r.dim(2);
  tn_value out[3];
  const auto given = [&](uint32_t i) { return wide_if(b.given(i, 4)).v(); };
  tn_b_lstm_steps_grad(b.raw(), saved.v(), r.v(), b.in(2).v(), c0.v(), hole.v(), given(0), given(1),
                       given(2), given(3), b.str(TN_LSTM_STEPS_DIRECTION), out);
  const Value g{b.raw(), out[0]};
  if (b.wants(0)) b.set(0, g);
  if (h0 && b.wants(3)) b.set(3, {b.raw(), out[1]});
  if (c0 && b.wants(4)) b.set(4, {b.raw(), out[2]});
  const bool wants_hole = hole && b.wants(5);
  if (!b.wants(1) && !wants_hole) return;
  const Sequence s(b, gates.dim(0), gates.dim(1), width, gates.dtype(), b.in(2), kStepsLengths);
  if (b.wants(1)) {
    const Value y = by_sequence(wide(b.out(0)));
    b.set(1, matrices_gradient(b, g, s.previous(y, h0, false)));
  }
  if (!wants_hole) return;
  const Value parts = split_last(g, 4, width), c = gate(split_last(saved, 5, width), 4);
  const Value before = s.previous(c, c0, true);
  b.set(5, joined({sum(gate(parts, 0) * before, 3u, false), sum(gate(parts, 1) * c, 3u, false),
                   sum(gate(parts, 2) * before, 3u, false)},
                  1));
}

// ---- lstm_steps_grad

tn_error* lstm_steps_grad_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  StepDims dims;
  TN_TRY(steps_rule(c, "saved", 5, {{3, "c0"}, {6, "gh"}, {7, "gc"}}, 4, &t, &dims));
  TN_TRY(require_dims(c, 5, "gy", "[T, D, B, H], as y", dims.y, t));
  TN_TRY(require_dims(c, 8, "gsaved", "[T, B, D, 5 * H], as saved", dims.gates, t));
  dims.gates[3] = c.mul(4, c.dim(1, 2));
  TN_TRY(c.out(0, t, dims.gates));
  TN_TRY(c.out(1, t, dims.state));
  return c.out(2, t, dims.state);
}

// With q = tanh(c'), c the cell before and c' after a step: do = dh q o (1 - o), dc' += dh o (1 - q^2)
// + do p_o, di = dc' n i (1 - i), df = dc' c f (1 - f), dn = dc' i (1 - n^2), dc = dc' f + di p_i + df
// p_f, and dh of the step before = [di do df dn] r. What multiplies dh and dc' is computed for all
// steps at once.
void lstm_steps_grad_of_base(Recipe& b) {
  const tn_dtype t = b.in(0).dtype();
  const Value saved = wide(b.in(0)), r = wide(b.in(1)), hole = wide_if(b.in(4));
  const Value extra = wide_if(b.in(8));
  const int64_t width = r.dim(2);
  if (!unrolls(b, saved.dim(0))) return;
  const Sequence s(b, saved.dim(0), saved.dim(1), width, saved.dtype(), b.in(2),
                   "lstm_steps_grad: lengths");
  const Value v = split_last(saved, 5, width);
  const Value i = gate(v, 0), o = gate(v, 1), f = gate(v, 2), n = gate(v, 3), c = gate(v, 4);
  const Value before = s.previous(c, wide_if(b.in(3)), true), q = tanh(c);
  const Value slopes[] = {i * (1 - i), o * (1 - o), f * (1 - f), 1 - square(n)};
  const Value by_o = q * slopes[1], by_c = o * (1 - square(q));
  const Value by_i = n * slopes[0], by_f = before * slopes[2], by_n = i * slopes[3];
  Value more[4], more_c;  // from the cotangent of saved
  if (extra) {
    const Value e = split_last(extra, 5, width);
    for (int64_t k = 0; k < 4; ++k) more[k] = s.masked(gate(e, k) * slopes[k]);
    more_c = gate(e, 4);
  }
  const Value gy = b.in(5) ? by_sequence(wide(b.in(5))) : Value();
  const auto step = [&](Sequence::Step& p) {
    const uint32_t d = p.d;
    const auto at = [&](Value x) { return s.at(x, p.t, d); };
    if (extra) p.now[1] = p.now[1] + at(more_c);
    const auto plus = [&](Value x, int k) { return extra ? x + at(more[k]) : x; };
    const Value dh = gy ? p.now[0] + at(gy) : p.now[0], d_o = plus(dh * at(by_o), 1);
    Value dc = p.now[1] + dh * at(by_c);
    if (hole) dc = dc + d_o * hole_of(hole, d, 1, width);
    const Value di = plus(dc * at(by_i), 0), df = plus(dc * at(by_f), 2),
                dn = plus(dc * at(by_n), 3);
    const Value all = joined({di, d_o, df, dn}, 1);
    Value cell = dc * at(f);
    if (hole) cell = cell + di * hole_of(hole, d, 0, width) + df * hole_of(hole, d, 2, width);
    p.fresh[0] = matmul(all, s.of_direction(r, d));
    p.fresh[1] = cell;
    p.kept[0] = all;
  };
  const Sequence::Result result = s.run(2, {wide_if(b.in(6)), wide_if(b.in(7))}, true, step);
  b.set(0, cast(s.masked(s.over_time(result.all[0], 4)), t));
  b.set(1, cast(result.states[0], t));
  b.set(2, cast(result.states[1], t));
}

}  // namespace

const OpRules rules_lstm = {TN_OP_LSTM, rule<lstm_rule>, recipe<lstm_of_base>, nullptr, nullptr};
const OpRules rules_lstm_steps = {TN_OP_LSTM_STEPS, rule<lstm_steps_rule>,
                                  recipe<lstm_steps_of_base>, recipe<d_lstm_steps>, nullptr};
const OpRules rules_lstm_steps_grad = {TN_OP_LSTM_STEPS_GRAD, rule<lstm_steps_grad_rule>,
                                       recipe<lstm_steps_grad_of_base>, nullptr, nullptr};

}  // namespace tenon::ops

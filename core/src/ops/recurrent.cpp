// rnn and gru, as ONNX has them (opset 14, layout 0), and what lstm shares with them. No base op
// loops: the steps are unrolled, with one product for the inputs of all of them before. f16 and bf16
// are computed in f32.
#include "recurrent.hpp"

#include "scatter.hpp"

namespace tenon::ops {

static_assert(TN_RNN_DIRECTION == 0 && TN_GRU_DIRECTION == 0 && TN_LSTM_DIRECTION == 0 &&
              TN_LSTM_STEPS_DIRECTION == 0 && TN_LSTM_STEPS_GRAD_DIRECTION == 0);

// ---- rules

tn_error* direction_rule(const Infer& c, int64_t* directions) {
  const auto direction = c.string(TN_RNN_DIRECTION);
  *directions = direction == "bidirectional" ? 2 : 1;
  return c.choice("direction", direction, {"forward", "reverse", "bidirectional"});
}

tn_error* require_dims(const Infer& c, uint32_t i, const char* name, const char* form,
                       const Dims& dims, tn_dtype t) {
  if (!c.has(i)) return nullptr;
  TN_TRY(c.require_kind(i, name, kFloat));
  bool fits = c.rank(i) == dims.n;
  for (uint32_t a = 0; fits && a < dims.n; ++a) fits = !c.differ(c.dim(i, a), dims[a]);
  if (!fits)
    return c.error("{} is {}; beside the other inputs it must be {}: {}", name, c.text(i), form,
                   dims_text(dims.span()));
  c.cast(i, t);
  return nullptr;
}

tn_error* require_lengths(const Infer& c, uint32_t i, const char* name, int64_t batch) {
  if (!c.has(i)) return nullptr;
  if (kind_of(c.dtype(i)) != kInt)
    return c.error("{} is {}; it must be integer. Cast it first (cast, dtype = i64).", name,
                   c.text(i));
  if (c.rank(i) == 1 && !c.differ(c.dim(i, 0), batch)) return nullptr;
  return c.error("{} is {}; it must have one number for each sequence: [{}]", name, c.text(i),
                 dim_text(batch));
}

tn_error* recurrent_rule(Infer& c, int64_t gates, uint32_t states, tn_dtype* out_t) {
  TN_TRY(c.common({0, 1, 2}, kFloat, out_t));
  const tn_dtype t = *out_t;
  TN_TRY(c.require_rank(0, "x", 3, "[T, B, I]"));
  TN_TRY(c.require_rank(2, "r", 3, "[D, gates * H, H]"));
  int64_t n = 0;
  TN_TRY(direction_rule(c, &n));
  const int64_t width = c.dim(2, 2), all = c.mul(gates, width);
  Dims w(3, n), r(3, n), bias(2, n), state(3, n), y(4, n);
  w[1] = r[1] = all;
  w[2] = c.dim(0, 2);
  r[2] = state[2] = y[3] = width;
  bias[1] = c.mul(2, all);
  state[1] = y[2] = c.dim(0, 1);
  y[0] = c.dim(0, 0);
  TN_TRY(require_dims(c, 2, "r", "[D, gates * H, H]", r, t));
  TN_TRY(require_dims(c, 1, "w", "[D, gates * H, I]", w, t));
  TN_TRY(require_dims(c, 3, "bias", "[D, 2 * gates * H]", bias, t));
  TN_TRY(require_lengths(c, 4, "lengths", state[1]));
  static constexpr const char* kStates[] = {"h0", "c0"};
  for (uint32_t i = 0; i < states; ++i)
    TN_TRY(require_dims(c, 5 + i, kStates[i], "[D, B, H]", state, t));
  TN_TRY(c.check_count(y));
  TN_TRY(c.out(0, t, y));
  for (uint32_t i = 0; i < states; ++i) TN_TRY(c.out(1 + i, t, state));
  return nullptr;
}

// ---- values

Value wide_if(Value x) { return x ? wide(x) : x; }

Value without(Value x, uint32_t axis) {
  Dims to;
  for (uint32_t a = 0; a < x.rank(); ++a)
    if (a != axis) to.push(x.dim(a));
  return reshape(x, to);
}
Value with(Value x, uint32_t axis) {
  Dims to;
  for (uint32_t a = 0; a <= x.rank(); ++a) to.push(a == axis ? 1 : x.dim(a < axis ? a : a - 1));
  return reshape(x, to);
}

Value part(Value x, uint32_t axis, int64_t first, int64_t last) {
  Dims starts(x.rank(), 0), stops(x.rank(), kToEnd);
  starts[axis] = first;
  stops[axis] = last;
  return slice(x, starts, stops, Dims());
}

Value joined(std::span<const Value> parts, uint32_t axis) {
  if (parts.size() == 1) return parts[0];
  std::vector<tn_value> list;
  for (const Value& p : parts) list.push_back(p.v());
  return {parts[0].b(),
          tn_b_concat(parts[0].b(), list.data(), static_cast<uint32_t>(list.size()), axis)};
}

Value split_last(Value x, int64_t n, int64_t width) {
  Dims to = x.dims();
  to[to.n - 1] = n;
  to.push(width);
  return reshape(x, to);
}
Value merge_last(Value x) {
  Dims to = x.dims();
  --to.n;
  to[to.n - 1] = Recipe(x.b()).mul(to[to.n - 1], to[to.n]);
  return reshape(x, to);
}

bool unrolls(const Recipe& b, int64_t steps) {
  if (concrete(steps) && steps <= 16384) return true;
  b.fail(TN_UNIMPLEMENTED,
         concrete(steps)
             ? "the device has no kernel for it, and more than 16,384 steps are not "
               "unrolled. Cut the sequences."
             : "the device has no kernel for it, and a symbolic number of steps cannot be "
               "unrolled. Capture with a number.");
  return false;
}

// ---- sequences

Sequence::Sequence(const Recipe& b, int64_t steps, int64_t batch, int64_t width, tn_dtype dtype,
                   Value lengths, const char* name)
    : b_(b),
      steps_(steps),
      batch_(batch),
      width_(width),
      dtype_(dtype),
      reverse_(b.string(TN_RNN_DIRECTION) == "reverse"),
      directions_(b.string(TN_RNN_DIRECTION) == "bidirectional" ? 2 : 1) {
  if (lengths.v() == TN_NO_VALUE) return;
  lengths_ = checked(lengths, b.add(steps, 1), name, false);
  Dims times(4, 1), sequences(4, 1);
  times[0] = steps;
  sequences[1] = batch;
  valid_ = lt(b.iota(times, 0, TN_DTYPE_I64), reshape(lengths_, sequences));
}

Value Sequence::at(Value v, int64_t t, uint32_t d) const {
  Dims starts(v.rank(), 0), stops(v.rank(), kToEnd), to;
  starts[0] = t;
  stops[0] = t + 1;
  starts[2] = v.dim(2) == 1 ? 0 : d;
  stops[2] = starts[2] + 1;
  for (uint32_t a = 0; a < v.rank(); ++a)
    if (a != 0 && a != 2) to.push(v.dim(a));
  return reshape(slice(v, starts, stops, Dims()), to);
}

Value Sequence::of_direction(Value v, uint32_t d) const {
  if (v) return without(part(v, 0, d, d + 1), 0);
  Dims dims;
  dims.push(batch_);
  dims.push(width_);
  return b_.fill(0, dims, dtype_);
}

Value Sequence::over_time(const Values& all, int64_t gates) const {
  Dims dims;
  for (const int64_t d : {steps_, batch_, int64_t{1}, b_.mul(gates, width_)}) dims.push(d);
  if (all.empty()) {
    dims[2] = directions_;
    return b_.fill(0, dims, dtype_);
  }
  const std::span<const Value> first(all.data(), static_cast<size_t>(steps_));
  const Value forward = reshape(joined(first, 0), dims);
  if (directions_ == 1) return forward;
  return joined({forward, reshape(joined({all.data() + steps_, first.size()}, 0), dims)}, 2);
}

Value Sequence::output(const Result& r) const {
  Dims perm, dims;
  for (const int64_t a : {0, 2, 1, 3}) perm.push(a);
  for (const int64_t d : {steps_, int64_t{directions_}, batch_, width_}) dims.push(d);
  const Value y = masked(over_time(r.all[0], 1));
  return directions_ == 1 ? reshape(y, dims) : copy(transpose(y, perm));
}

Value Sequence::masked(Value v) const {
  return valid_ ? where(v.rank() == 5 ? with(valid_, 4) : valid_, v, 0) : v;
}

Value Sequence::previous(Value v, Value first, bool carried) const {
  if (steps_ == 0) return v;
  Values all;
  for (uint32_t d = 0; d < directions_; ++d) {
    const Value own = part(v, 2, d, d + 1);
    const Value start = with(with(of_direction(first, d), 1), 0);
    Value moved = backwards(d) ? joined({part(own, 0, 1, kToEnd), start}, 0)
                               : joined({start, part(own, 0, 0, -1)}, 0);
    if (backwards(d) && lengths_ && first && !carried) {
      Dims times(4, 1), sequences(4, 1);
      times[0] = steps_;
      sequences[1] = batch_;
      const Value last = eq(b_.iota(times, 0, TN_DTYPE_I64), reshape(lengths_, sequences) - 1);
      moved = where(last, start, moved);
    }
    all.push_back(moved);
  }
  return joined(all, 2);
}

Sequence::Result Sequence::run(uint32_t states, const Value (&initial)[2], bool back,
                               const std::function<void(Step&)>& step) const {
  Result result;
  Value ends[2][2];
  const auto count = static_cast<size_t>(steps_ * directions_);
  Step s;
  for (s.d = 0; s.d < directions_; ++s.d) {
    for (uint32_t i = 0; i < states; ++i) s.now[i] = of_direction(initial[i], s.d);
    for (int64_t k = 0; k < steps_; ++k) {
      s.t = backwards(s.d) != back ? steps_ - 1 - k : k;
      step(s);
      for (uint32_t i = 0; i < states; ++i)
        s.now[i] = valid_ ? where(at(valid_, s.t, 0), s.fresh[i], s.now[i]) : s.fresh[i];
      const auto place = static_cast<size_t>(s.d * steps_ + s.t);
      const Value own[] = {s.kept[0], s.kept[1], s.now[0], s.now[1]};
      for (int i = 0; i < 4; ++i)
        if (own[i].b()) result.all[i].resize(count), result.all[i][place] = own[i];
    }
    for (uint32_t i = 0; i < states; ++i) ends[i][s.d] = with(s.now[i], 0);
  }
  for (uint32_t i = 0; i < states; ++i)
    result.states[i] = joined(std::span(ends[i], directions_), 0);
  return result;
}

// ---- products

Value by_sequence(Value y) {
  Dims perm;
  for (const int64_t a : {0, 2, 1, 3}) perm.push(a);
  return transpose(y, perm);
}

Value by_direction(const Recipe& b, Value v) {
  Dims perm, to;
  for (const int64_t a : {2, 0, 1, 3}) perm.push(a);
  for (const int64_t d : {v.dim(2), b.mul(v.dim(0), v.dim(1)), v.dim(3)}) to.push(d);
  return reshape(transpose(v, perm), to);
}
Value by_time(Value v, int64_t steps, int64_t batch) {
  Dims perm, to;
  for (const int64_t a : {1, 2, 0, 3}) perm.push(a);
  for (const int64_t d : {v.dim(0), steps, batch, v.dim(2)}) to.push(d);
  return transpose(reshape(v, to), perm);
}

Value times_matrices(const Recipe& b, Value v, Value m) {
  return by_time(matmul(by_direction(b, v), m, false, true), v.dim(0), v.dim(1));
}
Value matrices_gradient(const Recipe& b, Value g, Value v) {
  return matmul(by_direction(b, g), by_direction(b, v), true, false);
}

RecurrentInputs::RecurrentInputs(const Recipe& b)
    : x(wide(b.in(0))),
      w(wide(b.in(1))),
      r(wide(b.in(2))),
      bias(wide_if(b.in(3))),
      lengths(b.in(4)),
      h0(wide_if(b.in(5))),
      steps(x.dim(0)),
      batch(x.dim(1)),
      width(r.dim(2)) {}

Value gates_of(const Recipe& b, Value x, Value w, Value bias) {
  Dims rows, to;
  rows.push(b.mul(w.dim(0), w.dim(1)));
  if (bias) bias = reshape(bias, rows);
  rows.push(w.dim(2));
  for (const int64_t d : {x.dim(0), x.dim(1), w.dim(0), w.dim(1)}) to.push(d);
  return reshape({x.b(), tn_b_linear(x.b(), x.v(), reshape(w, rows).v(), bias.v())}, to);
}

Value bias_sum(Value bias, int64_t gates, int64_t width) {
  if (bias.v() == TN_NO_VALUE) return bias;  // not !bias: that would be the op not
  const Value pair = split_last(bias, 2, Recipe(bias.b()).mul(gates, width));
  return sum(pair, 2u, false);
}

namespace {

constexpr const char *kRnnLengths = "rnn: lengths", *kGruLengths = "gru: lengths";

Sequence sequence_of(const Recipe& b, const RecurrentInputs& in, const char* name) {
  return {b, in.steps, in.batch, in.width, in.x.dtype(), in.lengths, name};
}

void set_outputs(const Recipe& b, const Sequence& s, const Sequence::Result& result) {
  const tn_dtype t = b.in(0).dtype();
  b.set(0, cast(s.output(result), t));
  b.set(1, cast(result.states[0], t));
}

// The gradients by x, w and bias. g: by the gates of the inputs, recurrent: by the product with r,
// as far as its bias goes.
void set_input_gradients(const Recipe& b, const RecurrentInputs& in, Value g, Value recurrent) {
  Dims flat, matrix;
  flat.push(b.mul(in.steps, in.batch));
  flat.push(b.mul(in.w.dim(0), in.w.dim(1)));
  matrix.push(flat[1]);
  matrix.push(in.w.dim(2));
  const Value rows = reshape(g, flat);
  if (b.wants(0)) b.set(0, reshape_like(matmul(rows, reshape(in.w, matrix)), in.x));
  if (b.wants(1)) b.set(1, reshape_like(matmul(rows, as_matrix(in.x), true, false), in.w));
  if (in.bias && b.wants(3)) {
    const Value of_w = sum(g, 3u, false);
    b.set(3, joined({of_w, g.v() == recurrent.v() ? of_w : sum(recurrent, 3u, false)}, 1));
  }
}

// ---- rnn: h = f(x w^T + wb + h r^T + rb)

tn_error* rnn_rule(Infer& c) {
  TN_TRY(c.choice("activation", c.string(TN_RNN_ACTIVATION), {"tanh", "relu"}));
  tn_dtype t = TN_DTYPE_NONE;
  return recurrent_rule(c, 1, 1, &t);
}

void rnn_of_base(Recipe& b) {
  const RecurrentInputs in(b);
  if (!unrolls(b, in.steps)) return;
  const Sequence s = sequence_of(b, in, kRnnLengths);
  const bool relu = b.string(TN_RNN_ACTIVATION) == "relu";
  const Value gates = gates_of(b, in.x, in.w, bias_sum(in.bias, 1, in.width));
  const auto step = [&](Sequence::Step& p) {
    const Value a =
        s.at(gates, p.t, p.d) + matmul(p.now[0], s.of_direction(in.r, p.d), false, true);
    p.kept[0] = p.fresh[0] = relu ? Value{a.b(), tn_b_relu(a.b(), a.v())} : tanh(a);
  };
  set_outputs(b, s, s.run(1, {in.h0}, false, step));
}

// y tells the derivatives of both activations: 1 - y^2, and y > 0.
void d_rnn(Recipe& b) {
  const RecurrentInputs in(b);
  if (!unrolls(b, in.steps)) return;
  const Sequence s = sequence_of(b, in, kRnnLengths);
  const Value y = by_sequence(wide(b.out(0))), gy = by_sequence(wide(b.g(0)));
  const Value slope =
      b.string(TN_RNN_ACTIVATION) == "relu" ? cast(gt(y, 0), y.dtype()) : 1 - square(y);
  const auto step = [&](Sequence::Step& p) {
    p.kept[0] = (p.now[0] + s.at(gy, p.t, p.d)) * s.at(slope, p.t, p.d);
    p.fresh[0] = matmul(p.kept[0], s.of_direction(in.r, p.d));
  };
  const Sequence::Result result = s.run(1, {wide(b.g(1))}, true, step);
  const Value g = s.masked(s.over_time(result.all[0], 1));
  set_input_gradients(b, in, g, g);
  if (b.wants(2)) b.set(2, matrices_gradient(b, g, s.previous(y, in.h0, false)));
  if (in.h0 && b.wants(5)) b.set(5, result.states[0]);
}

// ---- gru: z, r = sigmoid(...), n = tanh(x w^T + wb + (r h) r^T + rb), h = (1 - z) n + z h; with
// linear_before_reset n = tanh(x w^T + wb + r (h r^T + rb))

tn_error* gru_rule(Infer& c) {
  tn_dtype t = TN_DTYPE_NONE;
  return recurrent_rule(c, 3, 1, &t);
}

// What does not change from step to step.
struct Gru {
  const Recipe& b;
  RecurrentInputs in;
  bool linear;  // linear_before_reset
  Value inner;  // the bias within the reset, [D, H]; none: there is none
  Value gates;  // [T, B, D, 3, H]

  explicit Gru(const Recipe& builder)
      : b(builder), in(builder), linear(builder.flag(TN_GRU_LINEAR_BEFORE_RESET)) {
    Value bias = in.bias;
    if (bias && linear) {
      const Value both = split_last(split_last(bias, 2, b.mul(3, in.width)), 3, in.width);
      inner = without(part(without(part(both, 1, 1, 2), 1), 1, 2, 3), 1);
      const Value own = without(part(both, 1, 0, 1), 1);
      const Value outer = sum(part(both, 2, 0, 2), 2u, false);
      bias = merge_last(joined({outer, part(own, 1, 2, 3)}, 1));
    } else {
      bias = bias_sum(bias, 3, in.width);
    }
    gates = split_last(gates_of(b, in.x, in.w, bias), 3, in.width);
  }

  // The matrices of gates first to last - 1, [D, n * H, H].
  Value matrices(int64_t first, int64_t last) const {
    Dims to = in.r.dims(), apart;
    for (const int64_t d : {to[0], int64_t{3}, to[2], to[2]}) apart.push(d);
    to[1] = b.mul(last - first, to[2]);
    return reshape(part(reshape(in.r, apart), 1, first, last), to);
  }
};

void gru_of_base(Recipe& b) {
  if (!unrolls(b, b.in(0).dim(0))) return;
  const Gru p(b);
  const Sequence s = sequence_of(b, p.in, kGruLengths);
  const int64_t width = p.in.width;
  const Value m_outer = p.linear ? p.in.r : p.matrices(0, 2);
  const Value m_inner = p.linear ? Value() : p.matrices(2, 3);
  const auto step = [&](Sequence::Step& at) {
    const uint32_t d = at.d;
    const Value h = at.now[0], x = s.at(p.gates, at.t, d);
    const Value m =
        split_last(matmul(h, s.of_direction(m_outer, d), false, true), p.linear ? 3 : 2, width);
    const Value zr = sigmoid(part(x, 1, 0, 2) + part(m, 1, 0, 2));
    const Value z = without(part(zr, 1, 0, 1), 1), r = without(part(zr, 1, 1, 2), 1);
    Value inner;
    if (p.linear) {
      inner = without(part(m, 1, 2, 3), 1);
      if (p.inner) inner = inner + part(p.inner, 0, d, d + 1);
      inner = r * inner;
    } else {
      inner = matmul(r * h, s.of_direction(m_inner, d), false, true);
    }
    const Value n = tanh(without(part(x, 1, 2, 3), 1) + inner);
    at.kept[0] = at.fresh[0] = n + z * (h - n);
  };
  set_outputs(b, s, s.run(1, {p.in.h0}, false, step));
}

Value gate(Value v, int64_t k) { return without(part(v, 3, k, k + 1), 3); }  // of [T, B, D, n, H]

// The gates of all steps are computed again, in few large products, from y: only the cotangent of h
// goes from step to step.
void d_gru(Recipe& b) {
  if (!unrolls(b, b.in(0).dim(0))) return;
  const Gru p(b);
  const Sequence s = sequence_of(b, p.in, kGruLengths);
  const int64_t width = p.in.width;
  const Value gy = by_sequence(wide(b.g(0)));
  const Value before = s.previous(by_sequence(wide(b.out(0))), p.in.h0, false);  // [T, B, D, H]
  const Value m_outer = p.linear ? p.in.r : p.matrices(0, 2);
  const Value m_inner = p.linear ? Value() : p.matrices(2, 3);
  const Value m = split_last(times_matrices(b, before, m_outer), p.linear ? 3 : 2, width);
  const Value zr = sigmoid(part(p.gates, 3, 0, 2) + part(m, 3, 0, 2));
  const Value z = gate(zr, 0), r = gate(zr, 1), reset = r * before;
  Value inner;
  if (p.linear) {
    inner = gate(m, 2);
    if (p.inner) inner = inner + p.inner;
  }
  const Value n =
      tanh(gate(p.gates, 2) + (p.linear ? r * inner : times_matrices(b, reset, m_inner)));
  const Value slope_z = (before - n) * z * (1 - z), slope_n = (1 - z) * (1 - square(n));
  const Value slope_r = (p.linear ? inner : before) * r * (1 - r);
  const auto step = [&](Sequence::Step& at) {
    const int64_t t = at.t;
    const uint32_t d = at.d;
    const Value dh = at.now[0] + s.at(gy, t, d), rt = s.at(r, t, d);
    const Value dn = dh * s.at(slope_n, t, d), dz = dh * s.at(slope_z, t, d);
    const Value through = p.linear ? dn : matmul(dn, s.of_direction(m_inner, d));  // d(r) or d(r h)
    const Value dr = through * s.at(slope_r, t, d);
    const Value outer = p.linear ? joined({dz, dr, dn * rt}, 1) : joined({dz, dr}, 1);
    at.fresh[0] = dh * s.at(z, t, d) + matmul(outer, s.of_direction(m_outer, d));
    if (!p.linear) at.fresh[0] = at.fresh[0] + through * rt;
    at.kept[0] = joined({dz, dr, dn}, 1);
  };
  const Sequence::Result result = s.run(1, {wide(b.g(1))}, true, step);
  const Value g = s.masked(s.over_time(result.all[0], 3));
  const Value parts = split_last(g, 3, width), outer = part(parts, 3, 0, 2);
  const Value recurrent =
      p.linear ? merge_last(joined({outer, part(parts, 3, 2, 3) * with(r, 3)}, 3)) : g;
  set_input_gradients(b, p.in, g, recurrent);
  if (b.wants(2) && p.linear) b.set(2, matrices_gradient(b, recurrent, before));
  if (b.wants(2) && !p.linear)
    b.set(2, joined({matrices_gradient(b, merge_last(outer), before),
                     matrices_gradient(b, gate(parts, 2), reset)},
                    1));
  if (p.in.h0 && b.wants(5)) b.set(5, result.states[0]);
}

}  // namespace

const OpRules rules_rnn = {TN_OP_RNN, rule<rnn_rule>, recipe<rnn_of_base>, recipe<d_rnn>, nullptr};
const OpRules rules_gru = {TN_OP_GRU, rule<gru_rule>, recipe<gru_of_base>, recipe<d_gru>, nullptr};

}  // namespace tenon::ops

// rnn, gru, lstm and the steps of lstm, one sequence, one unit, one product at a time: by the equations
// of ONNX (RNN, GRU and LSTM of opset 14).
#include <algorithm>
#include <cmath>

#include "tenon/conformance/sample.hpp"

namespace tenon::conformance {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

using Row = std::vector<double>;

// One direction of one sequence.
struct Lane {
  int64_t steps, batch, width, directions;  // T, B, H, D
  int64_t b, d, length;
  bool reverse;

  // The k-th step's time.
  int64_t time(int64_t k) const { return reverse ? length - 1 - k : k; }
  int64_t state(int64_t j) const { return (d * batch + b) * width + j; }  // in [D, B, H]
  int64_t y(int64_t t, int64_t j) const { return t * directions * batch * width + state(j); }
  int64_t bulk(int64_t t, int64_t n, int64_t j) const {  // in [T, B, D, n * H]
    return (((t * batch + b) * directions + d) * n) * width + j;
  }
};

void for_each_lane(int64_t steps, int64_t batch, int64_t width, const Call& call, size_t lengths,
                   const std::function<void(const Lane&)>& body) {
  static_assert(TN_RNN_DIRECTION == 0 && TN_GRU_DIRECTION == 0 && TN_LSTM_DIRECTION == 0);
  const std::string direction = call.attrs.text(0, "forward");
  const int64_t directions = direction == "bidirectional" ? 2 : 1;
  for (int64_t d = 0; d < directions; ++d)
    for (int64_t b = 0; b < batch; ++b) {
      Lane lane{steps, batch, width, directions, b, d, steps, direction == "reverse" || d == 1};
      // A device that cannot report a length takes the nearest one.
      if (call.has(lengths))
        lane.length = std::min(std::max<int64_t>(call.in(lengths).integer(b), 0), steps);
      body(lane);
    }
}

double dot(const Array& m, int64_t from, const Row& v) {
  double sum = 0;
  for (size_t k = 0; k < v.size(); ++k) sum += m.real(from + static_cast<int64_t>(k)) * v[k];
  return sum;
}

Row state_of(const Call& call, size_t input, const Lane& lane) {
  Row out(static_cast<size_t>(lane.width), 0);
  if (call.has(input))
    for (int64_t j = 0; j < lane.width; ++j)
      out[static_cast<size_t>(j)] = call.in(input).real(lane.state(j));
  return out;
}

// Rounding errors grow along the sums and from step to step.
Array sized(tn_dtype dtype, Dims dims, int64_t terms) {
  Array y(dtype, std::move(dims));
  y.scale.assign(y.f.size(), 4);
  y.terms = terms;
  return y;
}

// x w^T + wb and h r^T + rb of one unit of one gate.
struct Unit {
  const Call& call;
  const Lane& lane;
  int64_t gates;

  int64_t unit(int64_t g, int64_t j) const { return (lane.d * gates + g) * lane.width + j; }
  double input(int64_t t, int64_t g, int64_t j) const {
    const Array &x = call.in(0), &w = call.in(1);
    const int64_t n = x.dims[2];
    double sum = bias(0, g, j);
    for (int64_t i = 0; i < n; ++i)
      sum += x.real((t * lane.batch + lane.b) * n + i) * w.real(unit(g, j) * n + i);
    return sum;
  }
  double recurrent(const Row& h, int64_t g, int64_t j) const {
    return dot(call.in(2), unit(g, j) * lane.width, h);
  }
  double bias(int64_t which, int64_t g, int64_t j) const {
    if (!call.has(3)) return 0;
    return call.in(3).real(((lane.d * 2 + which) * gates + g) * lane.width + j);
  }
};

// y and h of rnn and gru. `step`: the state after one step.
std::vector<Array> run(const Call& call, int64_t gates,
                       const std::function<Row(const Unit&, int64_t t, const Row& h)>& step) {
  const Array &x = call.in(0), &r = call.in(2);
  const int64_t steps = x.dims[0], batch = x.dims[1], width = r.dims[2], terms = x.dims[2] + width;
  Array y = sized(x.dtype, {steps, r.dims[0], batch, width}, terms);
  Array last = sized(x.dtype, {r.dims[0], batch, width}, terms);
  for_each_lane(steps, batch, width, call, 4, [&](const Lane& lane) {
    const Unit unit{call, lane, gates};
    Row h = state_of(call, 5, lane);
    for (int64_t k = 0; k < lane.length; ++k) {
      h = step(unit, lane.time(k), h);
      for (int64_t j = 0; j < width; ++j)
        y.f[static_cast<size_t>(lane.y(lane.time(k), j))] = h[static_cast<size_t>(j)];
    }
    for (int64_t j = 0; j < width; ++j)
      last.f[static_cast<size_t>(lane.state(j))] = h[static_cast<size_t>(j)];
  });
  return {y, last};
}

std::vector<Array> rnn(const Call& call) {
  const bool relu = call.attrs.text(TN_RNN_ACTIVATION, "tanh") == "relu";
  return run(call, 1, [&](const Unit& u, int64_t t, const Row& h) {
    Row out;
    for (int64_t j = 0; j < u.lane.width; ++j) {
      const double a = u.input(t, 0, j) + u.recurrent(h, 0, j) + u.bias(1, 0, j);
      out.push_back(relu ? std::max(a, 0.0) : std::tanh(a));
    }
    return out;
  });
}

std::vector<Array> gru(const Call& call) {
  const bool linear = call.attrs.flag(TN_GRU_LINEAR_BEFORE_RESET);
  return run(call, 3, [&](const Unit& u, int64_t t, const Row& h) {
    Row reset, scaled, out;
    for (int64_t j = 0; j < u.lane.width; ++j) {
      reset.push_back(sigmoid(u.input(t, 1, j) + u.recurrent(h, 1, j) + u.bias(1, 1, j)));
      scaled.push_back(reset.back() * h[static_cast<size_t>(j)]);
    }
    for (int64_t j = 0; j < u.lane.width; ++j) {
      const double z = sigmoid(u.input(t, 0, j) + u.recurrent(h, 0, j) + u.bias(1, 0, j));
      const double inner =
          linear ? reset[static_cast<size_t>(j)] * (u.recurrent(h, 2, j) + u.bias(1, 2, j))
                 : u.recurrent(scaled, 2, j) + u.bias(1, 2, j);
      out.push_back((1 - z) * std::tanh(u.input(t, 2, j) + inner) + z * h[static_cast<size_t>(j)]);
    }
    return out;
  });
}

// ---- lstm

// Element k of [i, o, f] of the peephole of unit j; 0: there is none.
double hole(const Call& call, size_t input, const Lane& lane, int64_t k, int64_t j) {
  return call.has(input) ? call.in(input).real((lane.d * 3 + k) * lane.width + j) : 0;
}

struct LstmResult {
  Array y, h, c, saved;
};
// gate: x w^T and both biases of unit j of gate g at time t. r is input `first`; after it follow
// lengths, h0, c0, peephole.
LstmResult lstm_run(
    const Call& call, const Array& like, size_t r_at, size_t first, int64_t steps, int64_t batch,
    int64_t terms,
    const std::function<double(const Lane&, int64_t t, int64_t g, int64_t j)>& gate) {
  const Array& r = call.in(r_at);
  const int64_t width = r.dims[2], n = r.dims[0];
  LstmResult out{sized(like.dtype, {steps, n, batch, width}, terms),
                 sized(like.dtype, {n, batch, width}, terms),
                 sized(like.dtype, {n, batch, width}, terms),
                 sized(like.dtype, {steps, batch, n, 5 * width}, terms)};
  for_each_lane(steps, batch, width, call, first, [&](const Lane& lane) {
    Row h = state_of(call, first + 1, lane), c = state_of(call, first + 2, lane);
    const auto keep = [&](int64_t t, int64_t g, int64_t j, double value) {
      out.saved.f[static_cast<size_t>(lane.bulk(t, 5, g * width + j))] = value;
    };
    const auto keep_cells = [&](int64_t t) {
      for (int64_t j = 0; j < width; ++j) keep(t, 4, j, c[static_cast<size_t>(j)]);
    };
    if (lane.reverse)  // beyond the length: the cells as they begin
      for (int64_t t = lane.length; t < steps; ++t) keep_cells(t);
    for (int64_t k = 0; k < lane.length; ++k) {
      const int64_t t = lane.time(k);
      Row next_h, next_c;
      for (int64_t j = 0; j < width; ++j) {
        const auto a = [&](int64_t g) {
          return gate(lane, t, g, j) + dot(r, ((lane.d * 4 + g) * width + j) * width, h);
        };
        const double before = c[static_cast<size_t>(j)];
        const double i = sigmoid(a(0) + hole(call, first + 3, lane, 0, j) * before);
        const double f = sigmoid(a(2) + hole(call, first + 3, lane, 2, j) * before);
        const double n_j = std::tanh(a(3)), cell = f * before + i * n_j;
        const double o = sigmoid(a(1) + hole(call, first + 3, lane, 1, j) * cell);
        next_c.push_back(cell);
        next_h.push_back(o * std::tanh(cell));
        keep(t, 0, j, i), keep(t, 1, j, o), keep(t, 2, j, f), keep(t, 3, j, n_j);
        out.y.f[static_cast<size_t>(lane.y(t, j))] = next_h.back();
      }
      h = next_h, c = next_c;
      keep_cells(t);
    }
    if (!lane.reverse)
      for (int64_t t = lane.length; t < steps; ++t) keep_cells(t);
    for (int64_t j = 0; j < width; ++j) {
      out.h.f[static_cast<size_t>(lane.state(j))] = h[static_cast<size_t>(j)];
      out.c.f[static_cast<size_t>(lane.state(j))] = c[static_cast<size_t>(j)];
    }
  });
  return out;
}

std::vector<Array> lstm(const Call& call) {
  const Array& x = call.in(0);
  const int64_t terms = x.dims[2] + call.in(2).dims[2];
  const LstmResult out = lstm_run(call, x, 2, 4, x.dims[0], x.dims[1], terms,
                                  [&](const Lane& lane, int64_t t, int64_t g, int64_t j) {
                                    const Unit unit{call, lane, 4};
                                    return unit.input(t, g, j) + unit.bias(1, g, j);
                                  });
  return {out.y, out.h, out.c};
}

std::vector<Array> lstm_steps(const Call& call) {
  const Array& gates = call.in(0);
  const LstmResult out =
      lstm_run(call, gates, 1, 2, gates.dims[0], gates.dims[1], call.in(1).dims[2],
               [&](const Lane& lane, int64_t t, int64_t g, int64_t j) {
                 return gates.real(lane.bulk(t, 4, g * lane.width + j));
               });
  return {out.y, out.h, out.c, out.saved};
}

// What a step passes back to the one before it, unit by unit.
std::vector<Array> lstm_steps_grad(const Call& call) {
  const Array &saved = call.in(0), &r = call.in(1);
  const int64_t steps = saved.dims[0], batch = saved.dims[1], width = r.dims[2], n = r.dims[0];
  Array dgates = sized(saved.dtype, {steps, batch, n, 4 * width}, 4 * width);
  Array dh0 = sized(saved.dtype, {n, batch, width}, 4 * width), dc0 = dh0;
  for_each_lane(steps, batch, width, call, 2, [&](const Lane& lane) {
    const auto value = [&](int64_t t, int64_t g, int64_t j) {
      return saved.real(lane.bulk(t, 5, g * width + j));
    };
    const auto extra = [&](int64_t t, int64_t g, int64_t j) {
      return call.has(8) ? call.in(8).real(lane.bulk(t, 5, g * width + j)) : 0;
    };
    const Row c0 = state_of(call, 3, lane);
    Row dh = state_of(call, 6, lane), dc = state_of(call, 7, lane);
    for (int64_t t = lane.length; t < steps;
         ++t)  // the cells there are those of the last or first step
      for (int64_t j = 0; j < width && !lane.reverse; ++j)
        dc[static_cast<size_t>(j)] += extra(t, 4, j);
    for (int64_t k = lane.length; k-- > 0;) {
      const int64_t t = lane.time(k), before_t = lane.reverse ? t + 1 : t - 1;
      Row back(static_cast<size_t>(width), 0);
      for (int64_t j = 0; j < width; ++j) {
        const auto at = static_cast<size_t>(j);
        const double i = value(t, 0, j), o = value(t, 1, j), f = value(t, 2, j), m = value(t, 3, j);
        const bool first = before_t < 0 || before_t >= steps;
        const double before = first ? c0[at] : value(before_t, 4, j);
        const double q = std::tanh(value(t, 4, j));
        const double of_h = dh[at] + (call.has(5) ? call.in(5).real(lane.y(t, j)) : 0);
        double of_c = dc[at] + extra(t, 4, j) + of_h * o * (1 - q * q);
        const double of_o = (of_h * q + extra(t, 1, j)) * o * (1 - o);
        of_c += of_o * hole(call, 4, lane, 1, j);
        const double of_i = (of_c * m + extra(t, 0, j)) * i * (1 - i);
        const double of_f = (of_c * before + extra(t, 2, j)) * f * (1 - f);
        const double of_m = (of_c * i + extra(t, 3, j)) * (1 - m * m);
        dc[at] = of_c * f + of_i * hole(call, 4, lane, 0, j) + of_f * hole(call, 4, lane, 2, j);
        const double all[] = {of_i, of_o, of_f, of_m};
        for (int64_t g = 0; g < 4; ++g) {
          dgates.f[static_cast<size_t>(lane.bulk(t, 4, g * width + j))] = all[g];
          for (int64_t e = 0; e < width; ++e)
            back[static_cast<size_t>(e)] +=
                all[g] * r.real(((lane.d * 4 + g) * width + j) * width + e);
        }
      }
      dh = back;
    }
    for (int64_t t = lane.length; t < steps; ++t)
      for (int64_t j = 0; j < width && lane.reverse; ++j)
        dc[static_cast<size_t>(j)] += extra(t, 4, j);
    for (int64_t j = 0; j < width; ++j) {
      dh0.f[static_cast<size_t>(lane.state(j))] = dh[static_cast<size_t>(j)];
      dc0.f[static_cast<size_t>(lane.state(j))] = dc[static_cast<size_t>(j)];
    }
  });
  return {dgates, dh0, dc0};
}

// ---- cases

const Fill kAny = uniform(-1, 1);
const std::vector<Attr> kReverse{text(0, "reverse")}, kBoth{text(0, "bidirectional")};

struct Sizes {
  int64_t t = 3, b = 2, i = 3, h = 2, d = 1;
};
Input lengths(std::vector<double> list, tn_dtype dtype = TN_DTYPE_I64) {
  const auto n = static_cast<int64_t>(list.size());
  return in({n}, values(std::move(list)), dtype);
}
// Those of rnn, gru and lstm as far as c0; what is to be absent is replaced.
std::vector<Input> inputs(int64_t gates, Sizes s, bool bias, Input length, bool states, size_t n) {
  std::vector<Input> out{in({s.t, s.b, s.i}, kAny), in({s.d, gates * s.h, s.i}, kAny),
                         in({s.d, gates * s.h, s.h}, kAny),
                         bias ? in({s.d, 2 * gates * s.h}, kAny) : absent(), std::move(length)};
  for (size_t k = 0; k < n; ++k) out.push_back(states ? in({s.d, s.b, s.h}, kAny) : absent());
  return out;
}

void refusals(OpSamples& s, int64_t gates, size_t states) {
  const auto refuse = [&](const char* name, size_t input, Input other, std::vector<Attr> how = {}) {
    std::vector<Input> what = inputs(gates, {}, true, lengths({3, 2}), true, states);
    what[input] = std::move(other);
    s.add(Case{name, std::move(what), std::move(how)}
              .refused(TN_INVALID_ARGUMENT)
              .only({TN_DTYPE_F32}));
  };
  refuse("x_rank2", 0, in({2, 3}, kAny));
  refuse("w_does_not_fit", 1, in({1, gates * 2, 4}, kAny));
  refuse("r_does_not_fit", 2, in({1, gates * 2 + 1, 2}, kAny));
  refuse("half_a_bias", 3, in({1, gates * 2}, kAny));
  refuse("float_lengths", 4, in({2}, kAny));
  refuse("lengths_do_not_fit", 4, lengths({1, 2, 3}));
  refuse("h0_does_not_fit", 5, in({1, 2, 3}, kAny));
  refuse("one_direction_for_two", 4, lengths({3, 2}), kBoth);
  refuse("no_such_direction", 4, lengths({3, 2}), {text(0, "backward")});
}

// Cases that all three have. `more`: attributes of some of them.
void common_cases(OpSamples& s, int64_t gates, size_t states, const std::vector<Attr>& more) {
  s.on(kFloats).gradient(Grad::yes);
  const Sizes two{3, 2, 3, 2, 2};
  const auto all = [&](Sizes size, bool bias, Input length, bool state) {
    return inputs(gates, size, bias, std::move(length), state, states);
  };
  const auto with = [&](std::vector<Attr> how) {
    how.insert(how.end(), more.begin(), more.end());
    return how;
  };
  s.add({"plain", all({}, false, absent(), false), more});
  s.add(Case{"bias", all({}, true, absent(), false), more}.first_only());
  s.add(Case{"states", all({}, true, absent(), true), more}.first_only());
  s.add(Case{"reverse", all({}, true, absent(), true), with(kReverse)}.first_only());
  s.add({"lengths", all({}, true, lengths({3, 1}), true), more});
  s.add(Case{"lengths_reverse", all({4, 3, 2, 2, 1}, true, lengths({2, 4, 0}, TN_DTYPE_I32), true),
             with(kReverse)}
            .first_only());
  s.add(Case{"bidirectional", all(two, true, absent(), true), with(kBoth)}.first_only());
  s.add(Case{"bidirectional_lengths", all(two, false, lengths({1, 3}), false), with(kBoth)}
            .first_only());
  s.add(Case{"one_step", all({1, 1, 2, 3, 1}, true, absent(), false), more}.first_only());
  s.add(Case{"no_steps", all({0, 2, 3, 2, 1}, true, absent(), true), more}.first_only());
  s.add(Case{"no_sequences", all({2, 0, 3, 2, 1}, true, absent(), true), more}.first_only());
  s.add(Case{"no_inputs", all({2, 2, 0, 2, 1}, true, absent(), true), more}.first_only());
  s.add(Case{"odd_sizes", all({7, 5, 9, 19, 2}, true, lengths({7, 0, 3, 6, 1}), true), with(kBoth)}
            .no_grad());
  s.add(Case{"large", all({5, 33, 70, 64, 1}, true, absent(), true), more}.large());
  for (const double bad : {-1.0, 4.0})
    s.add(Case{bad < 0 ? "negative_length" : "length_beyond",
               all({}, true, lengths({3, bad}), false), more}
              .out_of_range());
}

void add_lstm(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_LSTM, "lstm");
  s.gives(lstm, kComposite);
  common_cases(s, 4, 2, {});
  refusals(s, 4, 2);
  std::vector<Input> what = inputs(4, {}, true, lengths({3, 2}), true, 2);
  what.push_back(in({1, 6}, kAny));
  s.add(Case{"peephole", what}.first_only());
  what = inputs(4, {3, 2, 2, 2, 2}, true, absent(), false, 2);
  what.push_back(in({2, 6}, kAny));
  s.add(Case{"peephole_bidirectional", what, kBoth}.first_only());
  what.back() = in({2, 8}, kAny);
  s.add(
      Case{"peephole_does_not_fit", what, kBoth}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
}

void add_lstm_steps(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_LSTM_STEPS, "lstm_steps");
  s.on(kFloats).gives(lstm_steps, kComposite).gradient(Grad::yes);
  const auto what = [](Sizes z, Input length, bool states, bool holes) {
    const Input state = states ? in({z.d, z.b, z.h}, kAny) : absent();
    return std::vector<Input>{in({z.t, z.b, z.d, 4 * z.h}, kAny),
                              in({z.d, 4 * z.h, z.h}, kAny),
                              std::move(length),
                              state,
                              state,
                              holes ? in({z.d, 3 * z.h}, kAny) : absent()};
  };
  s.add({"plain", what({}, absent(), false, false)});
  s.add({"reverse", what({}, lengths({1, 3}), true, true), kReverse});
  s.add(Case{"all", what({3, 2, 0, 2, 2}, lengths({3, 2}), true, true), kBoth}.first_only());
  s.add(Case{"large", what({5, 33, 0, 64, 1}, absent(), true, false)}.large());
  s.add(Case{"too_long", what({}, lengths({4, 1}), true, true)}.out_of_range());
  const auto refuse = [&](const char* name, size_t input, Input other) {
    std::vector<Input> in = what({}, lengths({3, 2}), true, true);
    in[input] = std::move(other);
    s.add(Case{name, std::move(in)}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
  };
  refuse("rank3", 0, in({3, 2, 8}, kAny));
  refuse("gates_do_not_fit", 0, in({3, 2, 1, 9}, kAny));
  refuse("c0_does_not_fit", 4, in({1, 3, 2}, kAny));
}

void add_lstm_steps_grad(Catalogue& c) {
  OpSamples& s = c.add(TN_OP_LSTM_STEPS_GRAD, "lstm_steps_grad");
  s.on(kFloats).gives(lstm_steps_grad, kComposite).gradient(Grad::yes);
  // given: y, h, c, saved have cotangents.
  const auto what = [](Sizes z, Input length, bool c0, bool holes, std::vector<bool> given) {
    const Input state = in({z.d, z.b, z.h}, kAny);
    return std::vector<Input>{in({z.t, z.b, z.d, 5 * z.h}, uniform(0.1, 0.9)),
                              in({z.d, 4 * z.h, z.h}, kAny),
                              std::move(length),
                              c0 ? state : absent(),
                              holes ? in({z.d, 3 * z.h}, kAny) : absent(),
                              given[0] ? in({z.t, z.d, z.b, z.h}, kAny) : absent(),
                              given[1] ? state : absent(),
                              given[2] ? state : absent(),
                              given[3] ? in({z.t, z.b, z.d, 5 * z.h}, kAny) : absent()};
  };
  s.add({"y", what({}, absent(), false, false, {true, false, false, false})});
  s.add(Case{"states", what({}, absent(), true, true, {false, true, true, false}), kReverse}
            .first_only());
  s.add({"saved", what({}, lengths({1, 3}), true, true, {true, false, false, true})});
  s.add(Case{"saved_reverse", what({}, lengths({1, 3}), true, false, {true, true, true, true}),
             kReverse}
            .first_only());
  s.add(Case{"all", what({3, 2, 0, 2, 2}, lengths({3, 2}), true, true, {true, true, true, true}),
             kBoth}
            .first_only());
  s.add(Case{"nothing", what({}, absent(), false, false, {false, false, false, false})}.no_grad());
  s.add(Case{"odd_sizes",
             what({7, 5, 0, 19, 2}, lengths({7, 0, 3, 6, 1}), true, true, {true, true, true, true}),
             kBoth}
            .no_grad());
  s.add(Case{"large", what({5, 33, 0, 64, 1}, absent(), true, false, {true, true, true, false})}
            .large());
  std::vector<Input> bad = what({}, absent(), true, false, {true, true, true, true});
  bad[5] = in({3, 2, 1, 2}, kAny);
  s.add(Case{"gy_by_sequence", bad}.refused(TN_INVALID_ARGUMENT).only({TN_DTYPE_F32}));
}

}  // namespace

void add_recurrent(Catalogue& c) {
  OpSamples& r = c.add(TN_OP_RNN, "rnn");
  r.gives(rnn, kComposite);
  common_cases(r, 1, 1, {});
  refusals(r, 1, 1);
  r.add(Case{
      "relu", inputs(1, {}, true, lengths({3, 2}), true, 1), {text(TN_RNN_ACTIVATION, "relu")}});
  r.add(Case{"no_such_activation",
             inputs(1, {}, true, absent(), true, 1),
             {text(TN_RNN_ACTIVATION, "sigmoid")}}
            .refused(TN_INVALID_ARGUMENT)
            .only({TN_DTYPE_F32}));

  OpSamples& g = c.add(TN_OP_GRU, "gru");
  g.gives(gru, kComposite);
  common_cases(g, 3, 1, {});
  refusals(g, 3, 1);
  const std::vector<Attr> linear{flag(TN_GRU_LINEAR_BEFORE_RESET, true)};
  const std::vector<Attr> linear_both{text(0, "bidirectional"),
                                      flag(TN_GRU_LINEAR_BEFORE_RESET, true)};
  g.add({"linear", inputs(3, {}, true, lengths({3, 2}), true, 1), linear});
  g.add(Case{"linear_no_bias", inputs(3, {}, false, absent(), false, 1), linear}.first_only());
  g.add(Case{"linear_bidirectional", inputs(3, {3, 2, 3, 2, 2}, true, lengths({1, 3}), true, 1),
             linear_both}
            .first_only());
  g.add(
      Case{"linear_large", inputs(3, {5, 33, 70, 64, 1}, true, absent(), true, 1), linear}.large());

  add_lstm(c);
  add_lstm_steps(c);
  add_lstm_steps_grad(c);
}

}  // namespace tenon::conformance

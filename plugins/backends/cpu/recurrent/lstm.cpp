// lstm_steps and lstm_steps_grad in f32 and f64. The sequences of a direction are cut between the
// threads, none of which waits for another until all steps are done.
#include <tenon/op_ids.h>

#include "recurrent/steps.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

struct LstmPlan {
  Sequences s;
  double flops;
  int64_t scratch;  // elements that one part needs
};

// ---- forward

// One row of H units. a: the gates i o f n before their activations; c and h: the states.
template <class T>
void lstm_row(const T* a, T* c, T* h, T* y, T* saved, const T* hole, int64_t width) {
  using V = Vec<T>;
  for_each_vector<T>(width, [&](int64_t j, auto get, auto put) {
    V i = get(a + j), o = get(a + width + j), f = get(a + 2 * width + j);
    const V before = get(c + j), n = vtanh(get(a + 3 * width + j));
    if (hole) {
      i += get(hole + j) * before;
      f += get(hole + 2 * width + j) * before;
    }
    i = vsigmoid(i);
    f = vsigmoid(f);
    const V cell = f * before + i * n;
    if (hole) o += get(hole + width + j) * cell;
    o = vsigmoid(o);
    const V out = o * vtanh(cell);
    put(c + j, cell);
    put(h + j, out);
    put(y + j, out);
    const V all[] = {i, o, f, n, cell};
    for (int64_t g = 0; g < 5; ++g) put(saved + g * width + j, all[g]);
  });
}

// A step beyond the sequence's length.
template <class T>
void idle_row(const T* c, T* y, T* saved, int64_t width) {
  std::memset(y, 0, size_t(width) * sizeof(T));
  std::memset(saved, 0, size_t(4 * width) * sizeof(T));
  std::memcpy(saved + 4 * width, c, size_t(width) * sizeof(T));
}

// args: gates r lengths h0 c0 peephole, y h c saved, workspace.
template <class T>
tn_error* TN_CALL run_lstm_steps(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const LstmPlan*>(data);
  const Sequences& s = p.s;
  if (tn_error* e = s.check_lengths("lstm_steps: lengths", args[2])) return e;
  const int64_t width = s.width, gates = 4 * width;
  const T* x = input<T>(args[0]);
  T *y = output<T>(args[6]), *saved = output<T>(args[9]), *work = output<T>(args[10]);
  const Panels<T> panels{width, gates};
  pack_all(s, panels, work, input<T>(args[1]), gates * width, 1, width);
  s.for_parts(p.flops, [&](int64_t index, const Sequences::Part& part) {
    const int64_t rows = part.rows(), state = (part.d * s.batch + part.first) * width;
    const T* hole = absent(args[5]) ? nullptr : input<T>(args[5]) + part.d * 3 * width;
    T* a = work + s.directions * panels.size() + index * p.scratch;
    T *h = output<T>(args[7]) + state, *c = output<T>(args[8]) + state;
    start_state(h, args[3], state, rows * width);
    start_state(c, args[4], state, rows * width);
    for (int64_t k = 0; k < s.steps; ++k) {
      const int64_t t = s.time(part, k);
      const auto row_at = [&](int64_t r) {
        return (t * s.batch + part.first + r) * s.directions + part.d;
      };
      for (int64_t r = 0; r < rows; ++r)
        std::memcpy(a + r * gates, x + row_at(r) * gates, size_t(gates) * sizeof(T));
      panels.multiply(a, gates, h, width, rows, work + part.d * panels.size(), true);
      T* y_t = y + (t * s.directions + part.d) * s.batch * width + part.first * width;
      for (int64_t r = 0; r < rows; ++r) {
        T *own_c = c + r * width, *own_y = y_t + r * width, *kept = saved + row_at(r) * 5 * width;
        if (t < s.length(args[2], part.first + r))
          lstm_row(a + r * gates, own_c, h + r * width, own_y, kept, hole, width);
        else
          idle_row(own_c, own_y, kept, width);
      }
    }
  });
  return nullptr;
}

// ---- backward

// What a row reads; null: zeros.
template <class T>
struct RowBack {
  const T *saved, *before, *gy, *extra, *hole;
};

// dh: the cotangent of h, without gy; dc: of c', and afterwards of c. dgates: i o f n.
template <class T>
void lstm_row_back(const RowBack<T>& in, const T* dh, T* dc, T* dgates, int64_t width) {
  using V = Vec<T>;
  const V one = splat<V>(T(1));
  for_each_vector<T>(width, [&](int64_t j, auto get, auto put) {
    const auto value = [&](int64_t g) { return get(in.saved + g * width + j); };
    const auto extra = [&](int64_t g) { return in.extra ? get(in.extra + g * width + j) : V{}; };
    const V i = value(0), o = value(1), f = value(2), n = value(3), q = vtanh(value(4));
    const V before = in.before ? get(in.before + j) : V{};
    V of_h = get(dh + j), of_c = get(dc + j) + extra(4);
    if (in.gy) of_h += get(in.gy + j);
    of_c += of_h * o * (one - q * q);
    const V of_o = (of_h * q + extra(1)) * o * (one - o);
    if (in.hole) of_c += of_o * get(in.hole + width + j);
    const V of_i = (of_c * n + extra(0)) * i * (one - i);
    const V of_f = (of_c * before + extra(2)) * f * (one - f);
    const V of_n = (of_c * i + extra(3)) * (one - n * n);
    V back = of_c * f;
    if (in.hole) back += of_i * get(in.hole + j) + of_f * get(in.hole + 2 * width + j);
    put(dc + j, back);
    put(dgates + j, of_i);
    put(dgates + width + j, of_o);
    put(dgates + 2 * width + j, of_f);
    put(dgates + 3 * width + j, of_n);
  });
}

// args: saved r lengths c0 peephole gy gh gc gsaved, dgates dh0 dc0, workspace.
template <class T>
tn_error* TN_CALL run_lstm_steps_grad(void* data, void*, const tn_view* const* args) {
  const auto& p = *static_cast<const LstmPlan*>(data);
  const Sequences& s = p.s;
  if (tn_error* e = s.check_lengths("lstm_steps_grad: lengths", args[2])) return e;
  const int64_t width = s.width, gates = 4 * width;
  T *dgates = output<T>(args[9]), *work = output<T>(args[12]);
  const Panels<T> panels{gates, width};
  pack_all(s, panels, work, input<T>(args[1]), gates * width, width, 1);
  const auto at = [&](int i, int64_t offset) {
    return absent(args[i]) ? nullptr : input<T>(args[i]) + offset;
  };
  s.for_parts(p.flops, [&](int64_t index, const Sequences::Part& part) {
    const int64_t rows = part.rows(), state = (part.d * s.batch + part.first) * width;
    T* product = work + s.directions * panels.size() + index * p.scratch;
    T *dh = output<T>(args[10]) + state, *dc = output<T>(args[11]) + state;
    start_state(dh, args[6], state, rows * width);
    start_state(dc, args[7], state, rows * width);
    for (int64_t k = s.steps; k-- > 0;) {
      const int64_t t = s.time(part, k);
      const auto row_at = [&](int64_t time, int64_t r) {
        return (time * s.batch + part.first + r) * s.directions + part.d;
      };
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t row = row_at(t, r);
        RowBack<T> in{};
        in.extra = at(8, row * 5 * width);
        if (t >= s.length(args[2], part.first + r)) {
          std::memset(dgates + row * gates, 0, size_t(gates) * sizeof(T));
          for (int64_t j = 0; in.extra && j < width; ++j)
            dc[r * width + j] += in.extra[4 * width + j];
          continue;
        }
        in.saved = at(0, row * 5 * width);
        in.before = k == 0 ? at(3, state + r * width)
                           : at(0, (row_at(s.time(part, k - 1), r) * 5 + 4) * width);
        in.gy = at(5, ((t * s.directions + part.d) * s.batch + part.first + r) * width);
        in.hole = at(4, part.d * 3 * width);
        lstm_row_back(in, dh + r * width, dc + r * width, dgates + row * gates, width);
      }
      panels.multiply(product, width, dgates + row_at(t, 0) * gates, s.directions * gates, rows,
                      work + part.d * panels.size(), false);
      for (int64_t r = 0; r < rows; ++r)
        if (t < s.length(args[2], part.first + r))
          std::memcpy(dh + r * width, product + r * width, size_t(width) * sizeof(T));
    }
  });
  return nullptr;
}

tn_error* prepare_steps(const Device& device, const tn_signature& sig, tn_plan* plan,
                        bool backward) {
  const char* why = unfit(sig, backward ? 9 : 6, backward ? 3 : 4, 2);
  if (why) return decline(plan, why);
  const tn_view &first = *sig.inputs[0], &r = *sig.inputs[1];
  tn_kernel_run run = nullptr;
  if (first.dtype == TN_DTYPE_F32)
    run = backward ? run_lstm_steps_grad<float> : run_lstm_steps<float>;
  if (first.dtype == TN_DTYPE_F64)
    run = backward ? run_lstm_steps_grad<double> : run_lstm_steps<double>;
  if (!run) return decline(plan, "only f32 and f64");
  auto* p = make_plan<LstmPlan>(plan, run);
  if (!p) return out_of_memory(device);
  Sequences& s = p->s;
  s.steps = first.dims[0];
  s.batch = first.dims[1];
  s.width = r.dims[2];
  s.plan(device, sig, sig.inputs[2]);
  p->flops = 8.0 * double(s.steps) * double(s.batch) * double(s.directions) * double(s.width) *
             double(s.width + 16);
  p->scratch = s.most_rows() * s.width * (backward ? 1 : 4);
  const bool single = first.dtype == TN_DTYPE_F32;
  const auto size = [&](auto zero) {
    using T = decltype(zero);
    const int64_t k = backward ? 4 * s.width : s.width, n = 5 * s.width - k;
    return s.directions * Panels<T>{k, n}.size() + s.part_count() * p->scratch;
  };
  plan->workspace_bytes = uint64_t(single ? size(0.0f) * 4 : size(0.0) * 8);
  if (plan->workspace_bytes == 0) plan->workspace_bytes = 64;
  return nullptr;
}

}  // namespace

CPU_PREPARE(lstm_steps) { return prepare_steps(device, sig, plan, false); }
CPU_PREPARE(lstm_steps_grad) { return prepare_steps(device, sig, plan, true); }

}  // namespace tenon::cpu::CPU_ISA

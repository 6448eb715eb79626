// Scans over random bodies, with gradients of the first and second order, against the same ops one by one.
#include <random>

#include "flow_fixture.hpp"

using namespace tenon::test;
using namespace tenon::test::flow;

namespace {

// A scan: what its body does is a matter of `seed`, how it is called is below.
struct Case {
  uint32_t seed;
  int64_t width, length;
  uint32_t carries, sequences, constants, stacked, steps;
  bool reverse, symbolic;
  explicit Case(uint32_t s) : seed(s) {
    std::mt19937 random(s);
    const auto draw = [&](uint32_t n) { return random() % n; };
    width = 1 + draw(5), length = draw(5);
    carries = 1 + draw(2), sequences = draw(3), constants = draw(3), stacked = draw(3);
    steps = 2 + draw(5);
    reverse = draw(2) != 0, symbolic = draw(2) != 0;
  }
};

Tensors body_of(tn_ctx* cx, const Case& c, const Variable& v, const Raw& in) {
  std::mt19937 random(c.seed * 31 + 7);
  Tensors pool;
  for (tn_tensor* t : in) pool.emplace_back(tn_tensor_retain(t));
  pool.push_back(value_of(cx, v));
  const auto pick = [&] { return pool[random() % pool.size()].get(); };
  for (uint32_t i = 0; i < c.steps; ++i) {
    tn_tensor *a = pick(), *b = pick();
    switch (random() % 6) {
      case 0:
        pool.push_back(add(cx, a, b));
        break;
      case 1:
        pool.push_back(mul(cx, a, b));
        break;
      case 2:
        pool.push_back(tanh(cx, a));
        break;
      case 3:
        pool.push_back(sub(cx, a, b));
        break;
      case 4:  // its gradient is a view
        pool.push_back(mul(cx, a, sum(cx, b).get()));
        break;
      default: {
        const Tensor less = get([&](tn_tensor** o) { return tn_lt(cx, a, b, o); });
        pool.push_back(get([&](tn_tensor** o) { return tn_where(cx, less.get(), a, b, o); }));
      }
    }
  }
  Tensors out;
  for (uint32_t i = 0; i < c.carries + c.stacked; ++i) out.emplace_back(tn_tensor_retain(pick()));
  return out;
}

// The steps of the scan as calls of the body.
Tensors unrolled(tn_ctx* cx, const Case& c, const std::function<Tensors(const Raw&)>& body,
                 const Raw& in) {
  Tensors state;
  for (uint32_t i = 0; i < c.carries; ++i) state.emplace_back(tn_tensor_retain(in[i]));
  std::vector<Tensors> made(c.stacked);
  for (Tensors& m : made) m.resize(static_cast<size_t>(c.length));
  for (int64_t k = 0; k < c.length; ++k) {
    const int64_t at = c.reverse ? c.length - 1 - k : k;
    Tensors elements;
    Raw arguments = raw(state);
    for (uint32_t i = 0; i < c.sequences; ++i) {
      const int64_t starts[] = {at, 0}, stops[] = {at + 1, c.width}, dims[] = {c.width};
      const Tensor row = get([&](tn_tensor** o) {
        return tn_slice(cx, in[c.carries + i], 2, starts, 2, stops, nullptr, o);
      });
      elements.push_back(get([&](tn_tensor** o) { return tn_reshape(cx, row.get(), 1, dims, o); }));
      arguments.push_back(elements.back().get());
    }
    arguments.insert(arguments.end(), in.begin() + c.carries + c.sequences, in.end());
    Tensors next = body(arguments);
    for (uint32_t i = 0; i < c.carries; ++i) state[i] = std::move(next[i]);
    for (uint32_t i = 0; i < c.stacked; ++i)
      made[i][static_cast<size_t>(at)] = std::move(next[c.carries + i]);
  }
  for (const Tensors& m : made)
    state.push_back(get([&](tn_tensor** o) {
      return tn_stack(cx, raw(m).data(), static_cast<uint32_t>(m.size()), nullptr, o);
    }));
  return state;
}

// Gradients of a scalar made of all outputs, by all inputs and the variable; then the outputs.
Tensors derive(tn_ctx* cx, const std::function<Tensors(const Raw&)>& scan, const Variable& v,
               int order, const Raw& in) {
  Tensors leaves;
  for (tn_tensor* t : in) leaves.push_back(leaf(cx, t));
  leaves.push_back(value_of(cx, v));
  Raw given = raw(leaves);
  given.pop_back();
  const Tensors y = scan(given);
  const auto cubes = [&](const Tensors& list, double weight) {
    Tensor total;
    for (const Tensor& t : list) {
      const Tensor square = mul(cx, t.get(), t.get()), cube = mul(cx, square.get(), t.get());
      const Tensor part = scaled(cx, sum(cx, cube.get()).get(), weight);
      total = total ? add(cx, total.get(), part.get()) : scaled(cx, part.get(), 1);
    }
    return total;
  };
  const Tensor outputs = cubes(y, 1), inputs = cubes(leaves, 0.1);
  Tensors g = gradients(cx, add(cx, outputs.get(), inputs.get()), raw(leaves), TN_GRAD_CREATE);
  if (order == 2) g = gradients(cx, cubes(g, 1), raw(leaves));
  for (const Tensor& t : y) g.emplace_back(tn_tensor_retain(t.get()));
  return g;
}

}  // namespace

TEST_CASE("scan: random bodies give what their ops give one by one") {
  Session cx;
  tn_device_info info = tn_device_info_init();
  REQUIRE_OK(tn_device_get_info(tn_ctx_get_device(cx), &info));
  const uint32_t count = info.host_addressable ? 150 : 12;
  uint32_t compared = 0;
  for (uint32_t seed = 1; seed <= count; ++seed) {
    CAPTURE(seed);
    const Case c(seed * 7919);
    std::mt19937 random(seed);
    const auto tensor = [&](std::vector<int64_t> dims) {
      int64_t n = 1;
      for (const int64_t d : dims) n *= d;
      std::vector<float> values;
      for (int64_t i = 0; i < n; ++i)
        values.push_back(static_cast<float>(random() % 2001) / 1000 - 1);
      return cx.f32(values, dims);
    };
    const Variable v = variable(cx, "v", tensor({c.width}));
    const auto body = [&](const Raw& in) { return body_of(cx, c, v, in); };
    const int64_t width = c.symbolic ? TN_DIM_ANY : c.width;
    std::vector<Input> of_body, of_scan;
    Tensors arguments;
    for (uint32_t i = 0; i < c.carries + c.sequences + c.constants; ++i) {
      const bool sequence = i >= c.carries && i < c.carries + c.sequences;
      of_body.push_back({{width}, {"w"}});
      of_scan.push_back(sequence ? Input{{TN_DIM_ANY, c.width}, {"n", ""}} : Input{{c.width}});
      arguments.push_back(sequence ? tensor({c.length, c.width}) : tensor({c.width}));
    }
    if (c.length == 0 && c.stacked) continue;  // nothing to stack by hand
    const Program step = capture(cx, "step", of_body, body);
    const auto by_scan = [&](const Raw& in) {
      return scan(cx, step, c.carries, c.sequences, in, c.reverse, c.sequences ? -1 : c.length);
    };
    const auto by_ops = [&](const Raw& in) { return unrolled(cx, c, body, in); };
    for (const int order : {1, 2}) {
      CAPTURE(order);
      const auto want = read(cx, derive(cx, by_ops, v, order, raw(arguments)));
      bool large = false;
      for (const auto& values : want)
        for (const float f : values) large = large || !(std::fabs(f) < 1e4f);
      if (large) continue;
      check_close(read(cx, derive(cx, by_scan, v, order, raw(arguments))), want, 2e-4);
      const Program whole = capture(
          cx, "whole", of_scan, [&](const Raw& in) { return derive(cx, by_scan, v, order, in); });
      run(cx, whole, raw(arguments));
      check_close(read(cx, run(cx, whole, raw(arguments))), want, 2e-4);
      ++compared;
    }
  }
  CHECK(compared > count);
}

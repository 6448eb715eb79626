// Codes of regions: what is refused, whatever is damaged, and what the passes make of reductions on the device that TENON_DEVICE names.
#include <tenon/plugin/region.h>

#include <cstring>
#include <random>

#include "prepared.hpp"

using namespace tenon::test;

namespace {

using Code = std::vector<int64_t>;

int64_t word(tn_op op, tn_dtype dtype) {
  return static_cast<int64_t>(op | static_cast<uint64_t>(dtype) << 32);
}

// relu(x * y), and over axis 1 its sum and the greatest of the product.
Code sample() {
  const tn_dtype f = TN_DTYPE_F32;
  return {TN_REGION_VERSION_FOLDS,
          3,
          3,
          4,
          5,
          word(TN_OP_MUL, f),
          0,
          1,
          -1,
          word(TN_OP_RELU, f),
          2,
          -1,
          -1,
          word(TN_OP_SUM, f),
          3,
          2,
          0,
          word(TN_OP_MAX, f),
          2,
          2,
          1};
}

bool reads(const Code& code, uint32_t inputs, tn_region_code* out) {
  // A copy of just that size, for sanitizers to see what is read behind it.
  const std::unique_ptr<int64_t[]> exact(new int64_t[code.size()]);
  std::copy(code.begin(), code.end(), exact.get());
  if (!tn_region_read(exact.get(), code.size(), inputs, out)) return false;
  out->outputs = code.data() + 2;
  out->instructions = code.data() + 2 + code[1];
  return true;
}

// Whether the description in the header holds of what was read, in other words than the reader's.
bool holds(const Code& code, const tn_region_code& r) {
  const int64_t inputs = r.n_inputs;
  std::vector<bool> folded(r.n_inputs, false);
  bool all = code[0] == 1 || code[0] == 2;
  for (uint32_t k = 0; k < r.n_instructions; ++k) {
    const tn_region_instruction x = tn_region_at(&r, k);
    const auto is_value = [&](int64_t v) {
      return v >= 0 && v < inputs + k && !folded[static_cast<size_t>(v)];
    };
    const bool folds = x.op == TN_OP_SUM || x.op == TN_OP_PROD || x.op == TN_OP_MEAN ||
                       x.op == TN_OP_MAX || x.op == TN_OP_MIN;
    uint32_t operands = 0;
    if (folds) {
      all = all && code[0] == 2 && is_value(x.args[0]) && x.args[1] == r.axes && r.axes > 0 &&
            r.axes < 256 && (x.args[2] == 0 || x.args[2] == 1);
    } else if (x.op != TN_REGION_CONSTANT) {
      all = all && tn_region_class_of(x.op, &operands) != TN_REGION_NONE;
      for (uint32_t a = 0; a < 3; ++a)
        all = all && (a < operands ? is_value(x.args[a]) : x.args[a] == -1);
    }
    folded.push_back(folds);
  }
  for (uint32_t o = 0; o < r.n_outputs; ++o)
    all = all && r.outputs[o] >= inputs && r.outputs[o] < inputs + r.n_instructions;
  return all;
}

std::vector<Tensor> region(tn_ctx* cx, const Code& code, const Inputs& in, tn_code* status) {
  std::vector<tn_tensor*> raw, out(16);
  for (const Tensor* t : in) raw.push_back(t->get());
  const tn_attr a = tn_attr_i64s(TN_REGION_CODE, code.data(), code.size());
  uint32_t n = 0;
  const Outcome made(tn_op_call(cx, TN_OP_REGION, raw.data(), static_cast<uint32_t>(raw.size()), &a,
                                1, out.data(), 16, &n));
  *status = made.code;
  std::vector<Tensor> results;
  for (uint32_t k = 0; made.code == TN_OK && k < n; ++k) results.emplace_back(out[k]);
  return results;
}

}  // namespace

TEST_CASE("region: damaged codes are refused, or are what the header says") {
  Session s;
  const Tensor x = s.f32(ramp(6), {2, 3}), y = s.f32(ramp(3), {3});
  std::mt19937_64 random(5);
  const auto below = [&](size_t n) { return static_cast<size_t>(random() % n); };
  static constexpr int64_t kWords[] = {
      -2, -1, 0, 1, 2, 3, 4, 5, 6, 255, 256, 257, INT64_MAX, INT64_MIN, int64_t{1} << 32};
  size_t refused = 0, taken = 0, ran = 0;
  for (int turn = 0; turn < 4000; ++turn) {
    Code code = sample();
    for (size_t k = 1 + below(3); k-- > 0;) {
      const size_t at = below(code.size());
      switch (below(6)) {
        case 0:
          code.erase(code.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        case 1:
          code.insert(code.begin() + static_cast<std::ptrdiff_t>(at), code[below(code.size())]);
          break;
        case 2:
          code[at] ^= int64_t{1} << below(40);
          break;
        case 3:
          code[at] = code[below(code.size())];
          break;
        default:
          code[at] = kWords[below(std::size(kWords))];
      }
    }
    tn_region_code r;
    if (!reads(code, 2, &r)) {
      ++refused;
    } else {
      ++taken;
      CAPTURE(turn);
      CHECK(holds(code, r));
    }
    if (turn % 8) continue;
    tn_code status = TN_OK;
    for (const Tensor& t : region(s, code, {&x, &y}, &status)) CHECK(tn_tensor_count(t.get()) <= 6);
    const bool fine = status == TN_OK || status == TN_INVALID_ARGUMENT;
    CHECK(fine);
    ran += status == TN_OK;
  }
  CHECK(refused > 1000);
  CHECK(taken > 100);
  CHECK(ran > 10);
}

TEST_CASE("region: each part of a reduction that is wrong is refused") {
  tn_region_code r;
  REQUIRE(reads(sample(), 2, &r));
  CHECK(r.axes == 2);
  const auto with = [](size_t at, int64_t value) {
    Code code = sample();
    code[at] = value;
    return code;
  };
  for (const Code& bad :
       {with(0, 1), with(0, 3), with(14, -1), with(14, 4), with(14, 1000), with(15, 0), with(15, 1),
        with(15, -2), with(15, 256), with(16, 2), with(16, -1), with(18, 4), with(2, 6), with(2, 1),
        with(9, word(TN_OP_ARGMAX, TN_DTYPE_F32))})
    CHECK_FALSE(reads(bad, 2, &r));
  Code on_result = sample();  // an op on what a reduction gives
  on_result.insert(on_result.end(), {word(TN_OP_NEG, TN_DTYPE_F32), 4, -1, -1});
  CHECK_FALSE(reads(on_result, 2, &r));
  Code plain = sample();
  plain.resize(plain.size() - 8);
  plain[1] = 2, plain.erase(plain.begin() + 4);
  plain[2] = 2, plain[3] = 3;
  CHECK(reads(plain, 2, &r));
  CHECK(r.axes == 0);
  plain[0] = TN_REGION_VERSION;
  CHECK(reads(plain, 2, &r));
}

namespace {

// Whether the device has kernels for regions at all.
bool forms_regions(tn_ctx* cx) {
  const Program p = capture(cx, {4, 6}, [&](const Tensor& x) {
    const Tensor y = call(cx, TN_OP_MUL, {&x, &x});
    return call(cx, TN_OP_ABS, {&y});
  });
  const std::vector<float> none(24);
  const Tensor x = get([&](tn_tensor** o) {
    const int64_t dims[] = {4, 6};
    return tn_tensor_from_f32(cx, none.data(), 2, dims, o);
  });
  run(cx, p, x);
  return has(p, "region");
}

Tensor fold(tn_ctx* cx, tn_op op, const Tensor& x, const Dims& axes, bool keeps) {
  return call(
      cx, op, {&x},
      {tn_attr_i64s(TN_SUM_AXES, axes.data(), axes.size()), tn_attr_bool(TN_SUM_KEEPDIMS, keeps)});
}

// A chain of x, of which the last value is folded.
Tensor chain(tn_ctx* cx, const Tensor& x) {
  const Tensor half = number(cx, 0.37), y = call(cx, TN_OP_MUL, {&x, &half});
  const Tensor z = call(cx, TN_OP_ADD, {&y, &x}), w = call(cx, TN_OP_TANH, {&z});
  return call(cx, TN_OP_MUL, {&w, &y});
}

}  // namespace

TEST_CASE("region: reductions of what is computed join, and give the bits of the calls") {
  Session s;
  const bool regions = forms_regions(s);
  struct Case {
    Dims dims, axes;
  };
  for (const Case& c : std::vector<Case>{{{33, 70}, {1}},
                                         {{33, 70}, {0}},
                                         {{33, 70}, {}},
                                         {{300, 7}, {-1}},
                                         {{3, 5, 9}, {1}},
                                         {{3, 5, 9}, {0, 2}},
                                         {{1, 40, 1}, {1}},
                                         {{40, 1}, {1}},
                                         {{5000, 33}, {0}},
                                         {{2, 70001}, {1}},
                                         {{150003}, {}},
                                         {{260, 1000}, {0}},
                                         {{9, 5000}, {1}},
                                         {{2, 300, 600}, {1}},
                                         {{3, 4, 5000}, {0, 2}}})
    for (const tn_op op : {TN_OP_SUM, TN_OP_MAX, TN_OP_MEAN})
      for (const bool keeps : {false, true}) {
        if (keeps && op != TN_OP_SUM) continue;
        CAPTURE(c.dims.size());
        CAPTURE(c.dims.back());
        CAPTURE(op);
        const auto body = [&](const Tensor& x) { return fold(s, op, chain(s, x), c.axes, keeps); };
        const Program p = capture(s, c.dims, body);
        size_t n = 1;
        for (const int64_t d : c.dims) n *= static_cast<size_t>(d);
        const Tensor x = s.f32(ramp(n), c.dims);
        CHECK(s.read(run(s, p, x)) == s.read(body(x)));
        if (regions) CHECK(names(p) == std::vector<std::string>{"region"});
      }
}

TEST_CASE("region: the bits of reductions do not depend on the number of threads") {
  const auto all = [](int32_t threads, const Dims& dims, const Dims& axes) {
    tn_runtime_desc desc = tn_runtime_desc_init();
    desc.thread_count = threads;
    tn_runtime* rt = nullptr;
    REQUIRE_OK(tn_runtime_create(&desc, &rt));
    Session s(rt);
    const Program p = capture(
        s, dims, [&](const Tensor& x) { return fold(s, TN_OP_SUM, chain(s, x), axes, false); });
    size_t n = 1;
    for (const int64_t d : dims) n *= static_cast<size_t>(d);
    return s.read(run(s, p, s.f32(ramp(n), dims)));
  };
  for (const auto& [dims, axes] : std::vector<std::pair<Dims, Dims>>{
           {{4096, 70}, {0}}, {{300, 1000}, {0}}, {{300, 1000}, {1}}, {{3, 200001}, {1}}})
    for (const int32_t threads : {2, 7}) CHECK(all(threads, dims, axes) == all(1, dims, axes));
}

TEST_CASE("region: what a reduction gives is used behind it, and its operand beside it") {
  Session s;
  const bool regions = forms_regions(s);
  const auto softmax = [&](const Tensor& x) {
    const Tensor e = call(s, TN_OP_EXP, {&x}), all = fold(s, TN_OP_SUM, e, {1}, true);
    const Tensor y = call(s, TN_OP_DIV, {&e, &all}), low = fold(s, TN_OP_MIN, y, {0}, false);
    const Tensor high = fold(s, TN_OP_MAX, y, {0}, false);
    const Tensor both = call(s, TN_OP_SUB, {&high, &low});
    return call(s, TN_OP_ADD, {&y, &both});
  };
  const Program p = capture(s, {20, 150}, softmax);
  const Tensor x = s.f32(ramp(3000), {20, 150});
  CHECK(s.read(run(s, p, x)) == s.read(softmax(x)));
  if (regions) CHECK_FALSE(has(p, "sum"));
  if (regions) CHECK_FALSE(has(p, "min"));
}

TEST_CASE("region: over several axes, over axes that lie apart, and of what is only given") {
  Session s;
  const auto ways = [&](const Tensor& x) {
    const Tensor y = chain(s, x);
    const Tensor a = fold(s, TN_OP_SUM, y, {0, 2}, true), b = fold(s, TN_OP_SUM, y, {1, 3}, true);
    const Tensor c = fold(s, TN_OP_SUM, y, {3}, true), d = fold(s, TN_OP_MAX, x, {2}, true);
    const Tensor ab = call(s, TN_OP_ADD, {&a, &b}), cd = call(s, TN_OP_ADD, {&c, &d});
    return call(s, TN_OP_MUL, {&ab, &cd});
  };
  const Program p = capture(s, {2, 3, 4, 5}, ways);
  const Tensor x = s.f32(ramp(120), {2, 3, 4, 5});
  CHECK(s.read(run(s, p, x)) == s.read(ways(x)));
}

TEST_CASE("region: no elements, sums of bool and of integers") {
  Session s;
  const auto counts = [&](const Tensor& x) {
    const Tensor zero = number(s, 0), above = call(s, TN_OP_GT, {&x, &zero});
    const Tensor n = fold(s, TN_OP_SUM, above, {0}, false);
    return call(s, TN_OP_CAST, {&n}, {tn_attr_dtype(TN_CAST_DTYPE, TN_DTYPE_F32)});
  };
  for (const int64_t rows : {0, 1, 77}) {
    const Program p = capture(s, {rows, 5}, counts);
    const Tensor x = s.f32(ramp(static_cast<size_t>(rows) * 5), {rows, 5});
    CHECK(s.read(run(s, p, x)) == s.read(counts(x)));
  }
}

// Of tanh the backward pass reads what tanh gave: the forward pass does not compute 1 - y * y beside it.
TEST_CASE("regions: what only a later one reads is computed there") {
  Session s;
  const Tensor x = s.f32(ramp(32 * 32), {32, 32}), w = s.f32(ramp(32 * 32), {32, 32});
  const auto body = [&](const Tensor& in) {
    const Tensor leaf = get([&](tn_tensor** o) { return tn_tensor_leaf(s, in.get(), o); });
    Tensor y = call(s, TN_OP_TANH, {&leaf});
    for (int i = 0; i < 6; ++i) {
      const Tensor h = call(s, TN_OP_MATMUL, {&y, &w});
      y = call(s, TN_OP_TANH, {&h});
    }
    const Tensor loss = call(s, TN_OP_SUM, {&y});
    tn_tensor *of = loss.get(), *by = leaf.get(), *grad = nullptr;
    REQUIRE_OK(tn_vjp(s, &of, nullptr, 1, &by, 1, 0, &grad));
    return Tensor(grad);
  };
  const Program p = capture(s, {32, 32}, body);
  const std::vector<float> want = s.read(body(x)), got = s.read(run(s, p, x));
  CHECK(std::memcmp(want.data(), got.data(), want.size() * sizeof(float)) == 0);
  size_t several = 0;
  for (const tenon::GraphNode& n : last_of(p).graph.nodes) several += n.outputs.size() > 1;
  CHECK(several <= 1);  // that of the last, with the sum
}

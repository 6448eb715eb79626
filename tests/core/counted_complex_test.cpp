// Ops whose sizes depend on the data, gradients between real and complex tensors, and what einsum
// says of an equation.
#include <utility>

#include "fixture.hpp"

using namespace tenon::test;

namespace {

template <class T>
std::vector<T> elements(const Session& cx, const Tensor& t) {
  std::vector<T> out(static_cast<size_t>(tn_tensor_count(t.get())));
  REQUIRE_OK(tn_tensor_read(cx, t.get(), out.data(), out.size() * sizeof(T)));
  return out;
}
std::vector<int64_t> dims_of(const Tensor& t) {
  const int64_t* d = tn_tensor_dims(t.get());
  return {d, d + tn_tensor_rank(t.get())};
}

// indices and count.
std::pair<Tensor, int64_t> nonzero(const Session& cx, const Tensor& x, int64_t max_size) {
  tn_nonzero_options options = tn_nonzero_options_init();
  options.max_size = max_size;
  tn_tensor *indices = nullptr, *count = nullptr;
  REQUIRE_OK(tn_nonzero(cx, x.get(), &options, &indices, &count));
  Tensor first(indices);
  return {std::move(first), elements<int64_t>(cx, Tensor(count)).at(0)};
}

std::vector<float> gradient(const Session& cx, const Tensor& y, const Tensor& x) {
  tn_tensor *of = y.get(), *by = x.get(), *g = nullptr;
  REQUIRE_OK(tn_vjp(cx, &of, nullptr, 1, &by, 1, 0, &g));
  return elements<float>(cx, Tensor(g));
}

}  // namespace

TEST_CASE("counted: a call gives what is real, with max_size what was asked for") {
  Session cx;
  const Tensor x = cx.f32({0, 3, 0, 4, 0}, {5});
  const auto check = [&](int64_t max_size, const std::vector<int64_t>& expected) {
    CAPTURE(max_size);
    const auto [indices, count] = nonzero(cx, x, max_size);
    CHECK(dims_of(indices) == std::vector<int64_t>{1, static_cast<int64_t>(expected.size())});
    CHECK(elements<int64_t>(cx, indices) == expected);
    CHECK(count == 2);
  };
  check(-1, {1, 3});
  check(3, {1, 3, 0});
  check(1, {1});
}

TEST_CASE("counted: a capture has as many places as were asked for, and wants that said") {
  Session cx;
  REQUIRE_OK(tn_capture_begin(cx, tn_string("places")));
  const int64_t any[] = {TN_DIM_ANY};
  const tn_str symbol[] = {tn_string("n")};
  const Tensor x = get([&](tn_tensor** o) {
    return tn_capture_input(cx, tn_string("x"), TN_DTYPE_F32, 1, any, symbol, o);
  });
  tn_tensor *in = x.get(), *out[2] = {};
  uint32_t n = 0;
  CHECK_FAILS(tn_op_call(cx, TN_OP_NONZERO, &in, 1, nullptr, 0, out, 2, &n), TN_FAILED_PRECONDITION,
              "nonzero: a capture has no elements to count; give max_size");
  tn_nonzero_options options = tn_nonzero_options_init();
  options.max_size = 3;
  REQUIRE_OK(tn_nonzero(cx, x.get(), &options, &out[0], &out[1]));
  const Tensor indices(out[0]), count(out[1]);
  CHECK(dims_of(indices) == std::vector<int64_t>{1, 3});
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(cx, out, 2, &p));
  for (const bool many : {false, true}) {
    const Tensor given = many ? cx.f32({0, 1, 2, 0, 3, 4}, {6}) : cx.f32({0, 5, 0}, {3});
    tn_tensor *from = given.get(), *to[2] = {};
    REQUIRE_OK(tn_program_run(cx, p, &from, 1, to, 2, &n));
    CHECK(elements<int64_t>(cx, Tensor(to[0])) ==
          (many ? std::vector<int64_t>{1, 2, 4} : std::vector<int64_t>{1, 0, 0}));
    CHECK(elements<int64_t>(cx, Tensor(to[1])) == std::vector<int64_t>{many ? 4 : 1});
  }
  tn_program_release(p);
}

TEST_CASE("counted: too little room for the outputs is an error") {
  Session cx;
  const Tensor x = cx.f32({0, 3}, {2});
  tn_tensor *in = x.get(), *out[5] = {};
  uint32_t n = 7;
  for (const uint32_t room : {0u, 1u})
    CHECK_FAILS(tn_op_call(cx, TN_OP_NONZERO, &in, 1, nullptr, 0, out, room, &n),
                TN_INVALID_ARGUMENT, "room for");
  CHECK(out[0] == nullptr);
  CHECK(n == 7);
}

TEST_CASE("complex: a real input gets a real gradient") {
  Session cx;
  const Tensor x = cx.leaf(cx.f32({2}, {})), re = cx.f32({3}, {}), im = cx.f32({5}, {});
  const Tensor z = get([&](auto out) { return tn_complex(cx, re.get(), im.get(), out); });
  const Tensor y = get([&](auto out) { return tn_mul(cx, z.get(), x.get(), out); });
  const Tensor real = get([&](auto out) { return tn_real(cx, y.get(), out); });
  CHECK(gradient(cx, real, x) == std::vector<float>{3});

  const Tensor turned = get([&](auto out) { return tn_mul(cx, z.get(), x.get(), out); });
  const Tensor imag = get([&](auto out) { return tn_imag(cx, turned.get(), out); });
  CHECK(gradient(cx, imag, x) == std::vector<float>{5});

  const Tensor cast = get([&](auto out) { return tn_cast(cx, x.get(), TN_DTYPE_C64, out); });
  const Tensor squared = get([&](auto out) { return tn_mul(cx, cast.get(), cast.get(), out); });
  const Tensor part = get([&](auto out) { return tn_real(cx, squared.get(), out); });
  CHECK(gradient(cx, part, x) == std::vector<float>{4});
}

TEST_CASE("einsum: an error names the place in the equation") {
  Session cx;
  const Tensor x = cx.f32({1, 2, 3, 4, 5, 6}, {2, 3});
  const auto fails = [&](const char* equation, const char* text) {
    CAPTURE(equation);
    tn_tensor *in[] = {x.get(), x.get()}, *out = nullptr;
    CHECK_FAILS(tn_einsum(cx, in, 2, tn_string(equation), &out), TN_INVALID_ARGUMENT, text);
  };
  fails("ij,jk", "'j' is 2 along axis 0 of operand 1, f32[2, 3], and 3 before");
  fails("ij,i?", "at 4: '?' has no meaning here");
  fails("ij,kl->iq", "at 7: 'q' stands in no operand");
  fails("ij,ijk", "at 3: 3 labels for operand 1, which has rank 2");
  fails("ij", "it names 1 operands, 2 are given");
  fails("i...,j...->ij", "at 11: the result needs '...'");
}

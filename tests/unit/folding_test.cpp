// Constant folding in whole programs: what is kept, what is not, and for how long. On the device that TENON_DEVICE names.
#include "prepared.hpp"

using namespace tenon::test;

namespace {

// x behind a causal mask, plus sines of positions.
Tensor masked(tn_ctx* cx, const Tensor& x, int64_t rows, int64_t columns) {
  const Tensor row = iota(cx, {rows, 1}, 0, TN_DTYPE_I64);
  const Tensor column = iota(cx, {1, columns}, 1, TN_DTYPE_I64);
  const Tensor keep = call(cx, TN_OP_LE, {&column, &row});
  const Tensor low = number(cx, -1e9), step = number(cx, 0.01);
  const Tensor y = call(cx, TN_OP_WHERE, {&keep, &x, &low});
  const Tensor at = iota(cx, {1, columns}, 1, TN_DTYPE_F32);
  const Tensor angle = call(cx, TN_OP_MUL, {&at, &step});
  const Tensor sines = call(cx, TN_OP_SIN, {&angle});
  return call(cx, TN_OP_ADD, {&y, &sines});
}

}  // namespace

TEST_CASE("folding: masks and tables of positions are computed once for each set of sizes") {
  Session s;
  const Program p = capture(s, {TN_DIM_ANY, TN_DIM_ANY}, [&](const Tensor& x) {
    return masked(s, x, tn_tensor_dims(x.get())[0], tn_tensor_dims(x.get())[1]);
  });
  for (const int64_t rows : {5, 9}) {
    const Tensor x = s.f32(ramp(static_cast<size_t>(rows * 17)), {rows, 17});
    const Tensor want = masked(s, x, rows, 17);
    for (int turn = 0; turn < 2; ++turn) CHECK(s.read(run(s, p, x)) == s.read(want));
    CHECK(kept(p) == 2);
    for (const char* gone : {"iota", "le", "sin", "cast"}) CHECK_FALSE(has(p, gone));
  }
}

TEST_CASE("folding: a tensor of one number is that number, and costs no memory") {
  Session s;
  const auto body = [&](const Tensor& x) {
    const Tensor two = number(s, 2), three = number(s, 3.25);
    const Tensor scalar = call(s, TN_OP_MUL, {&two, &three});  // 6.5
    const Tensor ones = full(s, 0.3, {4, 1});
    const Tensor root = call(s, TN_OP_SQRT, {&ones});
    const Tensor sum = call(s, TN_OP_ADD, {&root, &scalar});
    const int64_t wide[] = {4, 6};
    const Tensor all = call(s, TN_OP_EXPAND, {&sum}, {tn_attr_i64s(TN_EXPAND_DIMS, wide, 2)});
    return call(s, TN_OP_SUB, {&x, &all});
  };
  const Program p = capture(s, {4, 6}, body);
  const Tensor x = s.f32(ramp(24), {4, 6});
  const Tensor want = body(x);
  CHECK(s.read(run(s, p, x)) == s.read(want));
  CHECK(kept(p) == 0);
  CHECK(names(p) == std::vector<std::string>{"sub"});
}

TEST_CASE("folding: complex numbers of 16 bytes keep both parts") {
  Session s;
  const auto body = [&](const Tensor& x) {
    const Tensor value = number(s, -4);
    const int64_t dims[] = {3};
    const Tensor all =
        call(s, TN_OP_FILL, {&value},
             {tn_attr_i64s(TN_FILL_DIMS, dims, 1), tn_attr_dtype(TN_FILL_DTYPE, TN_DTYPE_C128)});
    const Tensor root = call(s, TN_OP_SQRT, {&all});  // 2i
    const Tensor wide = call(s, TN_OP_CAST, {&x}, {tn_attr_dtype(TN_CAST_DTYPE, TN_DTYPE_C128)});
    const Tensor sum = call(s, TN_OP_ADD, {&wide, &root});
    const Tensor imag = call(s, TN_OP_IMAG, {&sum});
    return call(s, TN_OP_CAST, {&imag}, {tn_attr_dtype(TN_CAST_DTYPE, TN_DTYPE_F32)});
  };
  const Program p = capture(s, {3}, body);
  CHECK(s.read(run(s, p, s.f32(ramp(3), {3}))) == std::vector<float>{2, 2, 2});
}

TEST_CASE("folding: what gives a result, draws or is too large stays") {
  Session s;
  const Tensor x = s.f32(ramp(12), {3, 4});
  SUBCASE("a result has memory of its own in each run") {
    const Program p =
        capture(s, {3, 4}, [&](const Tensor&) { return iota(s, {5}, 0, TN_DTYPE_F32); });
    const Tensor one = run(s, p, x), other = run(s, p, x);
    CHECK(one->buffer != other->buffer);
    CHECK(kept(p) == 0);
    CHECK(s.read(one) == std::vector<float>{0, 1, 2, 3, 4});
  }
  SUBCASE("random numbers are drawn anew") {
    const int64_t dims[] = {3, 4};
    const Program p = capture(s, {3, 4}, [&](const Tensor& in) {
      const Tensor u = call(s, TN_OP_UNIFORM, {}, {tn_attr_i64s(TN_UNIFORM_DIMS, dims, 2)});
      return call(s, TN_OP_ADD, {&in, &u});
    });
    CHECK(s.read(run(s, p, x)) != s.read(run(s, p, x)));
    CHECK(kept(p) == 0);
  }
  SUBCASE("of a table beyond the bound its parts are kept") {
    const auto body = [&](const Tensor& in) {
      const Tensor row = iota(s, {3000, 1}, 0, TN_DTYPE_F32);
      const Tensor column = iota(s, {1, 3000}, 1, TN_DTYPE_F32);
      const Tensor table = call(s, TN_OP_SUB, {&row, &column});  // 36 MB
      const Tensor top = call(s, TN_OP_MAX, {&table});
      const Tensor all = call(s, TN_OP_MATMUL, {&table, &table});
      const Tensor least = call(s, TN_OP_MIN, {&all});
      static_cast<void>(least);
      return call(s, TN_OP_ADD, {&in, &top});
    };
    const Program p = capture(s, {3, 4}, body);
    std::vector<float> want = ramp(12);
    for (float& v : want) v += 2999;
    CHECK(s.read(run(s, p, x)) == want);
    CHECK(kept(p) == 2);
    for (const tn_tensor* t : last_of(p).constants.made) CHECK(t->buffer->bytes < 100000);
  }
}

TEST_CASE("folding: what is kept goes with the program, and its failure is that of the run") {
  Session s;
  const auto used = [&] {
    tn_memory_stats stats = tn_memory_stats_init();
    REQUIRE_OK(tn_device_get_memory(s.ctx->device, &stats));
    return stats.live_bytes;
  };
  const auto trim = [&] { REQUIRE_OK(tn_device_trim(s.ctx->device)); };
  Program p = capture(s, {1, TN_DIM_ANY}, [&](const Tensor& x) {
    const Tensor at = iota(s, {2048, 1024}, 1, TN_DTYPE_F32);
    const Tensor table = call(s, TN_OP_SIN, {&at});  // 8 MiB
    const Tensor y = call(s, TN_OP_MUL, {&x, &table});
    return call(s, TN_OP_MEAN, {&y});
  });
  const Tensor x = s.f32(ramp(1024), {1, 1024});
  trim();
  const uint64_t before = used();
  REQUIRE_OK(tn_device_set_memory_limit(s.ctx->device, before + (6 << 20)));
  Tensor y;
  const Outcome none = try_run(s, p, x, &y);
  CHECK(none.code == TN_OUT_OF_MEMORY);
  CHECK(p->prepared.empty());
  REQUIRE_OK(tn_device_set_memory_limit(s.ctx->device, 0));
  const std::vector<float> first = s.read(run(s, p, x));
  CHECK(kept(p) == 1);
  CHECK(s.read(run(s, p, x)) == first);
  trim();
  const uint64_t with = used();
  CHECK(with >= before + (8 << 20));
  p.reset();
  tenon::settle(s.ctx.get());
  trim();
  CHECK(used() + (8 << 20) <= with);
}

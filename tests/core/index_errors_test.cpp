// An index outside its axis: the error names the op that was called, the input, the index as it was given and the axis of the tensor
// that was given, in the same words on every device, by a call and in a program.
#include "fixture.hpp"

using namespace tenon::test;

namespace {

struct Input {
  tn_dtype dtype;
  std::vector<int64_t> dims;
  std::vector<int64_t> values;  // of integers; floats are zeros
};
Input zeros(std::vector<int64_t> dims, tn_dtype dtype = TN_DTYPE_F32) {
  return {dtype, std::move(dims), {}};
}
Input i64(std::vector<int64_t> dims, std::vector<int64_t> values) {
  return {TN_DTYPE_I64, std::move(dims), std::move(values)};
}

struct Case {
  tn_op op;
  std::vector<Input> inputs;
  std::vector<tn_attr> attrs;
  std::string message;
};

Tensor made(tn_ctx* cx, const Input& in) {
  const auto rank = static_cast<uint32_t>(in.dims.size());
  return get([&](tn_tensor** out) {
    if (in.values.empty()) return tn_tensor_full(cx, in.dtype, 0, rank, in.dims.data(), out);
    return tn_tensor_from_host(cx, in.dtype, rank, in.dims.data(), in.values.data(),
                               in.values.size() * sizeof(int64_t), out);
  });
}

// The first error of the op or of reading what it gave; the context's queue is usable again afterwards.
template <class Run>
std::string message_of(tn_ctx* cx, const Run& run) {
  tn_tensor* out[4] = {};
  uint32_t n = 0;
  tn_error* e = run(out, &n);
  for (uint32_t i = 0; i < n; ++i) {
    const Tensor kept(out[i]);
    std::vector<char> bytes(tn_tensor_bytes(out[i]));
    if (!e) e = tn_tensor_read(cx, out[i], bytes.data(), bytes.size());
  }
  const Outcome found(e);
  CHECK_OK(tn_ctx_recover(cx));
  CHECK(found.code == TN_OUT_OF_RANGE);
  return found.message;
}

// symbolic: for every size but the last one of each input.
std::string message_of_program(tn_ctx* cx, const Case& c, const std::vector<tn_tensor*>& given,
                               bool symbolic) {
  REQUIRE_OK(tn_capture_begin(cx, tn_string("step")));
  std::vector<Tensor> held;
  std::vector<tn_tensor*> inputs;
  for (size_t i = 0; i < given.size(); ++i) {
    std::vector<int64_t> dims = c.inputs[i].dims;
    const std::string name = "input " + std::to_string(i);
    std::vector<std::string> names;
    for (const int64_t d : dims) names.push_back("n" + std::to_string(d));
    std::vector<tn_str> symbols;
    for (const std::string& s : names) symbols.push_back(tn_string(s.c_str()));
    for (size_t k = 0; symbolic && k + 1 < dims.size(); ++k) dims[k] = TN_DIM_ANY;
    held.push_back(get([&](tn_tensor** out) {
      return tn_capture_input(cx, tn_string(name.c_str()), c.inputs[i].dtype,
                              static_cast<uint32_t>(dims.size()), dims.data(), symbols.data(), out);
    }));
    inputs.push_back(held.back().get());
  }
  tn_tensor* out[4] = {};
  uint32_t n = 0;
  REQUIRE_OK(tn_op_call(cx, c.op, inputs.data(), static_cast<uint32_t>(inputs.size()),
                        c.attrs.data(), static_cast<uint32_t>(c.attrs.size()), out, 4, &n));
  tn_program* p = nullptr;
  REQUIRE_OK(tn_capture_end(cx, out, n, &p));
  for (uint32_t i = 0; i < n; ++i) tn_tensor_release(out[i]);
  const std::string message = message_of(cx, [&](tn_tensor** results, uint32_t* count) {
    return tn_program_run(cx, p, given.data(), static_cast<uint32_t>(given.size()), results, 4,
                          count);
  });
  tn_program_release(p);
  return message;
}

void check(tn_ctx* cx, const Case& c, bool symbolic = true) {
  CAPTURE(c.message);
  std::vector<Tensor> held;
  std::vector<tn_tensor*> inputs;
  for (const Input& in : c.inputs) {
    held.push_back(made(cx, in));
    inputs.push_back(held.back().get());
  }
  CHECK(message_of(cx, [&](tn_tensor** out, uint32_t* n) {
          return tn_op_call(cx, c.op, inputs.data(), static_cast<uint32_t>(inputs.size()),
                            c.attrs.data(), static_cast<uint32_t>(c.attrs.size()), out, 4, n);
        }) == c.message);
  CHECK(message_of_program(cx, c, inputs, symbolic) == c.message);
}

const std::string kAxis = ", outside an axis of ";

}  // namespace

TEST_CASE("index errors: along one axis") {
  Session cx;
  const std::string of_four = " has 7 at position 1" + kAxis + "4 elements: use -4 to 3";
  for (const int64_t width : {3, 0}) {
    const Input table = zeros({4, width}), at = i64({2}, {1, 7}), rows = zeros({2, width});
    check(cx, {TN_OP_EMBEDDING, {table, at}, {}, "embedding: indices" + of_four});
    check(cx, {TN_OP_GATHER, {table, at}, {}, "gather: indices" + of_four});
    check(cx, {TN_OP_SCATTER, {table, at, rows}, {}, "scatter: indices" + of_four});
    check(cx, {TN_OP_SCATTER_ADD, {table, at, rows}, {}, "scatter_add: indices" + of_four});
  }
  const Input huge = {TN_DTYPE_U64, {1}, {-1}};
  check(cx, {TN_OP_GATHER,
             {zeros({4, 3}), huge},
             {},
             "gather: indices has 18446744073709551615 at position 0" + kAxis +
                 "4 elements: use 0 to 3"});
}

TEST_CASE("index errors: several indices make one") {
  Session cx;
  const std::vector<tn_attr> axis{tn_attr_i64(TN_TAKE_ALONG_AXIS_AXIS, 1)};
  check(cx, {TN_OP_TAKE_ALONG_AXIS,
             {zeros({2, 3}), i64({2, 2}, {0, 2, -1, 9})},
             axis,
             "take_along_axis: indices has 9 at position 3" + kAxis + "3 elements: use -3 to 2"});
  check(cx,
        {TN_OP_TAKE_ALONG_AXIS,
         {zeros({2, 3}), i64({1, 1}, {-4})},
         axis,
         "take_along_axis: indices has -4 at position 0" + kAxis + "3 elements: use -3 to 2"},
        false);
  check(cx, {TN_OP_GATHER_ND,
             {zeros({3, 4}), i64({2, 2}, {0, 1, 2, 9})},
             {},
             "gather_nd: indices[..., 1] has 9 at position 1" + kAxis + "4 elements: use -4 to 3"});
  check(cx,
        {TN_OP_SCATTER_ND,
         {zeros({3, 4}), i64({1, 2}, {-4, 1}), zeros({1})},
         {},
         "scatter_nd: indices[..., 0] has -4 at position 0" + kAxis + "3 elements: use -3 to 2"});
  check(cx, {TN_OP_CHECKED_INDEX,
             {i64({2}, {0, 5})},
             {tn_attr_i64(TN_CHECKED_INDEX_SIZE, 5),
              tn_attr_string(TN_CHECKED_INDEX_WHAT, tn_string("checked_index: at"))},
             "checked_index: at has 5 at position 1" + kAxis + "5 elements: use -5 to 4"});
}

TEST_CASE("index errors: labels and lengths") {
  Session cx;
  for (const tn_dtype dtype : {TN_DTYPE_F32, TN_DTYPE_BF16}) {
    for (const int64_t label : {3, -1}) {
      const Input logits = zeros({2, 3}, dtype), at = i64({2}, {2, label});
      const std::string text =
          ": labels has " + std::to_string(label) + " at position 1: use 0 to 2";
      check(cx, {TN_OP_CROSS_ENTROPY, {logits, at}, {}, "cross_entropy" + text});
      check(cx, {TN_OP_NLL, {logits, at}, {}, "nll" + text});
    }
  }
  const auto ctc = [](int64_t label, int64_t length, int64_t label_length) {
    return std::vector<Input>{zeros({4, 1, 3}), i64({1, 2}, {1, label}), i64({1}, {length}),
                              i64({1}, {label_length})};
  };
  // Its steps are unrolled, so that their number is part of a program.
  const auto call = [&](const std::vector<Input>& inputs, const char* message) {
    check(cx, {TN_OP_CTC, inputs, {}, message}, false);
  };
  call(ctc(7, 4, 2), "ctc: labels has 7 at position 1: use 0 to 2");
  call(ctc(2, 5, 2), "ctc: input_lengths has 5 at position 0: use 0 to 4");
  call(ctc(2, 4, 3), "ctc: label_lengths has 3 at position 0: use 0 to 2");
  const Input x = zeros({3, 2, 4}), h = zeros({1, 2, 5}), late = i64({2}, {3, 4});
  const auto recurrent = [&](tn_op op, int64_t gates, const std::string& name) {
    check(cx,
          {op,
           {x, zeros({1, gates * 5, 4}), zeros({1, gates * 5, 5}), zeros({1, gates * 10}), late, h},
           {},
           name + ": lengths has 4 at position 1: use 0 to 3"},
          false);
  };
  recurrent(TN_OP_RNN, 1, "rnn");
  recurrent(TN_OP_GRU, 3, "gru");
  recurrent(TN_OP_LSTM, 4, "lstm");
}

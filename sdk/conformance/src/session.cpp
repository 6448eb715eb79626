#include "session.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace tenon::conformance {

void check(tn_error* error) {
  if (error == nullptr) return;
  std::string text = tn_code_name(tn_error_code(error));
  text += ": ";
  text += tn_error_message(error);
  const Fault fault(tn_error_code(error), text);
  tn_error_release(error);
  throw fault;
}

std::vector<tn_tensor*> pointers(const std::vector<Tensor>& tensors) {
  std::vector<tn_tensor*> out;
  for (const Tensor& t : tensors) out.push_back(t.get());
  return out;
}

const char* name_of(Layout layout) {
  switch (layout) {
    case Layout::contiguous:
      return "contiguous";
    case Layout::offset:
      return "offset";
    case Layout::strided:
      return "strided";
    case Layout::flipped:
      return "flipped";
    case Layout::outer:
      return "broadcast_outer";
    case Layout::inner:
      return "broadcast_inner";
    case Layout::mixed:
      return "mixed";
  }
  return "?";
}

bool repeats(Layout layout) { return layout == Layout::outer || layout == Layout::inner; }

bool repeated_axis(Layout layout, const Dims& dims, size_t* out_axis) {
  bool found = false;
  for (size_t k = 0; k < dims.size() && repeats(layout); ++k)
    if (dims[k] > 1 && (!found || layout == Layout::inner)) {
      *out_axis = k;
      found = true;
    }
  return found;
}

Array collapsed(const Array& x, Layout layout) {
  size_t axis = 0;
  if (x.absent || x.weak || !repeated_axis(layout, x.dims, &axis)) return x;
  Dims dims = x.dims;
  dims[axis] = 1;
  Array y(x.dtype, dims);
  const Dims strides = strides_of(x.dims);
  int64_t at = 0;
  for_each(dims, [&](const Dims& index) { y.copy_from(at++, x, offset_of(index, strides)); });
  return y;
}

Array seen(const Array& x, Layout layout) {
  size_t axis = 0;
  if (x.absent || x.weak || !repeated_axis(layout, x.dims, &axis)) return x;
  return broadcast(collapsed(x, layout), x.dims);
}

Session::Session(tn_runtime* runtime, const std::string& device) : device_(device) {
  check(tn_ctx_create(runtime, tn_str{device.data(), device.size()}, &ctx_));
  tn_ctx_set_grad_mode(ctx_, 0);
}

Session::~Session() { tn_ctx_release(ctx_); }

Tensor Session::upload(const Array& x) {
  const std::vector<unsigned char> data = encode(x);
  tn_tensor* t = nullptr;
  check(tn_tensor_from_host(ctx_, x.dtype, static_cast<uint32_t>(x.rank()), x.dims.data(),
                            data.data(), data.size(), &t));
  return Tensor(t);
}

Tensor Session::scalar(const Array& x) {
  tn_tensor* t = nullptr;
  if (x.floating())
    check(tn_tensor_scalar_f64(ctx_, x.real(0), &t));
  else if (x.dtype == TN_DTYPE_BOOL)
    check(tn_tensor_scalar_bool(ctx_, static_cast<int32_t>(x.integer(0)), &t));
  else
    check(tn_tensor_scalar_i64(ctx_, x.integer(0), &t));
  return Tensor(t);
}

Arranged Session::view(const Array& block, const std::vector<std::pair<tn_op, Attrs>>& steps) {
  Arranged out;
  out.base = upload(block);
  tn_tensor* from = out.base.get();
  for (const auto& [op, attrs] : steps) {
    out.tensor = std::move(call(op, {from}, attrs).at(0));
    from = out.tensor.get();
  }
  return out;
}

namespace {

// Elements that no op may look at.
Array filler(tn_dtype dtype, const Dims& dims) {
  Array block(dtype, dims);
  for (int64_t k = 0; k < block.numbers(); ++k) {
    if (block.floating())
      block.set(k, std::nan(""));
    else
      block.set(k, int64_t{77});
  }
  return block;
}

struct Plan {
  Array block;
  std::vector<std::pair<tn_op, Attrs>> steps;
};

Plan dense_with_offset(const Array& x) {
  constexpr int64_t kLead = 3;
  Array block = filler(x.dtype, {x.count() + kLead});
  for (int64_t k = 0; k < x.count(); ++k) block.copy_from(k + kLead, x, k);
  return {block,
          {{TN_OP_SLICE,
            Attrs({list(TN_SLICE_STARTS, {kLead}), list(TN_SLICE_STOPS, {kLead + x.count()})})},
           {TN_OP_RESHAPE, Attrs({list(TN_RESHAPE_DIMS, x.dims)})}}};
}

// The block has the axes in reverse order, every second element along the last, one more in front.
Plan strided(const Array& x) {
  std::vector<size_t> perm;
  Dims order, dims, starts, stops, steps;
  for (size_t k = x.rank(); k-- > 0;) {
    perm.push_back(k);
    order.push_back(static_cast<int64_t>(k));
    const int64_t step = k == 0 ? 2 : 1, n = x.dims[k];
    dims.push_back(n * step + 1);
    starts.push_back(1);
    steps.push_back(step);
    stops.push_back(n == 0 ? 1 : 1 + (n - 1) * step + 1);
  }
  Array block = filler(x.dtype, dims);
  const Array turned = transposed(x, perm);
  const Dims strides = strides_of(dims);
  int64_t from = 0;
  for_each(turned.dims, [&](Dims index) {
    for (size_t k = 0; k < index.size(); ++k) index[k] = starts[k] + index[k] * steps[k];
    block.copy_from(offset_of(index, strides), turned, from++);
  });
  return {block,
          {{TN_OP_SLICE, Attrs({list(TN_SLICE_STARTS, starts), list(TN_SLICE_STOPS, stops),
                                list(TN_SLICE_STEPS, steps)})},
           {TN_OP_TRANSPOSE, Attrs({list(TN_TRANSPOSE_PERM, order)})}}};
}

Plan flipped(const Array& x) {
  Array block(x.dtype, x.dims);
  const Dims strides = strides_of(x.dims);
  Dims axes;
  for (size_t k = 0; k < x.rank(); ++k) axes.push_back(static_cast<int64_t>(k));
  int64_t from = 0;
  for_each(x.dims, [&](Dims index) {
    for (size_t k = 0; k < index.size(); ++k) index[k] = x.dims[k] - 1 - index[k];
    block.copy_from(offset_of(index, strides), x, from++);
  });
  return {block, {{TN_OP_FLIP, Attrs({list(TN_FLIP_AXES, axes)})}}};
}

}  // namespace

Arranged Session::arrange(const Array& x, Layout layout, size_t index) {
  Arranged out;
  if (x.absent) return out;
  if (x.weak) {
    out.tensor = scalar(x);
    return out;
  }
  size_t axis = 0;
  const bool as_strided = layout == Layout::strided || (layout == Layout::mixed && index == 0);
  Plan plan;
  if (layout == Layout::offset || (as_strided && x.rank() == 0))
    plan = dense_with_offset(x);
  else if (as_strided)
    plan = strided(x);
  else if (layout == Layout::flipped && x.rank() > 0)
    plan = flipped(x);
  else if (repeated_axis(layout, x.dims, &axis))
    plan = {collapsed(x, layout), {{TN_OP_EXPAND, Attrs({list(TN_EXPAND_DIMS, x.dims)})}}};
  else {
    out.tensor = upload(x);
    return out;
  }
  return view(plan.block, plan.steps);
}

std::vector<unsigned char> Session::bytes(tn_tensor* t) {
  std::vector<unsigned char> data(tn_tensor_bytes(t));
  check(tn_tensor_read(ctx_, t, data.data(), data.size()));
  return data;
}

Array Session::read(tn_tensor* t) {
  const int64_t* dims = tn_tensor_dims(t);
  const Dims shape(dims, dims + tn_tensor_rank(t));
  const tn_dtype dtype = tn_tensor_dtype(t);
  const std::vector<unsigned char> data = bytes(t);
  if (data.size() != tn_dtype_bytes(dtype, static_cast<uint64_t>(count_of(shape))))
    throw Fault(TN_INTERNAL, "tn_tensor_bytes does not fit dtype and dims");
  return decode(dtype, shape, data);
}

std::vector<Tensor> Session::call(tn_op op, const std::vector<tn_tensor*>& inputs,
                                  const Attrs& attrs) {
  constexpr uint32_t kMost = 32;
  tn_tensor* outputs[kMost] = {};
  uint32_t n = 0;
  const std::vector<tn_attr> encoded = attrs.encode();
  check(tn_op_call(ctx_, op, inputs.data(), static_cast<uint32_t>(inputs.size()), encoded.data(),
                   static_cast<uint32_t>(encoded.size()), outputs, kMost, &n));
  std::vector<Tensor> out;
  for (uint32_t k = 0; k < n; ++k) out.emplace_back(outputs[k]);
  return out;
}

bool Session::native(tn_op op, const std::vector<tn_tensor*>& inputs, const Attrs& attrs) {
  uint32_t level = TN_SUPPORT_UNSUPPORTED;
  const std::vector<tn_attr> encoded = attrs.encode();
  check(tn_op_explain(ctx_, op, inputs.data(), static_cast<uint32_t>(inputs.size()), encoded.data(),
                      static_cast<uint32_t>(encoded.size()), &level, nullptr, 0, nullptr));
  return level == TN_SUPPORT_NATIVE;
}

std::vector<std::string> Session::decomposition(tn_op op, const std::vector<tn_tensor*>& inputs,
                                                const Attrs& attrs) {
  uint32_t level = TN_SUPPORT_UNSUPPORTED;
  std::string text(1 << 16, 0);
  uint64_t size = 0;
  const std::vector<tn_attr> encoded = attrs.encode();
  check(tn_op_explain(ctx_, op, inputs.data(), static_cast<uint32_t>(inputs.size()), encoded.data(),
                      static_cast<uint32_t>(encoded.size()), &level, text.data(), text.size(),
                      &size));
  const auto answer = nlohmann::json::parse(text.c_str(), nullptr, false);
  return answer.is_object() ? answer.value("decomposition", std::vector<std::string>())
                            : std::vector<std::string>();
}

void Session::set_random(const RandomState& state) {
  const uint64_t words[3] = {state.seed, state.stream, state.offset};
  check(tn_ctx_set_random_state(ctx_, words));
}

RandomState Session::random() {
  uint64_t words[3] = {};
  check(tn_ctx_get_random_state(ctx_, words));
  return {words[0], words[1], words[2]};
}

void Session::recover() {
  tn_ctx_set_grad_mode(ctx_, 0);
  tn_error_release(tn_ctx_recover(ctx_));
}

}  // namespace tenon::conformance

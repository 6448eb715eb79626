// conv2d_region. Own convolutions compute the region in its place (conv/region.hpp). What oneDNN's give lies in blocks of channels, which are
// turned into planes a piece at a time: while a piece is in the first-level cache the region is computed of it, straight into the output.
#include <tenon/op_ids.h>

#include "conv/conv2d.hpp"
#include "conv/onednn.hpp"
#include "kernels/region.hpp"
#include "matmul/transpose.hpp"

namespace tenon::cpu::CPU_ISA {

namespace {

constexpr int64_t kMostLanes = 16, kPositions = 256;  // of a piece

// to[l * to_row + i] = from[i * step + l].
void turn(float* to, int64_t to_row, const float* from, int64_t step, int64_t lanes, int64_t n) {
  constexpr int64_t side = kLanes<float>;
  int64_t i = 0;
  if (lanes == side) {
    for (; i + side <= n; i += side) {
      Vec<float> rows[side];
#pragma GCC unroll 16
      for (int64_t r = 0; r < side; ++r) rows[r] = load(from + (i + r) * step);
      transpose_lanes<float>(rows);
#pragma GCC unroll 16
      for (int64_t r = 0; r < side; ++r) store(to + r * to_row + i, rows[r]);
    }
  }
  for (; i < n; ++i) {
    for (int64_t l = 0; l < lanes; ++l) to[l * to_row + i] = from[i * step + l];
  }
}

void finish(const void* data, const tn_view* const* args, const ChannelBlocks& y) {
  const auto& e = *static_cast<const Epilogue*>(data);
  alignas(64) float piece[kMostLanes * kPositions];
  for (int64_t image = y.image0; image < y.image1; ++image) {
    for (int64_t c = y.channel0; c < y.channel1; c += y.lanes) {
      const float* from =
          y.at + (image - y.image0) * y.image_step + (c - y.channel0) / y.lanes * y.block_step;
      const int64_t rows = y.channel1 - c < y.lanes ? y.channel1 - c : y.lanes;
      const int64_t first = (image * y.channels + c) * y.positions;
      for (int64_t p = 0; p < y.positions; p += kPositions) {
        const int64_t n = y.positions - p < kPositions ? y.positions - p : kPositions;
        const auto* made = reinterpret_cast<const char*>(piece);
        turn(piece, n, from + p * y.step, y.step, rows, n);
        if (n == y.positions)  // whole planes, one after the other
          run_epilogue(e, args, {made, 0, first, 0, 1, rows * n});
        else
          run_epilogue(e, args, {made, n, first + p, y.positions, rows, n});
      }
    }
  }
}

// The convolution's part of a conv2d_region.
struct ConvPart {
  tn_view absent{}, y;
  const tn_view* inputs[3];
  const tn_view* outputs[1] = {&y};
  uint32_t operands;
  tn_signature sig;

  explicit ConvPart(const tn_signature& all)
      : y(*all.outputs[0]), operands(uint32_t(attr_i64(all, TN_CONV2D_REGION_OPERANDS))), sig(all) {
    absent.flags = TN_VIEW_ABSENT;
    y.dtype = all.inputs[0]->dtype;
    inputs[0] = all.inputs[0], inputs[1] = all.inputs[1];
    inputs[2] = operands > 2 ? all.inputs[2] : &absent;
    sig.op = TN_OP_CONV2D;
    sig.n_inputs = 3;
    sig.inputs = inputs;
    sig.outputs = outputs;
    sig.attrs = all.attrs + TN_CONV2D_REGION_STRIDE;
    sig.n_attrs = all.n_attrs - TN_CONV2D_REGION_STRIDE;
  }
  ConvPart(const ConvPart&) = delete;
};

}  // namespace

CPU_PREPARE(conv2d_region) {
  const ConvPart conv(sig);
  if (conv.y.dtype != TN_DTYPE_F32) return decline(plan, "only f32");
  if (sig.outputs[0]->dtype != TN_DTYPE_F32)
    return decline(plan, "a region that gives another dtype");
  try {
    const auto region =
        std::make_shared<ConvRegion>(ConvRegion{Epilogue(device), conv.operands > 2});
    if (const char* why = plan_epilogue(sig, conv.operands, conv.y.dtype, region->then))
      return decline(plan, why);
    TN_TRY(plan_conv2d_tiles(device, conv.sig, plan, region));
    if (plan->run) return nullptr;
    plan->declined = {};
    return plan_conv2d_f32(device, conv.sig, plan, region);
  } catch (const std::bad_alloc&) {
    return out_of_memory(device);
  }
}

CPU_PREPARE(conv2d_region_onednn) {
  const ConvPart conv(sig);
  try {
    auto* e = new (std::nothrow) Epilogue(device);
    if (!e) return out_of_memory(device);
    ConvFinish then = {finish, [](void* data) { delete static_cast<Epilogue*>(data); }, e,
                       int(sig.n_inputs)};
    if (const char* why = plan_epilogue(sig, conv.operands, conv.y.dtype, *e)) {
      then.release(e);
      return decline(plan, why);
    }
    return plan_onednn_conv2d(device, conv.sig, plan, &then);
  } catch (const std::bad_alloc&) {
    return out_of_memory(device);
  }
}

}  // namespace tenon::cpu::CPU_ISA

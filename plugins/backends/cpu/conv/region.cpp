// conv2d_region by oneDNN: what the convolution gives lies in blocks of channels, which are turned into planes a piece at a time. While a
// piece is in the first-level cache the region is computed of it, straight into the output.
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

}  // namespace

CPU_PREPARE(conv2d_region_onednn) {
  tn_view absent{}, y = *sig.outputs[0];
  absent.flags = TN_VIEW_ABSENT;
  y.dtype = sig.inputs[0]->dtype;
  const int64_t operands = attr_i64(sig, TN_CONV2D_REGION_OPERANDS);
  const tn_view* inputs[] = {sig.inputs[0], sig.inputs[1], operands > 2 ? sig.inputs[2] : &absent};
  const tn_view* outputs[] = {&y};
  tn_signature conv = sig;
  conv.op = TN_OP_CONV2D;
  conv.n_inputs = 3;
  conv.inputs = inputs;
  conv.outputs = outputs;
  conv.attrs = sig.attrs + TN_CONV2D_REGION_STRIDE;
  conv.n_attrs = sig.n_attrs - TN_CONV2D_REGION_STRIDE;
  tn_plan tiles{};
  tiles.struct_size = sizeof tiles;
  TN_TRY(plan_conv2d_tiles(device, conv, &tiles));
  if (tiles.release) tiles.release(tiles.data);
  if (tiles.run) return decline(plan, "the convolution alone goes by AMX tiles, which gains more");
  try {
    auto* e = new (std::nothrow) Epilogue(device);
    if (!e) return out_of_memory(device);
    ConvFinish then = {finish, [](void* data) { delete static_cast<Epilogue*>(data); }, e,
                       int(sig.n_inputs)};
    if (const char* why = plan_epilogue(sig, uint32_t(operands), y.dtype, *e)) {
      then.release(e);
      return decline(plan, why);
    }
    return plan_onednn_conv2d(device, conv, plan, &then);
  } catch (const std::bad_alloc&) {
    return out_of_memory(device);
  }
}

}  // namespace tenon::cpu::CPU_ISA

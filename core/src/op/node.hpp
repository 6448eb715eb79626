// A node of the tape: how to take the gradient of one op. Owner thread of the heap's context only.
#pragma once
#include "context.hpp"

namespace tenon {

struct Edge {
  Node* node;      // counted; null: the input needs no gradient
  uint32_t index;  // output of that node
};

struct GradHook {
  uint32_t index;
  tn_grad_hook hook;
};

enum class NodeKind : uint8_t { kOp, kLeaf, kCustom, kTransfer };

// Small ones (up to 3 inputs, 1 output) keep their arrays inside.
struct Node {
  uint32_t refs = 1;
  NodeKind kind = NodeKind::kOp;
  bool freed = false;   // its saved values are gone
  bool needed = false;  // during one backward pass
  bool target = false;  // the same: its gradient is asked for
  uint16_t n_in = 0, n_out = 0;
  uint64_t seq = 0;    // order of recording
  uint64_t epoch = 0;  // of the last backward pass that saw it
  Heap* heap = nullptr;
  Site* site = nullptr;  // counted
  Edge* edges = nullptr;
  tn_tensor** saved = nullptr;       // inputs, then outputs; null where not needed
  tn_tensor** cotangents = nullptr;  // behind them: all that a gradient program reads
  Node* next = nullptr;              // free list, work list of release
  std::vector<GradHook>* hooks = nullptr;
  tn_grad_callback callback{};  // kCustom
  tn_device* from = nullptr;    // kTransfer: where the input lives
  Shape* shapes = nullptr;      // kCustom, kTransfer, kLeaf: of the outputs
  uint64_t wants = 0;           // inputs that need a gradient (the first 63, then all others)
  uint64_t asked = 0;           // of those, what one backward pass is about

  Edge edge_store[3] = {};
  tn_tensor* saved_store[5] = {};
};

Node* node_make(Heap* heap, NodeKind kind, uint32_t n_in, uint32_t n_out);
void node_release(Node* n) noexcept;  // frees iteratively
void node_drop_saved(
    Node* n) noexcept;  // saved values, edges, callback: a second backward finds nothing
inline Node* node_retain(Node* n) noexcept {
  ++n->refs;
  return n;
}

}  // namespace tenon

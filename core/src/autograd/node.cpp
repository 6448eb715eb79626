#include "op/node.hpp"

#include <new>

#include "recipe/site.hpp"

namespace tenon {
namespace {

bool is_small(const Node* n) { return n->edges == n->edge_store; }

void clear_edges(Node* n, Node** work) noexcept {
  for (uint32_t i = 0; i < n->n_in; ++i) {
    Node* child = n->edges[i].node;
    n->edges[i].node = nullptr;
    if (child && --child->refs == 0) {
      child->next = *work;
      *work = child;
    }
  }
}

// A saved tensor may hold the last reference to a node in turn: it is given up without recursion by taking its node first.
void drop_tensor(Heap* heap, tn_tensor* t, Node** work) noexcept {
  if (t->heap != heap) {
    tensor_release_remote(t);
    return;
  }
  if (t->local == 1 && t->shared.load(std::memory_order_acquire) == 0) {
    if (Node* child = t->node) {
      t->node = nullptr;
      if (--child->refs == 0) {
        child->next = *work;
        *work = child;
      }
    }
    t->local = 0;
    tensor_free(heap, t);
    return;
  }
  drop_owned(t);
}

void clear_saved(Node* n, Node** work) noexcept {
  for (uint32_t i = 0; i < n->n_in + n->n_out; ++i)
    if (tn_tensor* t = n->saved[i]) {
      n->saved[i] = nullptr;
      drop_tensor(n->heap, t, work);
    }
  if (n->callback.destroy) {
    n->callback.destroy(n->callback.user);
    n->callback = {};
  }
}

void run_work(Node* work) noexcept {
  while (work) {
    Node* n = work;
    work = n->next;
    n->next = nullptr;
    if (!n->freed) {
      clear_saved(n, &work);
      clear_edges(n, &work);
    }
    for (uint32_t i = 0; i < n->n_out; ++i)
      if (n->cotangents[i]) drop_tensor(n->heap, std::exchange(n->cotangents[i], nullptr), &work);
    if (n->hooks) {
      for (GradHook& h : *n->hooks)
        if (h.hook.destroy) h.hook.destroy(h.hook.user);
      delete n->hooks;
      n->hooks = nullptr;
    }
    site_release(n->site);
    n->site = nullptr;
    delete[] n->shapes;
    n->shapes = nullptr;
    if (is_small(n)) {
      n->next = n->heap->free_nodes;
      n->heap->free_nodes = n;
    } else {
      delete[] n->edges;
      delete[] n->saved;
      delete n;
    }
  }
}

}  // namespace

Node* node_make(Heap* heap, NodeKind kind, uint32_t n_in, uint32_t n_out) {
  Node* n = nullptr;
  if (n_in <= 3 && n_out <= 1) {
    if (heap->free_nodes) {
      n = heap->free_nodes;
      heap->free_nodes = n->next;
      n->next = nullptr;
      n->refs = 1;
      n->freed = n->needed = n->target = false;
      n->epoch = 0;
    } else {
      n = new Node;
    }
    n->edges = n->edge_store;
    n->saved = n->saved_store;
  } else {
    auto fresh = std::make_unique<Node>();
    auto edges = std::make_unique<Edge[]>(n_in);
    auto saved = std::make_unique<tn_tensor*[]>(n_in + 2 * n_out);
    fresh->edges = edges.release();
    fresh->saved = saved.release();
    n = fresh.release();
  }
  n->cotangents = n->saved + n_in + n_out;
  n->kind = kind;
  n->n_in = static_cast<uint16_t>(n_in);
  n->n_out = static_cast<uint16_t>(n_out);
  n->heap = heap;
  n->wants = 0;
  n->seq = heap->context ? ++heap->context->node_seq : 0;
  return n;
}

void node_release(Node* n) noexcept {
  if (--n->refs != 0) return;
  n->next = nullptr;
  run_work(n);
}

void node_drop_saved(Node* n) noexcept {
  Node* work = nullptr;
  n->freed = true;
  clear_saved(n, &work);
  clear_edges(n, &work);
  if (work) run_work(work);
}

}  // namespace tenon

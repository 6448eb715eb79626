/* Tenon: graphs as one flat blob: what a capture recorded, or a part of it, with all sizes known. Plugin tier.
 *
 * A blob is a tn_graph_header and arrays at the offsets that it names, in this machine's byte order, 8-byte aligned, without pointers: it may be
 * hashed, kept, sent. Equal graphs give equal blobs. All structs here are frozen; other forms have another TN_GRAPH_VERSION.
 *
 * Values are numbered. Nodes come in an order in which they can run. Ops go by name and since-version; the texts of the
 * ops (docs/ops.md) say what they do. Every conversion that an op's dtype rule asks for is a node "cast" of its own. Operands of elementwise
 * ops broadcast as in numpy. A value is row-major in its dims; where an op only looks at an operand's elements in another order, `view_of` says
 * so, and a compiler need not copy. */
#ifndef TENON_PLUGIN_GRAPH_H_
#define TENON_PLUGIN_GRAPH_H_
#include "../op.h"
TN_EXTERN_C_BEGIN

#define TN_GRAPH_MAGIC 0x3148505247205454ull
#define TN_GRAPH_VERSION 1u

typedef struct tn_graph_header {
  uint64_t magic; /* TN_GRAPH_MAGIC */
  uint32_t version;
  uint32_t reserved;
  uint64_t bytes; /* of the whole blob */
  uint32_t value_count;
  uint32_t node_count;
  uint32_t operand_count;
  uint32_t attr_count;
  uint32_t input_count;
  uint32_t result_count;
  uint64_t values;   /* offset of tn_graph_value[value_count] */
  uint64_t nodes;    /* tn_graph_node[node_count] */
  uint64_t operands; /* int32_t[operand_count]: values; -1: an optional input that is absent */
  uint64_t attrs;    /* tn_graph_attr[attr_count] */
  uint64_t inputs;   /* int32_t[input_count]: values, in the order of the arguments */
  uint64_t results;  /* tn_graph_result[result_count] */
  uint64_t data;     /* names, strings and lists; to the end of the blob */
} tn_graph_header;

#define TN_GRAPH_CONSTANT 1u /* a scalar whose element is in `bits` */
#define TN_GRAPH_SCALAR \
  2u /* an input that is a host scalar: its argument is a TN_VIEW_IMMEDIATE, another one at each run */

typedef struct tn_graph_value {
  tn_dtype dtype;
  uint32_t flags;  /* TN_GRAPH_... */
  int32_t node;    /* that makes it; -1: an input or a constant */
  int32_t view_of; /* operand of that node, a value, whose elements these are; -1: none */
  int64_t
      view_offset; /* with view_of: elements; the strides then are those within the (row-major) operand */
  uint64_t bits[2];
  uint32_t rank;
  uint32_t reserved;
  int64_t dims[TN_MAX_RANK];
  int64_t strides[TN_MAX_RANK];
} tn_graph_value;

typedef struct tn_graph_node {
  uint64_t op; /* offset of its name in the data */
  uint32_t op_bytes;
  uint32_t since;
  uint32_t first_operand; /* inputs, then outputs */
  uint32_t n_inputs;
  uint32_t n_outputs;
  uint32_t first_attr; /* every attribute of the schema: attrs[first_attr + k].key == k */
  uint32_t n_attrs;
  uint32_t flags; /* TN_OP_... of its definition */
} tn_graph_node;

typedef struct tn_graph_attr {
  uint32_t key;
  uint32_t tag; /* TN_ATTR_..., none of which points at an object */
  uint64_t bits;
  uint64_t offset; /* of a list or a string in the data */
} tn_graph_attr;

typedef struct tn_graph_result {
  int32_t value;
  int32_t
      input; /* whose memory the host may give for it, a place among the inputs; -1: none. See TN_COMPILED_INPLACE. */
} tn_graph_result;

TN_INLINE const tn_graph_header* tn_graph_of(const void* blob) {
  return (const tn_graph_header*)blob;
}
TN_INLINE const void* tn_graph_at(const void* blob, uint64_t offset) {
  return (const unsigned char*)blob + offset;
}

#define TN_GRAPH_MOST ((uint64_t)1 << 56) /* elements of a value, and of what its strides span */

/* 1: a value's dims are not negative, and if none is 0, neither their product nor the sum of dims * |strides| goes beyond TN_GRAPH_MOST. */
TN_INLINE int tn_graph_check_dims(const tn_graph_value* v) {
  uint64_t count = 1, span = 0;
  uint32_t k;
  for (k = 0; k < v->rank; ++k)
    if (v->dims[k] == 0) count = 0;
  if (!count) {
    for (k = 0; k < v->rank; ++k)
      if (v->dims[k] < 0) return 0;
    return 1;
  }
  for (k = 0; k < v->rank; ++k) {
    const int64_t s = v->strides[k];
    const uint64_t d = v->dims[k] > 0 ? (uint64_t)v->dims[k] : 1;
    const uint64_t step = s < 0 ? 0 - (uint64_t)s : (uint64_t)s;
    if (v->dims[k] < 0 || d > TN_GRAPH_MOST / count || (step && d > TN_GRAPH_MOST / step)) return 0;
    count *= d;
    span += d * step;
  }
  return span <= TN_GRAPH_MOST;
}

/* 1: every element of the view lies within its operand. Of both tn_graph_check_dims has said 1. */
TN_INLINE int tn_graph_check_view(const tn_graph_value* view, const tn_graph_value* operand) {
  int64_t first = view->view_offset, last = first, count = 1;
  uint32_t k;
  for (k = 0; k < view->rank; ++k)
    if (view->dims[k] == 0) return 1;
  if (first < 0 || first > (int64_t)TN_GRAPH_MOST) return 0;
  for (k = 0; k < view->rank; ++k)
    *(view->strides[k] < 0 ? &first : &last) += (view->dims[k] - 1) * view->strides[k];
  for (k = 0; k < operand->rank; ++k)
    if (operand->dims[k] == 0) return 0;
  for (k = 0; k < operand->rank; ++k) count *= operand->dims[k];
  if (last >= (int64_t)TN_GRAPH_MOST) return 0; /* so that bits can be counted */
  return first >= 0 && (uint64_t)(last + 1) * TN_DTYPE_BITS(view->dtype) <=
                           (uint64_t)count * TN_DTYPE_BITS(operand->dtype);
}

/* 1: the blob is whole and of this version; every offset, count and number of a value or node lies within it, sizes fit tn_graph_check_dims, and views
 * are of an operand of their node and within it (so that they make no circle): reading its parts is safe, and so is computing with its sizes.
 * Not looked at: dtypes; whether ops are known and fit their operands; whether what no node makes is an input or a constant. Where a value has no
 * elements its other dims may be of any size. */
TN_INLINE int tn_graph_check(const void* blob, uint64_t bytes) {
  const tn_graph_header* h = tn_graph_of(blob);
  const tn_graph_value* values;
  const tn_graph_node* nodes;
  const tn_graph_attr* attrs;
  const int32_t *operands, *inputs;
  const tn_graph_result* results;
  uint64_t data;
  uint32_t i, k;
  if (bytes < sizeof *h || h->magic != TN_GRAPH_MAGIC || h->version != TN_GRAPH_VERSION ||
      h->bytes != bytes || h->data > bytes || h->value_count > 0x7fffffffu)
    return 0;
#define TN_GRAPH_FITS_(at, n, type) \
  ((at) % 8 == 0 && (at) <= bytes && (uint64_t)(n) <= (bytes - (at)) / sizeof(type))
  if (!TN_GRAPH_FITS_(h->values, h->value_count, tn_graph_value) ||
      !TN_GRAPH_FITS_(h->nodes, h->node_count, tn_graph_node) ||
      !TN_GRAPH_FITS_(h->operands, h->operand_count, int32_t) ||
      !TN_GRAPH_FITS_(h->attrs, h->attr_count, tn_graph_attr) ||
      !TN_GRAPH_FITS_(h->inputs, h->input_count, int32_t) ||
      !TN_GRAPH_FITS_(h->results, h->result_count, tn_graph_result))
    return 0;
#undef TN_GRAPH_FITS_
  values = (const tn_graph_value*)tn_graph_at(blob, h->values);
  nodes = (const tn_graph_node*)tn_graph_at(blob, h->nodes);
  operands = (const int32_t*)tn_graph_at(blob, h->operands);
  attrs = (const tn_graph_attr*)tn_graph_at(blob, h->attrs);
  inputs = (const int32_t*)tn_graph_at(blob, h->inputs);
  results = (const tn_graph_result*)tn_graph_at(blob, h->results);
  data = bytes - h->data;
  for (i = 0; i < h->value_count; ++i)
    if (values[i].rank > TN_MAX_RANK || values[i].node < -1 ||
        values[i].node >= (int64_t)h->node_count || values[i].view_of < -1 ||
        values[i].view_of >= (int64_t)h->value_count ||
        (values[i].view_of >= 0 && values[i].node < 0) || !tn_graph_check_dims(values + i))
      return 0;
  for (i = 0; i < h->node_count; ++i) {
    const tn_graph_node* n = nodes + i;
    if (n->op > data || n->op_bytes > data - n->op ||
        (uint64_t)n->first_operand + n->n_inputs + n->n_outputs > h->operand_count ||
        (uint64_t)n->first_attr + n->n_attrs > h->attr_count)
      return 0;
    for (k = 0; k < n->n_inputs + n->n_outputs; ++k) {
      const int32_t v = operands[n->first_operand + k];
      if (v < (k < n->n_inputs ? -1 : 0) || v >= (int64_t)h->value_count) return 0;
      /* what runs before it made its inputs, and it makes its outputs */
      if (k < n->n_inputs ? v >= 0 && values[v].node >= (int64_t)i : values[v].node != (int64_t)i)
        return 0;
    }
    for (k = 0; k < n->n_attrs; ++k) {
      const tn_graph_attr* a = attrs + n->first_attr + k;
      const uint64_t size = a->tag == TN_ATTR_I64S || a->tag == TN_ATTR_F64S      ? 8
                            : a->tag == TN_ATTR_STRING || a->tag == TN_ATTR_BYTES ? 1
                                                                                  : 0;
      if (a->key != k || (size && (a->offset > data || a->bits > (data - a->offset) / size ||
                                   (h->data + a->offset) % size != 0)))
        return 0;
    }
  }
  for (i = 0; i < h->value_count; ++i) {
    const tn_graph_node* n;
    if (values[i].view_of < 0) continue;
    n = nodes + values[i].node;
    for (k = 0; k < n->n_inputs && operands[n->first_operand + k] != values[i].view_of;) ++k;
    if (k == n->n_inputs || !tn_graph_check_view(values + i, values + values[i].view_of)) return 0;
  }
  for (i = 0; i < h->input_count; ++i)
    if (inputs[i] < 0 || inputs[i] >= (int64_t)h->value_count || values[inputs[i]].node != -1)
      return 0;
  for (i = 0; i < h->result_count; ++i)
    if (results[i].value < 0 || results[i].value >= (int64_t)h->value_count ||
        results[i].input < -1 || results[i].input >= (int64_t)h->input_count)
      return 0;
  return 1;
}

TN_EXTERN_C_END
#endif

// tn_tensor_format.
#include "op/guards.hpp"
#include "op/transfer.hpp"

using namespace tenon;

namespace {

struct Printer {
  const std::vector<char>& data;
  const tn_view& view;
  int digits;
  int64_t edge;
  bool brief;
  std::string out;
  uint64_t size = dtype_size(view.dtype);

  // Elements of axis `axis` from dense position `at`; gives how many elements one entry of the axis has.
  void axis(int axis_index, int64_t at, int64_t span) {
    if (axis_index == view.rank) {
      out += element_text(data.data() + static_cast<uint64_t>(at) * size, view.dtype, digits);
      return;
    }
    const int64_t n = view.dims[axis_index];
    const int64_t inner = n ? span / n : 0;
    const bool leaf = axis_index == view.rank - 1;
    out += '[';
    for (int64_t i = 0; i < n; ++i) {
      if (i) out += leaf ? ", " : ",\n" + std::string(static_cast<size_t>(axis_index) + 1, ' ');
      if (brief && n > 2 * edge && i == edge) {
        out += "...";
        i = n - edge - 1;
        continue;
      }
      axis(axis_index + 1, at + i * inner, inner);
    }
    out += ']';
  }
};

}  // namespace

extern "C" tn_error* tn_tensor_format(tn_tensor* t, const tn_format_options* options, char* buffer,
                                      uint64_t capacity) {
  return guard([&] {
    need(t, "tn_tensor_format", "tensor");
    runtime_check(t->heap->runtime);
    const tn_format_options o = take_struct(options, tn_format_options_init(), "tn_tensor_format");
    if (o.precision < 0 || o.edge_items < 0)
      fail(TN_INVALID_ARGUMENT, "tn_tensor_format: precision and edge_items cannot be negative");
    std::string text = shape_text(t->view) + " " + (t->device ? t->device->name : "host");
    if (dtype_kind(t->view.dtype) == Kind::kStorage) {
      give_text(text + "  (stored only; cast it to see values)", buffer, capacity, nullptr);
      return;
    }
    std::vector<char> data(tn_tensor_bytes(t));
    read_tensor(nullptr, t, data.data());
    Printer p{data,
              t->view,
              o.precision ? o.precision : 6,
              o.edge_items ? o.edge_items : 3,
              t->view.count > 1000,
              {}};
    p.axis(0, 0, t->view.count);
    text += t->view.rank > 1 ? "\n" : "  ";
    give_text(text + p.out, buffer, capacity, nullptr);
  });
}

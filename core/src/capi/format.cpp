// tn_tensor_format.
#include <algorithm>

#include "op/guards.hpp"
#include "op/transfer.hpp"

using namespace tenon;

namespace {

constexpr int64_t kWhole = 1000;  // elements up to which every one is shown

struct Printer {
  const std::vector<char>& data;
  const tn_view& view;
  int digits;
  int64_t edge;
  bool brief;
  size_t width = 0;  // of a column
  std::string out = {};
  uint64_t size = dtype_size(view.dtype);

  std::string element(int64_t at) const {
    return element_text(data.data() + static_cast<uint64_t>(at) * size, view.dtype, digits);
  }

  // The element after `i` to be shown of an axis of n; `skipped` says whether some are left out before it.
  int64_t next(int64_t i, int64_t n, bool* skipped) const {
    *skipped = brief && n > 2 * edge && i + 1 == edge;
    return *skipped ? n - edge : i + 1;
  }

  // The widest element shown of axis `axis_index` on, from dense position `at`.
  void measure(int axis_index, int64_t at, int64_t span) {
    if (axis_index == view.rank) {
      width = std::max(width, element(at).size());
      return;
    }
    const int64_t n = view.dims[axis_index];
    const int64_t inner = n ? span / n : 0;
    bool skipped = false;
    for (int64_t i = 0; i < n; i = next(i, n, &skipped))
      measure(axis_index + 1, at + i * inner, inner);
  }

  void axis(int axis_index, int64_t at, int64_t span) {
    if (axis_index == view.rank) {
      const std::string text = element(at);
      out.append(width - std::min(width, text.size()), ' ');
      out += text;
      return;
    }
    const int64_t n = view.dims[axis_index];
    const int64_t inner = n ? span / n : 0;
    const bool leaf = axis_index == view.rank - 1;
    const std::string comma =
        leaf ? ", " : ",\n" + std::string(static_cast<size_t>(axis_index) + 1, ' ');
    bool skipped = false;
    out += '[';
    for (int64_t i = 0; i < n; i = next(i, n, &skipped)) {
      if (i) out += comma;
      if (skipped) out += "..." + comma;
      axis(axis_index + 1, at + i * inner, inner);
    }
    out += ']';
  }
};

// What does not fit gives way to "...", never a part of a number.
void give_whole_words(const std::string& text, char* buffer, uint64_t capacity) {
  if (text.size() < capacity || capacity == 0) return give_text(text, buffer, capacity, nullptr);
  const uint64_t room = capacity - 1;
  const size_t cut = room > 3 ? text.find_last_of(" ,[\n", room - 4) + 1 : 0;  // npos + 1 is 0
  give_text(text.substr(0, cut) + "...", buffer, capacity, nullptr);
}

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
      return give_whole_words(text + "  (stored only; cast it to see values)", buffer, capacity);
    }
    std::vector<char> data(tn_tensor_bytes(t));
    read_tensor(nullptr, t, data.data());
    Printer p{data, t->view, o.precision ? o.precision : 6, o.edge_items ? o.edge_items : 3,
              t->view.count > kWhole};
    if (t->view.rank > 1) p.measure(0, 0, t->view.count);
    p.axis(0, 0, t->view.count);
    text += t->view.rank > 1 ? "\n" : "  ";
    give_whole_words(text + p.out, buffer, capacity);
  });
}

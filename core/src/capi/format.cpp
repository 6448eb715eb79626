// tn_tensor_format.
#include <algorithm>

#include "op/guards.hpp"
#include "op/recorder.hpp"
#include "op/transfer.hpp"

using namespace tenon;

namespace {

constexpr int64_t kWhole = 1000;  // elements up to which every one is shown

// Positions are in elements from element (0, 0, ...), by the strides.
struct Printer {
  tn_tensor* tensor;
  const char* base;  // element (0, 0, ...), or null: each one shown is fetched from the device
  const int64_t* strides;
  int digits;
  int64_t edge;
  bool brief;
  size_t width = 0;  // of a column
  std::string out = {};
  const tn_view& view = tensor->view;

  std::string element(int64_t at) const {
    const auto size = static_cast<int64_t>(dtype_size(view.dtype));
    char bytes[16];
    if (!base) read_bytes(tensor, at * size, static_cast<uint64_t>(size), bytes);
    return element_text(base ? base + at * size : bytes, view.dtype, digits);
  }

  // The element after `i` to be shown of an axis of n; `skipped` says whether some are left out before it.
  int64_t next(int64_t i, int64_t n, bool* skipped) const {
    *skipped = brief && n > 2 * edge && i + 1 == edge;
    return *skipped ? n - edge : i + 1;
  }

  // The widest element shown of axis `k` on.
  void measure(int k, int64_t at) {
    if (k == view.rank) {
      width = std::max(width, element(at).size());
      return;
    }
    bool skipped = false;
    for (int64_t i = 0; i < view.dims[k]; i = next(i, view.dims[k], &skipped))
      measure(k + 1, at + i * strides[k]);
  }

  void axis(int k, int64_t at) {
    if (k == view.rank) {
      const std::string text = element(at);
      out.append(width - std::min(width, text.size()), ' ');
      out += text;
      return;
    }
    const std::string comma =
        k == view.rank - 1 ? ", " : ",\n" + std::string(static_cast<size_t>(k) + 1, ' ');
    bool skipped = false;
    out += '[';
    for (int64_t i = 0; i < view.dims[k]; i = next(i, view.dims[k], &skipped)) {
      if (i) out += comma;
      if (skipped) out += "..." + comma;
      axis(k + 1, at + i * strides[k]);
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
    runtime_check(t->heap->runtime, "tn_tensor_format");
    const tn_format_options o = take_struct(options, tn_format_options_init(), "tn_tensor_format");
    if (o.precision < 0 || o.edge_items < 0)
      fail(TN_INVALID_ARGUMENT, "tn_tensor_format: precision and edge_items cannot be negative");
    std::string text = named_shape(t) + " " + (t->device ? t->device->name : "host");
    if (is_abstract(t))
      return give_whole_words(text + "  (" + abstract_text(t) + ")", buffer, capacity);
    if (dtype_kind(t->view.dtype) == Kind::kStorage) {
      return give_whole_words(text + "  (stored only; cast it to see values)", buffer, capacity);
    }
    // Few elements are read at once; of many, only those that are shown, where they lie.
    const bool brief = t->view.count > kWhole;
    const bool whole = !brief || t->device->holds_values();  // which have no parts to be read
    std::vector<char> data(whole ? tn_tensor_bytes(t) : 0);
    const Shape dense = dense_shape(t->view.dtype, t->view.rank, t->view.dims);
    Printer p{t,
              data.data(),
              dense.strides,
              o.precision ? o.precision : 6,
              o.edge_items ? o.edge_items : 3,
              brief};
    if (whole) read_tensor(nullptr, t, data.data());
    if (brief) {
      wait_tensor(nullptr, t);
      p.base = whole ? data.data() : t->device->host_memory() ? address_of(t->view) : nullptr;
      p.strides = t->view.strides;
    }
    if (t->view.rank > 1) p.measure(0, 0);
    p.axis(0, 0);
    text += t->view.rank > 1 ? "\n" : "  ";
    give_whole_words(text + p.out, buffer, capacity);
  });
}

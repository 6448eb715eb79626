// Model: files of named tensors.
#pragma once
#include "tenon/model.h"
#include "tenon/tensor.hpp"

namespace tenon {

class Model {
 public:
  Model(const Runtime& runtime, std::string_view path, const tn_model_options* options = nullptr) {
    tn_model* model = nullptr;
    check(tn_model_open(runtime.get(), to_str(path), options, &model));
    model_.reset(model);
  }
  tn_model* get() const { return model_.get(); }

  std::string_view format() const { return to_view(tn_model_format(get())); }
  // Names and dims of the entries are lent by the model.
  std::vector<tn_model_entry> entries() const {
    std::vector<tn_model_entry> list(tn_model_tensor_count(get()), tn_model_entry_init());
    for (uint32_t i = 0; i < list.size(); ++i) check(tn_model_get_entry(get(), i, &list[i]));
    return list;
  }
  std::vector<std::pair<std::string_view, std::string_view>> metadata() const {
    std::vector<std::pair<std::string_view, std::string_view>> list;
    for (uint32_t i = 0; i < tn_model_metadata_count(get()); ++i) {
      tn_str key{}, value{};
      check(tn_model_get_metadata(get(), i, &key, &value));
      list.emplace_back(to_view(key), to_view(value));
    }
    return list;
  }
  Tensor tensor(const Context& cx, std::string_view name) const {
    tn_tensor* t = nullptr;
    check(tn_model_take_tensor(cx.get(), get(), to_str(name), &t));
    return {cx.get(), t};
  }

 private:
  detail::Owner<tn_model, tn_model_release> model_;
};

struct NamedTensor {
  std::string_view name;
  Tensor tensor;
};
struct Metadata {
  std::string_view key, value;
};

// Writes atomically; the format follows the extension.
inline void save(const Context& cx, std::string_view path, const std::vector<NamedTensor>& tensors,
                 const std::vector<Metadata>& metadata = {},
                 const tn_model_options* options = nullptr) {
  std::vector<tn_str> names;
  std::vector<tn_tensor*> handles;
  std::vector<tn_metadata> pairs;
  names.reserve(tensors.size());
  handles.reserve(tensors.size());
  pairs.reserve(metadata.size());
  for (const NamedTensor& t : tensors) {
    names.push_back(to_str(t.name));
    handles.push_back(t.tensor.get());
  }
  for (const Metadata& m : metadata) pairs.push_back({to_str(m.key), to_str(m.value)});
  check(tn_model_save(cx.get(), to_str(path), names.data(), handles.data(),
                      static_cast<uint32_t>(names.size()), pairs.data(),
                      static_cast<uint32_t>(pairs.size()), options));
}

}  // namespace tenon

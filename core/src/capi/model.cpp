// tenon/model.h.
#include "model/model.hpp"

#include "op/guards.hpp"
#include "op/recorder.hpp"

using namespace tenon;

namespace {

// guard for a function of an opened file, which is only there as long as its plugin is.
template <class Body>
tn_error* with_model(const tn_model* model, const char* function, Body&& body) noexcept {
  return guard([&] {
    need(model, function, "model");
    runtime_check(model->file->runtime, function);
    body();
  });
}

}  // namespace

extern "C" {

tn_error* tn_model_open(tn_runtime* runtime, tn_str path, const tn_model_options* options,
                        tn_model** out) {
  return with_runtime(runtime, "tn_model_open", [&] {
    need(out, "tn_model_open", "out_model");
    const auto o = take_struct(options, tn_model_options_init(), "tn_model_open");
    *out = model_open(runtime, path_of(path, "tn_model_open"), o);
  });
}

void tn_model_release(tn_model* model) { delete model; }

tn_str tn_model_format(const tn_model* model) {
  return model ? model->file->format->name : tn_string("");
}

uint32_t tn_model_tensor_count(const tn_model* model) {
  return model ? static_cast<uint32_t>(model->entries.size()) : 0;
}

tn_error* tn_model_get_entry(const tn_model* model, uint32_t index, tn_model_entry* out) {
  return with_model(model, "tn_model_get_entry", [&] {
    if (index >= model->entries.size())
      fail(TN_OUT_OF_RANGE, "{}: entry {} of {} tensors", model->path, index,
           model->entries.size());
    give_struct(model->entries[index], out, "tn_model_get_entry");
  });
}

uint32_t tn_model_metadata_count(const tn_model* model) {
  return model ? static_cast<uint32_t>(model->metadata.size()) : 0;
}

tn_error* tn_model_get_metadata(const tn_model* model, uint32_t index, tn_str* out_key,
                                tn_str* out_value) {
  return with_model(model, "tn_model_get_metadata", [&] {
    need(out_key, "tn_model_get_metadata", "out_key");
    need(out_value, "tn_model_get_metadata", "out_value");
    if (index >= model->metadata.size())
      fail(TN_OUT_OF_RANGE, "{}: metadata {} of {}", model->path, index, model->metadata.size());
    *out_key = model->metadata[index].key;
    *out_value = model->metadata[index].value;
  });
}

tn_error* tn_model_take_tensor(tn_ctx* ctx, tn_model* model, tn_str name, tn_tensor** out) {
  return with_ctx(ctx, "tn_model_take_tensor", [&] {
    need(model, "tn_model_take_tensor", "model");
    need(out, "tn_model_take_tensor", "out_tensor");
    runtime_check(model->file->runtime, "tn_model_take_tensor");
    *out = model_take_tensor(ctx, *model, view_of(name)).release();
  });
}

tn_error* tn_model_save(tn_ctx* ctx, tn_str path, const tn_str* names, tn_tensor* const* tensors,
                        uint32_t n, const tn_metadata* metadata, uint32_t n_metadata,
                        const tn_model_options* options) {
  return with_ctx(ctx, "tn_model_save", [&] {
    if (n) need(names, "tn_model_save", "names");
    if (n) need(tensors, "tn_model_save", "tensors");
    if (n_metadata) need(metadata, "tn_model_save", "metadata");
    const auto o = take_struct(options, tn_model_options_init(), "tn_model_save");
    std::vector<ModelItem> items;
    items.reserve(n);
    for (uint32_t i = 0; i < n; ++i) {
      if (!tensors[i])
        fail(TN_INVALID_ARGUMENT, "tn_model_save: tensors[{}] (\"{}\") is NULL", i,
             view_of(names[i]));
      need_own(ctx, tensors[i], "tn_model_save", "a tensor");
      need_elements(tensors[i], "tn_model_save");
      items.push_back({view_of(names[i]), tensors[i]});
    }
    model_save(ctx, path_of(path, "tn_model_save"), items, metadata, n_metadata, o);
  });
}

}  // extern "C"

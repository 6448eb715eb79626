// An opened file of named tensors, through a format plugin.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "op/context.hpp"
#include "plugin/registry.hpp"
#include "tenon/model.h"
#include "tenon/plugin/format.h"

namespace tenon {

// The plugin's file, kept open by the model and by every tensor that lies in it. Any thread.
struct ModelFile {
  ModelFile(tn_runtime* rt, const tn_format_vtbl* format, void* plugin_file);
  ModelFile(const ModelFile&) = delete;
  ~ModelFile();
  tn_runtime* runtime;  // counted
  const tn_format_vtbl* format;
  void* file;
};

}  // namespace tenon

// Immutable after opening; any thread.
struct tn_model {
  std::shared_ptr<tenon::ModelFile> file;
  std::string path;
  std::vector<tn_model_entry> entries;  // names and dims belong to the file
  std::vector<uint32_t> by_name;        // indices of entries, sorted by name
  std::vector<tn_metadata> metadata;
};

namespace tenon {

// All throw; contracts in tenon/model.h.
tn_model* model_open(tn_runtime* rt, const std::string& path, const tn_model_options& options);
Owned model_take_tensor(tn_ctx* ctx, tn_model& model, std::string_view name);

struct ModelItem {
  std::string_view name;
  tn_tensor* tensor;
};
void model_save(tn_ctx* ctx, const std::string& path, const std::vector<ModelItem>& items,
                const tn_metadata* metadata, uint32_t n_metadata, const tn_model_options& options);

// ".safetensors" of "a/b.safetensors"; "" where the file name has none.
std::string_view extension_of(std::string_view path);

}  // namespace tenon

// Writing named tensors.
#include <list>

#include "base/error.hpp"
#include "model.hpp"
#include "op/runtime.hpp"
#include "op/transfer.hpp"

namespace tenon {
namespace {

Plugin& format_for_saving(tn_runtime* rt, const std::string& path, std::string_view wanted) {
  const std::string_view name = wanted.empty() ? extension_of(path) : wanted;
  if (name.empty())
    fail(TN_INVALID_ARGUMENT,
         "{}: the name has no extension that would say which format to write. Add one "
         "(\".safetensors\") or set options.format.",
         path);
  Plugin* p = rt->plugins->open_first(Provision::format, name);
  if (!p)
    fail(TN_NOT_FOUND, "{}: there is no format \"{}\": {}", path, name,
         rt->plugins->why_not(Provision::format, name));
  return *p;
}

// Dense elements on the host: where they are, or a copy in `copies`.
const void* host_elements(tn_ctx* ctx, tn_tensor* t, std::list<std::vector<char>>& copies) {
  if (!is_scalar(t) && t->device->host_memory() && (t->view.flags & TN_VIEW_CONTIGUOUS)) {
    const void* data = nullptr;
    check(tn_tensor_get_data(ctx, t, &data));
    return data;
  }
  copies.emplace_back(tn_tensor_bytes(t));
  read_tensor(ctx, t, copies.back().data());
  return copies.back().data();
}

}  // namespace

void model_save(tn_ctx* ctx, const std::string& path, const std::vector<ModelItem>& items,
                const tn_metadata* metadata, uint32_t n_metadata, const tn_model_options& options) {
  Plugin& plugin = format_for_saving(ctx->runtime, path, view_of(options.format));
  std::list<std::vector<char>> copies;
  std::vector<tn_format_item> raw;
  raw.reserve(items.size());
  for (const ModelItem& item : items) {
    const tn_view& v = item.tensor->view;
    tn_format_item out{};
    out.name = {item.name.data(), item.name.size()};
    out.dtype = v.dtype;
    out.rank = v.rank;
    out.dims = v.dims;
    out.data = host_elements(ctx, item.tensor, copies);
    out.bytes = tn_tensor_bytes(item.tensor);
    raw.push_back(out);
  }
  check(plugin.format->save(plugin.state, {path.data(), path.size()}, raw.data(),
                            static_cast<uint32_t>(raw.size()), metadata, n_metadata));
}

}  // namespace tenon

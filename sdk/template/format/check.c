/* Writes a tensor, reads it again, and is refused a damaged file. */
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

#define FILE_NAME "check.myformat"

typedef struct App {
  tn_runtime* rt;
  tn_ctx* cx;
  tn_model* model;
  tn_tensor *x, *again;
} App;

static const float values[] = {1, -2.5f, 1e-30f, 4};

static tn_error* run(App* a, float* again) {
  const tn_str plugin = tn_string(PLUGIN), name = tn_string("layer 1"), path = tn_string(FILE_NAME);
  const tn_metadata note = {tn_string("note"), tn_string("100 % text")};
  const int64_t dims[] = {2, 2};
  tn_runtime_desc desc = tn_runtime_desc_init();
  desc.plugin_paths = &plugin;
  desc.plugin_path_count = 1;
  TN_TRY(tn_runtime_create(&desc, &a->rt));
  TN_TRY(tn_ctx_create(a->rt, tn_string(NULL), &a->cx));
  TN_TRY(tn_tensor_from_f32(a->cx, values, 2, dims, &a->x));
  TN_TRY(tn_model_save(a->cx, path, &name, &a->x, 1, &note, 1, NULL));
  TN_TRY(tn_model_open(a->rt, path, NULL, &a->model));
  TN_TRY(tn_model_take_tensor(a->cx, a->model, name, &a->again));
  return tn_tensor_read(a->cx, a->again, again, sizeof values);
}

/* What opening the file says when its last line is missing. */
static int refuses_damage(App* a) {
  char text[4096];
  FILE* file = fopen(FILE_NAME, "r");
  const size_t n = file ? fread(text, 1, sizeof text, file) : 0;
  if (file) fclose(file);
  file = fopen(FILE_NAME, "w");
  if (!file || n < 4) return 0;
  fwrite(text, 1, n - 4, file);
  fclose(file);
  tn_model* model = NULL;
  tn_error* error = tn_model_open(a->rt, tn_string(FILE_NAME), NULL, &model);
  const int refused = error && tn_error_code(error) == TN_DATA_LOSS;
  if (error) printf("a damaged file is refused: %s\n", tn_error_message(error));
  tn_model_release(model), tn_error_release(error);
  file = fopen(FILE_NAME, "w");
  if (!file) return 0;
  fwrite(text, 1, n, file);
  fclose(file);
  return refused;
}

int main(void) {
  App a = {0};
  float again[4] = {0};
  tn_error* error = run(&a, again);
  if (error) fprintf(stderr, "check: %s\n", tn_error_message(error));
  const int right = !error && memcmp(again, values, sizeof values) == 0 && refuses_damage(&a);
  if (!error) puts(right ? "what was saved was read again" : "what was read differs");
  tn_tensor_release(a.x), tn_tensor_release(a.again), tn_model_release(a.model);
  tn_ctx_release(a.cx), tn_runtime_release(a.rt), tn_error_release(error);
  return right ? 0 : 1;
}

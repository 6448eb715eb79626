/* Loads the network of train_digits from model.safetensors in the current folder: how its loss fell, which
 * held-out digits it misreads, and its accuracy on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"

typedef struct Inference {
  Options options;
  tn_runtime* rt;
  tn_ctx* ctx;
  Digits test;
  tn_model* model;
  tn_tensor* params[kParams];
  int64_t* classes;
} Inference;

/* ---- the loss curve --------------------------------------------------------------------------- */

enum { kRows = 10, kColumns = 64, kMaxEpochs = 1000 };

static void draw_curve(const double* loss, int n) {
  char grid[kRows][kColumns + 1];
  double top = 0;
  for (int i = 0; i < n; ++i) top = loss[i] > top ? loss[i] : top;
  if (n < 1 || top <= 0) return;
  memset(grid, ' ', sizeof grid);
  for (int x = 0; x < kColumns; ++x) {
    const double at = n > 1 ? (double)x * (n - 1) / (kColumns - 1) : 0;
    const int i = (int)at, j = i + 1 < n ? i + 1 : i;
    const double value = loss[i] + (loss[j] - loss[i]) * (at - i);
    const int row = (int)((1 - value / top) * (kRows - 1) + 0.5);
    if (row >= 0 && row < kRows) grid[row][x] = '*';
  }
  printf("\nloss\n");
  for (int y = 0; y < kRows; ++y) {
    grid[y][kColumns] = '\0';
    for (int x = kColumns - 1; x >= 0 && grid[y][x] == ' '; --x) grid[y][x] = '\0';
    if (y == 0 || y == kRows - 1)
      printf("%7.3f |%s\n", y == 0 ? top : 0.0, grid[y]);
    else
      printf("        |%s\n", grid[y]);
  }
  printf("        +");
  for (int x = 0; x < kColumns; ++x) putchar('-');
  printf("\n         epoch 1%*d\n", kColumns - 7, n);
}

/* The losses that train_digits left in the metadata, if it did. */
static tn_error* show_curve(const Inference* t) {
  double loss[kMaxEpochs];
  int n = 0;
  for (uint32_t i = 0; i < tn_model_metadata_count(t->model); ++i) {
    tn_str key, value;
    TN_TRY(tn_model_get_metadata(t->model, i, &key, &value));
    if (key.size != 4 || memcmp(key.data, "loss", 4) != 0) continue;
    char* text = calloc(value.size + 1, 1);
    if (!text) return tn_error_create(TN_OUT_OF_MEMORY, tn_string("no memory for the curve"));
    memcpy(text, value.data, value.size);
    char* end = NULL;
    for (char* at = text; n < kMaxEpochs; at = end, ++n) {
      loss[n] = strtod(at, &end);
      if (end == at) break;
    }
    free(text);
  }
  draw_curve(loss, n);
  return NULL;
}

/* ---- misread digits --------------------------------------------------------------------------- */

enum { kShown = 4 };

static void show_misread(const Inference* t) {
  const char* ink = " .:-=+*#%@";
  int64_t wrong[kShown];
  int shown = 0, all = 0;
  for (int64_t i = 0; i < t->test.count; ++i) {
    if (t->classes[i] == t->test.labels[i]) continue;
    if (shown < kShown) wrong[shown++] = i;
    ++all;
  }
  if (!all) return;
  printf("\n%d of %lld misread; %s, by their line in digits.csv:\n\n", all,
         (long long)t->test.count, all > shown ? "the first of them" : "here they are");
  for (int k = 0; k < shown; ++k)
    printf(" %lld read as %lld       ", (long long)t->test.labels[wrong[k]],
           (long long)t->classes[wrong[k]]);
  putchar('\n');
  for (int y = 0; y < kSide; ++y) {
    for (int k = 0; k < shown; ++k) {
      putchar(' ');
      for (int x = 0; x < kSide; ++x) {
        const char c = ink[(int)(t->test.pixels[wrong[k] * kPixels + y * kSide + x] * 9 + 0.5f)];
        putchar(c), putchar(c);
      }
      printf("  ");
    }
    putchar('\n');
  }
  for (int k = 0; k < shown; ++k) printf(" line %-13lld", (long long)t->test.lines[wrong[k]]);
  putchar('\n');
}

/* ----------------------------------------------------------------------------------------------- */

static tn_error* run(Inference* t) {
  int64_t right = 0;
  TN_TRY(digits_load(1, &t->test));
  t->classes = malloc((size_t)t->test.count * sizeof(int64_t));
  if (!t->classes) return tn_error_create(TN_OUT_OF_MEMORY, tn_string("no memory for the classes"));
  TN_TRY(tn_runtime_create(NULL, &t->rt));
  TN_TRY(tn_ctx_create(t->rt, tn_string(t->options.device), &t->ctx));
  TN_TRY(tn_model_open(t->rt, tn_string(MODEL_FILE), NULL, &t->model));
  for (int k = 0; k < kParams; ++k)
    TN_TRY(tn_model_take_tensor(t->ctx, t->model, tn_string(kParam[k].name), &t->params[k]));
  TN_TRY(net_classify(t->ctx, t->params, &t->test, t->classes, &right));
  TN_TRY(show_curve(t));
  show_misread(t);
  printf("\ntest accuracy: %.1f %%\n", 100.0 * (double)right / (double)t->test.count);
  return NULL;
}

int main(int argc, char** argv) {
  Inference t = {0};
  const int status = options_read(
      argc, argv, "Reads the held-out digits. What else train_digits takes changes nothing.", 0,
      &t.options);
  if (status >= 0) return status;
  tn_error* error = run(&t);
  if (error) fprintf(stderr, "infer_digits: %s\n", tn_error_message(error));
  tn_error_release(error);
  for (int k = 0; k < kParams; ++k) tn_tensor_release(t.params[k]);
  tn_model_release(t.model);
  tn_ctx_release(t.ctx);
  tn_runtime_release(t.rt);
  digits_free(&t.test);
  free(t.classes);
  return error ? 1 : 0;
}

#include "digits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- command line ----------------------------------------------------------------------------- */

static const char kUsage[] =
    "usage: %s [--device NAME]%s\n"
    "  --device NAME  where to compute: cpu, reference ...; default: TENON_DEVICE, else the best "
    "one\n%s";
static const char kTraining[] = " [--epochs N] [--batch N] [--lr X] [--seed N] [--curve FILE]";
static const char kTrainingUsage[] =
    "  --epochs N     times through the training images (20)\n"
    "  --batch N      images per step (32)\n"
    "  --lr X         learning rate at the start (0.2)\n"
    "  --seed N       of the first weights and of the order of the images (1)\n"
    "  --curve FILE   also write the loss of each epoch to FILE, one per line\n";

static void usage(FILE* to, const char* program, int training) {
  fprintf(to, kUsage, program, training ? kTraining : "", training ? kTrainingUsage : "");
}

/* One option and its value; 0 if it is not one. */
static int option_set(Options* o, const char* name, const char* value) {
  char* end = NULL;
  errno = 0;
  if (strcmp(name, "--device") == 0) return o->device = value, 1;
  if (strcmp(name, "--curve") == 0) return o->curve = value, 1;
  if (strcmp(name, "--lr") == 0) {
    o->lr = strtod(value, &end);
    return end != value && *end == '\0' && o->lr > 0;
  }
  const long long n = strtoll(value, &end, 10);
  if (end == value || *end != '\0' || errno || n < 0) return 0;
  if (strcmp(name, "--seed") == 0) return o->seed = (uint64_t)n, 1;
  if (strcmp(name, "--epochs") == 0) return o->epochs = n, n > 0;
  if (strcmp(name, "--batch") == 0) return o->batch = n, n > 0;
  return 0;
}

int options_read(int argc, char** argv, const char* what, int training, Options* out) {
  *out = (Options){.epochs = 20, .batch = 32, .seed = 1, .lr = 0.2};
  for (int i = 1; i < argc; i += 2) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      printf("%s\n", what);
      usage(stdout, argv[0], training);
      return 0;
    }
    if (i + 1 == argc || !option_set(out, argv[i], argv[i + 1])) {
      fprintf(stderr, "%s: cannot use '%s%s%s'\n", argv[0], argv[i], i + 1 < argc ? " " : "",
              i + 1 < argc ? argv[i + 1] : "");
      usage(stderr, argv[0], training);
      return 2;
    }
  }
  return -1;
}

/* ---- data ------------------------------------------------------------------------------------- */

enum { kLines = 1797, kEvery = 5 }; /* every fifth image is held out */

static tn_error* problem(tn_code code, const char* path, const char* what) {
  char text[1024];
  snprintf(text, sizeof text, "%s: %s", path, what);
  return tn_error_create(code, tn_string(text));
}

/* The 65 numbers of a line: 64 grey values from 0 to 16, then the digit. */
static int parse_line(const char* line, float* pixels, int64_t* label) {
  for (int i = 0; i <= kPixels; ++i) {
    char* end = NULL;
    const long v = strtol(line, &end, 10);
    if (end == line || v < 0 || v > (i < kPixels ? 16 : 9)) return 0;
    if (i < kPixels) pixels[i] = (float)v / 16.0f;
    if (i == kPixels) *label = v;
    line = end + (*end == ',');
  }
  return 1;
}

tn_error* digits_load(int held_out, Digits* out) {
  char path[512], text[512];
  const char* folder = getenv("TENON_SAMPLES_DATA");
  snprintf(path, sizeof path, "%s/digits.csv", folder ? folder : TENON_SAMPLES_DATA);
  *out = (Digits){.pixels = malloc(kLines * kPixels * sizeof(float)),
                  .labels = malloc(kLines * sizeof(int64_t)),
                  .lines = malloc(kLines * sizeof(int64_t))};
  if (!out->pixels || !out->labels || !out->lines)
    return problem(TN_OUT_OF_MEMORY, path, "no memory for the images");
  FILE* file = fopen(path, "r");
  if (!file) return problem(TN_IO, path, strerror(errno));
  tn_error* error = NULL;
  int64_t line = 0;
  while (!error && line < kLines && fgets(text, sizeof text, file)) {
    ++line;
    if ((line % kEvery == 0) != held_out) continue;
    if (!parse_line(text, out->pixels + out->count * kPixels, out->labels + out->count))
      error = problem(TN_DATA_LOSS, path, "a line is not 64 grey values and a digit");
    out->lines[out->count++] = line;
  }
  if (!error && line < kLines) error = problem(TN_DATA_LOSS, path, "fewer than 1797 images");
  fclose(file);
  return error;
}

void digits_free(Digits* digits) {
  free(digits->pixels);
  free(digits->labels);
  free(digits->lines);
  *digits = (Digits){0};
}

/* ---- network ---------------------------------------------------------------------------------- */

const Param kParam[kParams] = {{"fc1.weight", 2, {kHidden, kPixels}},
                               {"fc1.bias", 1, {kHidden, 0}},
                               {"fc2.weight", 2, {kClasses, kHidden}},
                               {"fc2.bias", 1, {kClasses, 0}}};

tn_error* net_logits(tn_ctx* ctx, tn_tensor* const params[kParams], tn_tensor* images,
                     tn_tensor** out_logits) {
  tn_tensor *hidden = NULL, *active = NULL;
  tn_error* error = tn_linear(ctx, images, params[0], params[1], &hidden);
  if (!error) error = tn_tanh(ctx, hidden, &active);
  if (!error) error = tn_linear(ctx, active, params[2], params[3], out_logits);
  tn_tensor_drop(ctx, hidden), tn_tensor_drop(ctx, active);
  return error;
}

tn_error* net_classes(tn_ctx* ctx, tn_tensor* const params[kParams], tn_tensor* images,
                      tn_tensor** out_classes) {
  tn_tensor* logits = NULL;
  const int32_t mode = tn_ctx_set_grad_mode(ctx, 0);
  tn_error* error = net_logits(ctx, params, images, &logits);
  if (!error) error = tn_argmax(ctx, logits, NULL, out_classes);
  tn_ctx_set_grad_mode(ctx, mode);
  tn_tensor_drop(ctx, logits);
  return error;
}

tn_error* net_classify(tn_ctx* ctx, tn_tensor* const params[kParams], const Digits* digits,
                       int64_t* out_classes, int64_t* out_right) {
  const int64_t dims[2] = {digits->count, kPixels};
  tn_tensor *images = NULL, *classes = NULL;
  tn_error* error = tn_tensor_from_f32(ctx, digits->pixels, 2, dims, &images);
  if (!error) error = net_classes(ctx, params, images, &classes);
  if (!error)
    error = tn_tensor_read(ctx, classes, out_classes, (uint64_t)digits->count * sizeof(int64_t));
  *out_right = 0;
  for (int64_t i = 0; !error && i < digits->count; ++i)
    *out_right += out_classes[i] == digits->labels[i];
  tn_tensor_drop(ctx, images), tn_tensor_drop(ctx, classes);
  return error;
}

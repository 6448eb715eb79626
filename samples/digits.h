/* What train_digits and infer_digits share: the command line, the data, the network. */
#ifndef TENON_SAMPLES_DIGITS_H_
#define TENON_SAMPLES_DIGITS_H_
#include <tenon/tenon.h>

enum { kSide = 8, kPixels = kSide * kSide, kHidden = 128, kClasses = 10, kParams = 4 };

#define MODEL_FILE "model.safetensors"

typedef struct Options {
  const char* device; /* NULL: TENON_DEVICE, else the best one */
  const char* curve;  /* file for the loss of each epoch, or NULL */
  int64_t epochs, batch;
  uint64_t seed;
  double lr;
} Options;

/* Fills *out from the command line. Without `training` the options of a training are taken, as they may stand in one line for
 * both programs, but not shown by --help. Gives -1 to go on, else the exit status: 0 after --help, 2 after
 * wrong use. */
int options_read(int argc, char** argv, const char* what, int training, Options* out);

typedef struct Digits {
  int64_t count;
  float* pixels;   /* [count, kPixels], 0 to 1 */
  int64_t* labels; /* [count] */
  int64_t* lines;  /* [count]: where each stands in digits.csv, from 1 */
} Digits;

/* The images to train on, or the held-out fifth of them. Free with digits_free, also after an error.
 * The folder of digits.csv is TENON_SAMPLES_DATA if set, else the one known when this was built. */
tn_error* digits_load(int held_out, Digits* out);
void digits_free(Digits* digits);

/* Names and dims of the parameters of the network: 64 -> 128 -> 10, tanh between: smooth,
 * so that devices that round otherwise stay on one loss curve. */
typedef struct Param {
  const char* name;
  uint32_t rank;
  int64_t dims[2];
} Param;
extern const Param kParam[kParams];

/* logits [n, 10] of images [n, 64]. */
tn_error* net_logits(tn_ctx* ctx, tn_tensor* const params[kParams], tn_tensor* images,
                     tn_tensor** out_logits);
/* The class of each image, i64 [n]. Records no gradients. */
tn_error* net_classes(tn_ctx* ctx, tn_tensor* const params[kParams], tn_tensor* images,
                      tn_tensor** out_classes);
/* The same on the host, and how many are right. */
tn_error* net_classify(tn_ctx* ctx, tn_tensor* const params[kParams], const Digits* digits,
                       int64_t* out_classes, int64_t* out_right);

#endif

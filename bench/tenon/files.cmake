# Our side of the bench: what bench_worker is made of, and the part of the command `tenon` that measures. Relative to bench/.
set(TENON_BENCH_FILES
  tenon/worker.c tenon/attention.c tenon/conv.c tenon/dispatch.c tenon/eager.c tenon/elementwise.c tenon/files.c
  tenon/gpt.c tenon/matmul.c tenon/optimizer.c tenon/recurrent.c tenon/resnet.c tenon/threads.c tenon/trainer.c tenon/training.c common/sum_bytes.c)

// The numbers that change from step to step; src/train/sweep.ts writes them.

struct Schedule {
  learning_rate: f32,
  correction1: f32, // 1 - beta1^t of Adam
  correction2: f32, // 1 - beta2^t of Adam
  batch_start: u32, // where the batch begins in the epoch's order of rows
  step: u32, // steps of the training before this one
}

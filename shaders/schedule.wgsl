// The numbers that change with every training step. The host writes them before each step.

struct Schedule {
  learning_rate: f32,
  correction1: f32, // 1 - beta1^t of Adam
  correction2: f32, // 1 - beta2^t of Adam
  batch_start: u32, // where the batch begins in the epoch's order of rows
  step: u32, // number of earlier training steps
}

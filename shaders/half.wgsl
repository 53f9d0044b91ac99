// Arithmetic in f16, where the device has `shader-f16`. The first fragment of a kernel: a directive stands before all else.

enable f16;

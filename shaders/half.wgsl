// Enables f16 arithmetic on devices with `shader-f16`. Must be the first fragment of a kernel: WGSL wants directives
// first.

enable f16;

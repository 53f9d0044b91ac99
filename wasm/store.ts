/** The first `bytes` (4, 8, 12, or 16 and more for all) of a vector. */
// @ts-ignore: decorator
@inline
export function storeFirst(to: usize, v: v128, bytes: usize): void {
  if (bytes >= 16) {
    v128.store(to, v);
  } else {
    store<f32>(to, f32x4.extract_lane(v, 0));
    if (bytes > 4) store<f32>(to, f32x4.extract_lane(v, 1), 4);
    if (bytes > 8) store<f32>(to, f32x4.extract_lane(v, 2), 8);
  }
}

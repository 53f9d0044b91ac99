/** Stores the first `bytes` of a vector: 4, 8 or 12, or all of it from 16 on. */
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

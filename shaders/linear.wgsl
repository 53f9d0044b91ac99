// The element that an invocation computes in a grid that `linearGrid` (kernels/dispatch.ts) folded into two dimensions.

fn linear_index(id: vec3u, workgroups: vec3u, workgroup_size: u32) -> u32 {
  return id.x + id.y * workgroups.x * workgroup_size;
}

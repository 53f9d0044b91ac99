// Nothing: what a launch costs.
// Grid: (1, 1, 1).

@compute @workgroup_size(1)
fn main() {}

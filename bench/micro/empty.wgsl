// Does nothing, to measure the cost of a launch.
// Grid: (1, 1, 1).

@compute @workgroup_size(1)
fn main() {}

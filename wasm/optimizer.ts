/** Optimizer steps, in place. Arrays have room for a whole vector after their end. */

/** Adam (arXiv:1412.6980) with decoupled weight decay (arXiv:1711.05101). correction1, correction2: 1 - beta^t. */
export function adam(
  value: usize,
  gradient: usize,
  moment1: usize,
  moment2: usize,
  count: i32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  decay: f32,
  rate: f32,
  correction1: f32,
  correction2: f32,
): void {
  const bytes = <usize>count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const g = v128.load(gradient + i);
    const old1 = f32x4.mul(f32x4.splat(beta1), v128.load(moment1 + i));
    const old2 = f32x4.mul(f32x4.splat(beta2), v128.load(moment2 + i));
    const m1 = f32x4.add(old1, f32x4.mul(f32x4.splat(<f32>1 - beta1), g));
    const m2 = f32x4.add(old2, f32x4.mul(f32x4.splat(<f32>1 - beta2), f32x4.mul(g, g)));
    v128.store(moment1 + i, m1);
    v128.store(moment2 + i, m2);
    const root = f32x4.sqrt(f32x4.div(m2, f32x4.splat(correction2)));
    const step = f32x4.div(f32x4.div(m1, f32x4.splat(correction1)), f32x4.add(root, f32x4.splat(epsilon)));
    const old = v128.load(value + i);
    const change = f32x4.add(step, f32x4.mul(f32x4.splat(decay), old));
    v128.store(value + i, f32x4.sub(old, f32x4.mul(f32x4.splat(rate), change)));
  }
}

/** Gradient descent with momentum. */
export function sgd(value: usize, gradient: usize, velocity: usize, count: i32, momentum: f32, rate: f32): void {
  const bytes = <usize>count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const v = f32x4.add(f32x4.mul(f32x4.splat(momentum), v128.load(velocity + i)), v128.load(gradient + i));
    v128.store(velocity + i, v);
    v128.store(value + i, f32x4.sub(v128.load(value + i), f32x4.mul(f32x4.splat(rate), v)));
  }
}

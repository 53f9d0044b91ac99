import * as jax from '@jax-js/jax';
import { first, storedLayers } from './page.ts';

await first(async (pixels) => {
  const [layers] = await Promise.all([storedLayers(), jax.init('webgpu')]);
  jax.defaultDevice('webgpu');
  const { numpy: np, nn } = jax;
  const [w0, b0, w1, b1] = layers.map((data) => np.array(data));
  const predict = jax.jit((x: jax.Array, w0: jax.Array, b0: jax.Array, w1: jax.Array, b1: jax.Array) =>
    np.matmul(nn.relu(np.matmul(x, w0).add(b0)), w1).add(b1),
  );
  const x = np.array(pixels).reshape([1, 784]);
  return predict(x, w0!.reshape([784, 1024]), b0!, w1!.reshape([1024, 10]), b1!).data();
});

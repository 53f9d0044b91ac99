import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';
import { first, storedLayers } from './page.ts';

await first(async (pixels) => {
  const [[w0, b0, w1, b1]] = await Promise.all([storedLayers(), tf.setBackend('webgpu')]);
  const layer = (a: tf.Tensor, w: Float32Array, b: Float32Array, activation?: string) =>
    tf.fused.matMul({
      a,
      b: tf.tensor2d(w, [w.length / b.length, b.length]),
      bias: tf.tensor1d(b),
      ...(activation && { activation }),
    });
  const hidden = layer(tf.tensor2d(pixels, [1, pixels.length]), w0!, b0!, 'relu');
  return layer(hidden, w1!, b1!).data();
});

import type { OnnxRuntime } from 'onnxruntime-web';
import { bytesOf, first } from './page.ts';

const FOLDER = '/onnxruntime/';

await first(async (pixels) => {
  const [ort, model] = await Promise.all([
    import(`${FOLDER}ort.webgpu.min.mjs`) as Promise<OnnxRuntime>,
    bytesOf('/first/model.onnx'),
  ]);
  ort.env.wasm.wasmPaths = FOLDER;
  const session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ['webgpu'] });
  const { y } = await session.run({ x: new ort.Tensor('float32', pixels, [1, pixels.length]) });
  return y!.getData();
});

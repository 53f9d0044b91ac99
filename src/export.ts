/** `weightless/export`: models as files for other runtimes. */
import { registerConvolutions } from './convolution.ts';

export { exportOnnx, type OnnxOptions, onnxChunks } from './export/onnx.ts';

registerConvolutions(); // this file has kinds of layers of its own, apart from those of weightless.js

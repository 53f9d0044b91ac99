/** `weightless-gpu/export`: models as files for other runtimes. */
import { registerConvolutions } from './convolution.ts';

export { exportOnnx, type OnnxOptions, onnxChunks } from './export/onnx.ts';

registerConvolutions(); // models over images are known, too

/** `weightless/export`: models as files for other runtimes. */
import './convolution.ts'; // models over images are known, too

export { exportOnnx, type OnnxOptions, onnxChunks } from './export/onnx.ts';

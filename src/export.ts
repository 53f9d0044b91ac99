/** `weightless-gpu/export`: models as files for other runtimes. */
import { registerEveryKind } from './layers/every.ts';

export { exportOnnx, type OnnxOptions, onnxChunks } from './export/onnx.ts';

// dist/export.js has a table of kinds of its own, so it cannot rely on what a page registered.
registerEveryKind();

/**
 * A process that compiles shaders for a GPU that is not there (compiler.ts sets its environment up). One message a shader, one
 * answer: what null_gpu.c wrote down, or an error.
 */
import { readFileSync, rmSync } from 'node:fs';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const out = process.env.NULL_GPU_OUT;
/** Without the checks of indices that Tint adds for a browser's safety, or with them. */
const features = process.env.NULL_GPU_CHECKS ? [] : ['enable-dawn-features=disable_robustness'];
globalThis.gpu = create(['backend=vulkan', ...features]); // Dawn aborts once it is collected

process.on('disconnect', () => process.exit()); // the bench is gone

const adapter = await globalThis.gpu.requestAdapter();
if (!adapter) {
  process.send({ error: `the Vulkan driver offers no GPU '${process.env.RADV_FORCE_FAMILY}'` }, () => process.exit(1));
} else {
  const limits = [
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupSizeY',
    'maxComputeWorkgroupSizeZ',
    'maxComputeWorkgroupStorageSize',
    'maxStorageBuffersPerShaderStage',
  ];
  const device = await adapter.requestDevice({
    requiredFeatures: ['shader-f16', 'subgroups'].filter((name) => adapter.features.has(name)),
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
  let count = 0;
  process.on('message', async ({ code, entryPoint, constants }) => {
    rmSync(out, { force: true });
    device.pushErrorScope('validation');
    // Dawn would answer a shader that it has seen with the pipeline of then, and nothing would be written down.
    const module = device.createShaderModule({ code: `${code}\n// ${++count}` });
    try {
      await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint, constants } });
      process.send({ text: readFileSync(out, 'utf8') });
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const told = messages
        .filter(({ type }) => type === 'error')
        .map(({ message, lineNum }) => `line ${lineNum}: ${message}`);
      process.send({ error: told.join('; ') || error.message });
    }
    device.popErrorScope().catch(() => {});
  });
  process.send({ adapter: adapter.info.description });
}

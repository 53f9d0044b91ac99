/**
 * A process that compiles shaders for an absent GPU; compiler.ts sets up its environment. It replies to each shader
 * with one message: the output of null_gpu.c, or an error.
 */
import { readFileSync, rmSync } from 'node:fs';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals);
const out = process.env.NULL_GPU_OUT;
/** With or without the bounds checks that Tint adds for safety in browsers. */
const features = process.env.NULL_GPU_CHECKS ? [] : ['enable-dawn-features=disable_robustness'];
globalThis.gpu = create(['backend=vulkan', ...features]); // Dawn aborts if this is garbage-collected

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
    // The comment makes each shader unique: Dawn would return a cached pipeline, and the driver would write nothing.
    const module = device.createShaderModule({ code: `${code}\n// ${++count}` });
    try {
      await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint, constants } });
      process.send({ text: readFileSync(out, 'utf8') });
    } catch (error) {
      const { messages } = await module.getCompilationInfo();
      const errors = messages
        .filter(({ type }) => type === 'error')
        .map(({ message, lineNum }) => `line ${lineNum}: ${message}`);
      process.send({ error: errors.join('; ') || error.message });
    }
    device.popErrorScope().catch(() => {});
  });
  process.send({ adapter: adapter.info.description });
}

/**
 * The sketches behind the mix and the layout of the weight stream (docs/decisions.md): ways to decode a word into weights, in
 * the two shapes of kernel, timed in headless Chromium against a matmul that reads stored weights.
 *
 *   node bench/stream-sketches.mjs             milliseconds, minimum and median, in one interleaved run
 *   node bench/stream-sketches.mjs --dump DIR  writes each shader to a file, for a GPU compiler
 *
 * These are sketches of ideas, not the library's kernels. Their code is assembled from the parts that vary.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Command } from 'commander';
import puppeteer from 'puppeteer-core';
import { findChromium } from '../scripts/setup.mjs';

const rounds = {
  two: `fn word(k: vec2u, j: u32) -> u32 {
  var h = k.x + j * 0x9e3779b9u; h ^= h >> 16u; h *= k.y | 1u; h = (h ^ (h >> 15u)) + k.y; h *= 0x735a2d97u; return h ^ (h >> 15u);
}`,
  three: `fn word(k: vec2u, j: u32) -> u32 {
  var h = k.x + j * 0x9e3779b9u; h ^= h >> 17u; h *= 0xed5ad4bbu; h ^= h >> 11u; h = (h + k.y) * 0xac4c1b51u; h ^= h >> 15u;
  h *= 0x31848babu; return h ^ (h >> 14u);
}`,
};

const signed = (word) => `let s = bitcast<i32>(${word});
  return vec4f(f32((s << 24u) >> 24u), f32((s << 16u) >> 24u), f32((s << 8u) >> 24u), f32(s >> 24u));`;
const lookUp = 'return vec4f(table[h & 255u], table[(h >> 8u) & 255u], table[(h >> 16u) & 255u], table[h >> 24u]);';
const decoders = {
  byte: { name: 'byte as the weight', code: `fn decode(h: u32) -> vec4f { ${signed('h')} }` },
  workgroup: {
    name: 'table in workgroup memory',
    code: `@group(0) @binding(3) var<storage, read> source: array<f32, 256>;
var<workgroup> table: array<f32, 256>;
fn decode(h: u32) -> vec4f { ${lookUp} }`,
    prepare: (size) => `for (var i = local; i < 256u; i += ${size}u) { table[i] = source[i]; } workgroupBarrier();`,
  },
  storage: {
    name: 'table in a storage buffer',
    code: `@group(0) @binding(3) var<storage, read> table: array<f32, 256>;
fn decode(h: u32) -> vec4f { ${lookUp} }`,
  },
  packed: {
    name: 'packed piecewise-linear',
    code: `fn knot(m: u32, t: u32) -> u32 { let d = (m | 0x80808080u) - t; let top = d & 0x80808080u; return d & (top - (top >> 7u)); }
fn decode(h: u32) -> vec4f {
  let top = h & 0x80808080u; let flip = top - (top >> 7u); let m = (h ^ flip) & 0x7f7f7f7fu;
  let base = ((h >> 2u) & 0x3f3f3f3fu) + ((h >> 3u) & 0x1f1f1f1fu);
  let tail = ((knot(m, 0x50505050u) >> 2u) & 0x1f1f1f1fu) + knot(m, 0x70707070u) + knot(m, 0x7a7a7a7au);
  ${signed('base + (tail & ~flip) - (tail & flip) + 0x51515151u')}
}`,
  },
};

const head = `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> keys: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> p: vec4u; // m, k, n
`;
const entry = (size) => `@compute @workgroup_size(${size})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {`;
const each = (count, line) => Array.from({ length: count }, (_, i) => line(i)).join('\n  ');

const one = (round, { code, prepare }) => `${head}${rounds[round]}\n${code}\n${entry(64)}
  ${prepare?.(64) ?? ''}
  let n = id.x; let key = keys[n]; var sum = 0.0;
  for (var j = 0u; j < p.y / 4u; j++) {
    let w = decode(word(key, j)); let v = x[j]; sum += w.x * v.x; sum += w.y * v.y; sum += w.z * v.z; sum += w.w * v.w;
  }
  y[n] = sum;
}`;
const tile = ({ code, prepare }) => `${head}${rounds.two}\n${code}\n${entry(32)}
  ${prepare?.(32) ?? ''}
  let n = id.x * 4u; let m = id.y * 8u; let quads = p.y / 4u;
  ${each(4, (i) => `let key${i} = keys[n + ${i}u];`)}
  ${each(8, (i) => `var sum${i} = vec4f();`)}
  for (var j = 0u; j < quads; j++) {
  ${each(4, (i) => `let w${i} = decode(word(key${i}, j));`)}
  ${each(4, (i) => `let c${i} = vec4f(${[0, 1, 2, 3].map((u) => `w${u}.${'xyzw'[i]}`).join(', ')});`)}
  ${each(8, (i) => `{ let v = x[(m + ${i}u) * quads + j]; sum${i} += v.x * c0; sum${i} += v.y * c1; sum${i} += v.z * c2; sum${i} += v.w * c3; }`)}
  }
  ${each(8, (i) => each(4, (u) => `y[(m + ${i}u) * p.z + n + ${u}u] = sum${i}.${'xyzw'[u]};`))}
}`;
const stored = `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<uniform> p: vec4u;
${entry(64)}
  let n = id.x; let quads = p.z / 4u; var sum = vec4f();
  for (var j = 0u; j < p.y / 4u; j++) {
    let v = x[j]; let at = 4u * j * quads + n;
    sum += v.x * w[at]; sum += v.y * w[at + quads]; sum += v.z * w[at + 2u * quads]; sum += v.w * w[at + 3u * quads];
  }
  y[n] = sum;
}`;

const small = { m: 1, k: 4096, n: 4096, grid: [64, 1] };
const large = { m: 256, k: 1024, n: 1024, grid: [8, 32] };
const jobs = [
  { name: '1 x 4096 x 4096: byte as the weight, two rounds', code: one('two', decoders.byte), ...small },
  { name: '1 x 4096 x 4096: byte as the weight, three rounds', code: one('three', decoders.byte), ...small },
  ...['workgroup', 'storage', 'packed'].map((key) => ({
    name: `1 x 4096 x 4096: ${decoders[key].name}`,
    code: one('two', decoders[key]),
    ...small,
  })),
  { name: '1 x 4096 x 4096: stored f32, (inputs, units)', code: stored, ...small, grid: [16, 1], stored: true },
  ...Object.values(decoders).map(({ name, ...decoder }) => ({
    name: `256 x 1024 x 1024, 8 x 4 tile: ${name}`,
    code: tile(decoder),
    ...large,
  })),
].map((job) => ({ ...job, bindings: [0, 1, 2, ...(job.code.includes('@binding(3)') ? [3] : []), 4] }));

/** Runs in the page. */
async function measure(jobs, runs) {
  const adapter = await navigator.gpu.requestAdapter();
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  const upload = (data, usage) => {
    const buffer = device.createBuffer({ size: data.byteLength, usage: usage | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const random = (count) => Float32Array.from({ length: count }, () => Math.random() * 2 - 1);
  const times = jobs.map(() => []);
  const steps = [];
  for (const { code, m, k, n, grid, bindings, stored } of jobs) {
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module, entryPoint: 'main' },
    });
    const keys = new Uint32Array(2 * n).map(() => Math.random() * 2 ** 32);
    const { STORAGE, UNIFORM } = GPUBufferUsage;
    const buffers = {
      0: upload(random(m * k), STORAGE),
      1: upload(stored ? random(k * n) : keys, STORAGE),
      2: upload(new Float32Array(m * n), STORAGE),
      3: upload(random(256), STORAGE),
      4: upload(new Uint32Array([m, k, n, 0]), UNIFORM),
    };
    const entries = bindings.map((binding) => ({ binding, resource: { buffer: buffers[binding] } }));
    steps.push({ pipeline, group: device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }), grid });
  }
  for (let run = -2; run < runs; run++) {
    for (const [i, { pipeline, group, grid }] of steps.entries()) {
      const started = performance.now();
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      if (run >= 0) times[i].push(performance.now() - started);
    }
  }
  return { times, adapter: `${adapter.info.vendor} ${adapter.info.architecture}` };
}

const { dump, runs } = new Command()
  .option('--dump <folder>', 'write the shaders there, measure nothing')
  .option('--runs <n>', 'counted runs of each', Number, 12)
  .parse()
  .opts();

if (dump) {
  mkdirSync(dump, { recursive: true });
  for (const { name, code } of jobs) writeFileSync(join(dump, `${name.replace(/\W+/g, '-')}.wgsl`), code);
} else {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<html></html>'));
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const args = ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--no-first-run'];
  const browser = await puppeteer.launch({ executablePath: findChromium(), headless: true, args });
  const page = await browser.newPage();
  await page.goto(`http://localhost:${server.address().port}`);
  const { times, adapter } = await page.evaluate(measure, jobs, runs);
  console.log(`${adapter}, ${runs} runs after 2 of warm-up, in turn`);
  for (const [i, { name }] of jobs.entries()) {
    const sorted = times[i].sort((a, b) => a - b);
    console.log(
      `${name.padEnd(60)} minimum ${sorted[0].toFixed(1)} ms, median ${sorted[sorted.length >> 1].toFixed(1)} ms`,
    );
  }
  await browser.close();
  server.close();
}

/**
 * In Node, Dawn polls its promises in every turn of the event loop. While one is pending the loop spins and takes a
 * core away from the software adapter's compiler. With this file every turn first sleeps a little.
 */
const TURN_MS = 0.5;
const never = new Int32Array(new SharedArrayBuffer(4));
let pending = 0;

function turn(): void {
  Atomics.wait(never, 0, 0, TURN_MS);
  if (pending > 0) setImmediate(turn);
}

function rest(prototype: object, name: string): void {
  const methods = prototype as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const method = methods[name]!;
  methods[name] = function (this: unknown, ...args) {
    const promise = method.apply(this, args);
    if (pending++ === 0) setImmediate(turn);
    const end = () => void pending--;
    promise.then(end, end);
    return promise;
  };
}

export {};

if (!('Deno' in globalThis)) {
  const { globals } = await import('webgpu');
  const { GPUDevice, GPUQueue, GPUBuffer } = globals as Record<string, { prototype: object }>;
  rest(GPUDevice!.prototype, 'createComputePipelineAsync');
  rest(GPUQueue!.prototype, 'onSubmittedWorkDone');
  rest(GPUBuffer!.prototype, 'mapAsync');
}

/** Shared code of the minimal pages: fetches one input and reports when its scores are ready. */
declare global {
  /** Milliseconds from navigation to the first scores, or the error. */
  var firstPrediction: { readonly ms: number; readonly scores: readonly number[] } | { readonly error: string };
}

export const bytesOf = async (path: string): Promise<ArrayBuffer> => (await fetch(path)).arrayBuffer();

/** Runs `predict` on the input (1, 784). The clock starts at navigation. */
export async function first(predict: (pixels: Float32Array<ArrayBuffer>) => Promise<ArrayLike<number>>): Promise<void> {
  try {
    const scores = await predict(new Float32Array(await bytesOf('/first/pixels.bin')));
    globalThis.firstPrediction = { ms: performance.now(), scores: Array.from(scores) };
  } catch (error) {
    globalThis.firstPrediction = { error: String((error as Error)?.message ?? error) };
  }
}

/** Weights and biases of both stored layers, from one file. */
export async function storedLayers(): Promise<Float32Array<ArrayBuffer>[]> {
  const all = new Float32Array(await bytesOf('/first/weights.bin'));
  const sizes = [784 * 1024, 1024, 1024 * 10, 10];
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return all.slice(at - size, at);
  });
}

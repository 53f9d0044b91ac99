/** Which products of a graph cache their weights. */
import type { Node } from '../graph/ops.ts';
import { cacheBytes } from './cached-weights.ts';
import { type CachePlan, productOf } from './lower/lowering.ts';
import type { Pool } from './pool.ts';
import type { RandomProduct } from './random_matmul.ts';

/**
 * Plans caches layer by layer as they fit: first for this thread, which may turn out faster alone, then for the others.
 */
export function planCaches(nodes: readonly Node[], bytes: number, pool: Pool | undefined): Map<Node, CachePlan> {
  let left = bytes;
  const fits = (product: RandomProduct): boolean => {
    const size = cacheBytes(product);
    if (size === undefined || size > left) return false;
    left -= size;
    return true;
  };
  const products = nodes.flatMap((node) => (node.op === 'randomMatmul' ? [{ node, product: productOf(node) }] : []));
  const here = products.filter(({ product }) => fits(product));
  return new Map(
    here.map(({ node, product }) => {
      const units = pool?.unitsElsewhere(product, true) ?? 0;
      return [node, { here: true, there: units > 0 && fits({ ...product, n: units }) }];
    }),
  );
}

/** Steps of layers over images: convolutions, pools, sums, and their gradients. */
import { elements } from '../graph/graph.ts';
import { conv, convInputGradient, convWeightGradient, randomConv, randomConvTransposed } from './convolution.ts';
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool-windows.ts';
import { bound, type StepMaker, size } from './step.ts';

export const imageStep: StepMaker = (machine, node, place) => {
  const { kernels } = machine;
  switch (node.op) {
    case 'randomConv':
      return bound(randomConv(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.z));
    case 'randomConvTransposed':
      return bound(randomConvTransposed(machine, { ...node, rows: size(node.dz, 0) }), place(node.dz), place(node.dx));
    case 'conv': {
      const { x, w, z } = node;
      return bound(conv(machine, { ...node, rows: size(x, 0) }), place(x), place(w), place(z));
    }
    case 'convInputGradient': {
      const { dz, w, dx } = node;
      return bound(convInputGradient(machine, { ...node, rows: size(dz, 0) }), place(dz), place(w), place(dx));
    }
    case 'convWeightGradient': {
      const { x, dz, dw } = node;
      return bound(convWeightGradient(machine, { ...node, rows: size(x, 0) }), place(x), place(dz), place(dw));
    }
    case 'maxPool':
      return bound(maxPool(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.y));
    case 'maxPoolGradient': {
      const { x, dy, dx } = node;
      return bound(maxPoolGradient(machine, { ...node, rows: size(x, 0) }), place(x), place(dy), place(dx));
    }
    case 'averagePool':
      return bound(averagePool(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.y));
    case 'averagePoolGradient': {
      const { dy, dx } = node;
      return bound(averagePoolGradient(machine, { ...node, rows: size(dy, 0) }), place(dy), place(dx));
    }
    case 'add':
      return bound(kernels.add, place(node.a), place(node.b), elements(node.a), place(node.c));
    default:
      return undefined;
  }
};

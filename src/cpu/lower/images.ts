/** Lowerings over images: convolutions, pools, sums, and their gradients. */
import { elements, size } from '../../graph/value.ts';
import { conv, convInputGradient, convWeightGradient, randomConv, randomConvTransposed } from '../convolution.ts';
import { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from '../pool-windows.ts';
import { bound, type LoweringTable } from './lowering.ts';

export const image: LoweringTable<'image'> = {
  randomConv: (node, { machine, place }) =>
    bound(randomConv(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.z)),
  conv: (node, { machine, place }) =>
    bound(conv(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.w), place(node.z)),
  maxPool: (node, { machine, place }) =>
    bound(maxPool(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.y)),
  averagePool: (node, { machine, place }) =>
    bound(averagePool(machine, { ...node, rows: size(node.x, 0) }), place(node.x), place(node.y)),
  add: ({ a, b, c }, { machine, place }) => bound(machine.kernels.add, place(a), place(b), elements(a), place(c)),
  multiply: ({ a, b, c }, { machine, place }) =>
    bound(machine.kernels.multiply, place(a), place(b), elements(a), place(c)),
};

export const imageGradient: LoweringTable<'imageGradient'> = {
  randomConvTransposed: (node, { machine, place }) =>
    bound(randomConvTransposed(machine, { ...node, rows: size(node.dz, 0) }), place(node.dz), place(node.dx)),
  convInputGradient(node, { machine, place }) {
    const { dz, w, dx } = node;
    return bound(convInputGradient(machine, { ...node, rows: size(dz, 0) }), place(dz), place(w), place(dx));
  },
  convWeightGradient(node, { machine, place }) {
    const { x, dz, dw } = node;
    return bound(convWeightGradient(machine, { ...node, rows: size(x, 0) }), place(x), place(dz), place(dw));
  },
  maxPoolGradient(node, { machine, place }) {
    const { x, dy, dx } = node;
    return bound(maxPoolGradient(machine, { ...node, rows: size(x, 0) }), place(x), place(dy), place(dx));
  },
  averagePoolGradient: (node, { machine, place }) =>
    bound(averagePoolGradient(machine, { ...node, rows: size(node.dy, 0) }), place(node.dy), place(node.dx)),
};

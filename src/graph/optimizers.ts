/** Optimizers: how parameters are updated from their gradients. */
import { apply } from './every-op.ts';
import { type Graph, state } from './graph.ts';
import { expectShape, type Value } from './value.ts';

/** The learning rate is set at each step. */
export type Optimizer =
  | {
      readonly kind: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      /** Decoupled weight decay (AdamW, arXiv:1711.05101) of weights; biases and scales do not decay. */
      readonly weightDecay: number;
    }
  | { readonly kind: 'sgd'; readonly momentum: number };

/** The numbers that change from step to step (shaders/schedule.wgsl). */
export interface StepNumbers {
  readonly learningRate: number;
  /** Adam's bias corrections, 1 - beta^t. */
  readonly correction1: number;
  readonly correction2: number;
  /** Number of earlier training steps; determines dropout masks. */
  readonly step: number;
}

/** Adds the update of one parameter and its states. Throws `ShapeError` for a gradient of another shape. */
export function update(graph: Graph, optimizer: Optimizer, parameter: Value, gradient: Value): void {
  expectShape(gradient, parameter.shape);
  if (optimizer.kind === 'adam') {
    const { beta1, beta2, epsilon } = optimizer;
    const weightDecay = parameter.shape.length > 1 ? optimizer.weightDecay : 0;
    const moment1 = state(graph, 'moment1', parameter);
    const moment2 = state(graph, 'moment2', parameter);
    apply(graph, 'adam', { parameter, gradient, moment1, moment2, beta1, beta2, epsilon, weightDecay });
  } else {
    const velocity = state(graph, 'velocity', parameter);
    apply(graph, 'sgd', { parameter, gradient, velocity, momentum: optimizer.momentum });
  }
}

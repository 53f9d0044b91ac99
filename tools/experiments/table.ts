/** The experiments by name. */
import { domains } from './domains.ts';
import { ExperimentError } from './errors.ts';
import type { Experiment } from './experiment.ts';
import { frontier } from './frontier.ts';
import { paper } from './paper.ts';
import { placement } from './placement.ts';
import { recipesExperiment } from './recipes.ts';
import { robustness } from './robustness.ts';
import { scale } from './scale.ts';
import { seeds } from './seeds.ts';

const experiments: readonly Experiment[] = [
  paper,
  placement,
  seeds,
  scale,
  frontier,
  domains,
  robustness,
  recipesExperiment,
];

export const experimentNames: readonly string[] = experiments.map(({ name }) => name);

/** Throws `ExperimentError`. */
export function experimentNamed(name: string): Experiment {
  const found = experiments.find((experiment) => experiment.name === name);
  if (!found) throw new ExperimentError(`expected an experiment (${experimentNames.join(', ')}), got '${name}'`);
  return found;
}

/** `weightless-gpu/train`: data sets, training, evaluation, writing models. */
import { dataSet as fromArrays } from './data/dataset.ts';
import { fromRows } from './data/rows.ts';
import { fromPictures } from './train/labelled-pictures.ts';

export { PrefixCache } from './backend/prefix-cache.ts';
export type { DataSet, DataSetOptions } from './data/dataset.ts';
export type { RowObject } from './data/records.ts';
export type { RowsOptions } from './data/rows.ts';
export type { Loss } from './graph/losses.ts';
export type { Optimizer } from './graph/optimizers.ts';
export type { ModelCard, Preparation } from './model/preparation.ts';
export { cardOf, preparationOf, setCard, setPreparation } from './model/preparation-metadata.ts';
export { type SaveOptions, saveModel } from './model/save.ts';
export type { BestEpoch } from './train/best-epoch.ts';
export { calibrate } from './train/calibrate.ts';
export { type Checkpoint, readCheckpoint, saveCheckpoint } from './train/checkpoint.ts';
export { balancedWeights, type ClassWeights } from './train/class-weights.ts';
export { confusionMatrix } from './train/confusion.ts';
export { type Evaluation, evaluate } from './train/evaluate.ts';
export {
  type ClassificationFigures,
  type Figures,
  figuresOf,
  type MultilabelFigures,
  measure,
  type RegressionFigures,
} from './train/figures.ts';
export { cosine, type EpochReport, fit } from './train/fit.ts';
export type { LabelledPicture, PicturesOptions } from './train/labelled-pictures.ts';
export {
  createLearner,
  type Learner,
  type LearnerOptions,
  type LoadLearnerOptions,
  loadLearner,
} from './train/learner.ts';
export {
  type Averages,
  type ClassFigures,
  calibrationError,
  classFigures,
  type LabelFigures,
  labelFigures,
  macroAverage,
  type RegressionErrors,
  regressionErrors,
  rocAuc,
} from './train/metrics.ts';
export type { FitOptions, FitProgress } from './train/options.ts';
export type { TrainingState } from './train/training.ts';

/** A data set from arrays; `dataSet.fromRows` makes one from objects, `dataSet.fromPictures` from pictures. */
export const dataSet = Object.assign(fromArrays, { fromPictures, fromRows });

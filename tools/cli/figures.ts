/** Figures of a model on held-out rows, for people and for programs. */
import { quoted } from '../../src/core/quote.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { outputNames } from '../../src/model/preparation.ts';
import type { ClassificationFigures, Figures } from '../../src/train/figures.ts';
import type { ClassFigures } from '../../src/train/metrics.ts';
import { count, percent, significant, table } from '../common/output.ts';

/** Larger confusion matrices are only in --json and in the report. */
const MOST_CLASSES = 20;

/** Classes as frequent as this, relative to the most frequent one, count as even. */
const EVEN = 0.8;

/** Names of the outputs: those of the data, or else their numbers. */
export function namesOf(data: DataSet): readonly string[] {
  if (data.preparation) return outputNames(data.preparation.outputs);
  const outputs = data.targets ? data.targets.length / data.rows : data.classes;
  return Array.from({ length: outputs }, (_, i) => String(i));
}

/** The one number that a task is judged by, and what it is called. */
export function scoreOf(figures: Figures): { readonly name: string; readonly value: number; readonly text: string } {
  const [name, value] =
    figures.task === 'classification'
      ? ['accuracy', figures.accuracy]
      : figures.task === 'multilabel'
        ? ['micro F1', figures.micro.f1]
        : ['R2', figures.r2];
  return { name, value, text: figures.task === 'regression' ? value.toFixed(4) : percent(value) };
}

const share = (value: number) => (Number.isNaN(value) ? '-' : percent(value));
const number = (value: number) => (Number.isNaN(value) ? '-' : significant(value, 5));

/** Whether some class has fewer rows than the others, so that accuracy alone misleads. */
export function isUneven({ classes }: Pick<ClassificationFigures, 'classes'>): boolean {
  const rows = classes.map((one) => one.rows).filter((rows) => rows > 0);
  return Math.min(...rows) < EVEN * Math.max(...rows);
}

/** Figures in one line, by name. */
export function headline(figures: Figures): readonly (readonly [name: string, text: string])[] {
  if (figures.task === 'regression') {
    return [
      ['R2', number(figures.r2)],
      ['mean absolute error', number(figures.mae)],
      ['root of the mean squared error', number(figures.rmse)],
    ];
  }
  if (figures.task === 'multilabel') {
    return [
      ['F1 over all labels (micro)', share(figures.micro.f1)],
      ['mean F1 of the labels (macro)', share(figures.macro.f1)],
      ['decisions right', share(figures.accuracy)],
      ['rows with all labels right', share(figures.exactMatch)],
    ];
  }
  return [
    ['accuracy', share(figures.accuracy)],
    ...(isUneven(figures) ? [['balanced accuracy', share(figures.balancedAccuracy)] as const] : []),
    ['mean F1 of the classes', share(figures.macro.f1)],
    ...(figures.rocAuc === undefined ? [] : [['ROC AUC', number(figures.rocAuc)] as const]),
    ['calibration error', share(figures.calibrationError)],
  ];
}

const perClass = (what: string, names: readonly string[], figures: readonly ClassFigures[]) =>
  table(
    [what, 'test rows', 'precision', 'recall', 'F1'],
    figures.map(({ rows, precision, recall, f1 }, i) => [
      names[i]!,
      count(rows),
      share(precision),
      share(recall),
      share(f1),
    ]),
  );

/** What the figures hide unless it is said: classes and labels that the model never finds. */
export function warnings(figures: Figures, names: readonly string[]): string[] {
  if (figures.task === 'regression') {
    return figures.r2 > 0 ? [] : ['warning: the model predicts no better than the mean of the targets would.'];
  }
  const [what, found, remedy] =
    figures.task === 'classification'
      ? (['class', figures.classes, 'Try --class-weights balanced, more epochs or more rows of it.'] as const)
      : (['label', figures.labels, 'Try more epochs or more rows of it.'] as const);
  return found.flatMap(({ rows, recall }, i) =>
    rows > 0 && recall === 0
      ? [`warning: the ${what} ${quoted(names[i])} is never found: 0 of its ${count(rows)} test rows. ${remedy}`]
      : [],
  );
}

/** The figures as tables and lines. */
export function figuresText(figures: Figures, names: readonly string[]): string {
  const lines = [
    `on ${count(figures.rows)} test rows: ${headline(figures)
      .map((pair) => pair.join(' '))
      .join(', ')}`,
  ];
  if (figures.task === 'regression') {
    if (figures.targets.length > 1) {
      lines.push(
        table(
          ['target', 'R2', 'mean absolute error', 'root of the mean squared error'],
          figures.targets.map(({ r2, mae, rmse }, i) => [names[i]!, number(r2), number(mae), number(rmse)]),
        ),
      );
    }
  } else if (figures.task === 'multilabel') {
    lines.push(perClass('label', names, figures.labels));
  } else {
    lines.push(perClass('class', names, figures.classes));
    if (names.length <= MOST_CLASSES) {
      lines.push(
        table(
          ['is \\ predicted', ...names],
          figures.confusion.map((row, i) => [names[i]!, ...row.map((rows) => count(rows))]),
        ),
      );
    }
  }
  return [...lines, ...warnings(figures, names)].join('\n');
}

/** The figures with names instead of positions, and the warnings. */
export function figuresJson(figures: Figures, names: readonly string[]) {
  const named = <T extends object>(all: readonly T[]) => all.map((one, i) => ({ name: names[i]!, ...one }));
  const said = warnings(figures, names);
  const common = said.length ? { warnings: said } : {};
  if (figures.task === 'regression') return { ...figures, targets: named(figures.targets), ...common };
  if (figures.task === 'multilabel') return { ...figures, labels: named(figures.labels), ...common };
  return { ...figures, classes: named(figures.classes), ...common };
}

/** The models that the page offers (models/models.json), and the names of their classes. */
import type { Placement } from './ink.ts';

export type DataName = 'mnist' | 'fashion-mnist';

export interface ModelEntry {
  readonly title: string;
  /** File in models/. */
  readonly file: string;
  readonly data: DataName;
  /** Accuracy on the 10,000 test images, as printed by `weightless eval`. */
  readonly accuracy: number;
}

export const dataSets: Record<DataName, { title: string; placement: Placement; classes: readonly string[] }> = {
  mnist: { title: 'MNIST digits', placement: 'digit', classes: [...'0123456789'] },
  'fashion-mnist': {
    title: 'Fashion-MNIST',
    placement: 'picture',
    classes: ['T-shirt', 'Trousers', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
  },
};

export async function fetchModels(): Promise<ModelEntry[]> {
  const response = await fetch('models/models.json');
  if (!response.ok) throw new Error(`models/models.json: HTTP status ${response.status}`);
  return response.json();
}

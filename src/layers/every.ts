/** Every kind of layer, for code that need not be small: exports, tests. */
import { blockKinds } from './blocks.ts';
import { denseKinds } from './dense.ts';
import { fieldKinds } from './fields.ts';
import { imageKinds } from './images.ts';
import type { LayerKind } from './kind.ts';
import { layerKinds } from './kinds.ts';
import { signalKinds } from './signals.ts';
import type { LayerKindName, SpecOf } from './specs.ts';
import { veraKinds } from './vera.ts';

export const everyKind: { readonly [K in LayerKindName]: LayerKind<SpecOf<K>> } = {
  ...denseKinds,
  ...imageKinds,
  ...blockKinds,
  ...fieldKinds,
  ...signalKinds,
  ...veraKinds,
};

/** Registers all of them. Calling it again changes nothing. */
export function registerEveryKind(): void {
  Object.assign(layerKinds, everyKind);
}

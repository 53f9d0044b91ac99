/** `weightless.load` of the global that a classic script tag defines: the parts that weightless.global.js leaves out. */
import type * as convolution from './convolution.ts';
import { LoadError, OptionError } from './core/errors.ts';
import { quoted } from './core/quote.ts';
import type * as fields from './fields.ts';
import type * as signals from './signals.ts';
import type * as train from './train.ts';

/** The exports of an entry point by its name: `weightless.load('train')` gives those of `weightless-gpu/train`. */
interface Parts {
  readonly train: typeof train;
  readonly convolution: typeof convolution;
  readonly fields: typeof fields;
  readonly signals: typeof signals;
}
const names: { readonly [P in keyof Parts]: true } = { train: true, convolution: true, fields: true, signals: true };

/** What the script tags define, each part under its name. */
declare const weightless: { [P in keyof Parts]?: Parts[P] };

// Only while the script runs for the first time does the document name it.
const script = (globalThis.document?.currentScript ?? undefined) as HTMLScriptElement | undefined;
const loading = new Map<string, Promise<void>>();

/**
 * Loads a part of the library from the folder that the script came from, once, and resolves to its exports, which are
 * also `weightless[part]`. Throws `OptionError` for another name and `LoadError` if the file does not load.
 */
export async function load<P extends keyof Parts>(part: P): Promise<Parts[P]> {
  if (!Object.hasOwn(names, part)) {
    throw new OptionError(`weightless.load: expected one of ${Object.keys(names).join(', ')}; got ${quoted(part)}`);
  }
  if (!weightless[part]) {
    const wait = loading.get(part) ?? append(part);
    loading.set(part, wait);
    await wait.finally(() => loading.delete(part));
  }
  const loaded = weightless[part];
  if (loaded) return loaded;
  throw new LoadError(
    `weightless.load: expected weightless.${part}.global.js of the same version, got another file`,
    part,
  );
}

function append(part: string): Promise<void> {
  const file = `weightless.${part}.global.js`;
  return new Promise((resolve, reject) => {
    if (!script?.src) {
      const advice = `Load ${file} after weightless.global.js, in a worker by importScripts(); then use weightless.${part}.`;
      reject(
        new LoadError(
          `weightless.load: expected a script tag with a src, so that its folder is known. ${advice}`,
          file,
        ),
      );
      return;
    }
    const added = document.createElement('script');
    added.src = new URL(file, script.src).href;
    added.crossOrigin = script.crossOrigin;
    added.nonce = script.nonce;
    added.onload = () => resolve();
    added.onerror = () => {
      added.remove();
      reject(new LoadError(`weightless.load: ${added.src} did not load. Serve all of dist/.`, added.src));
    };
    document.head.append(added);
  });
}

/** Text as UTF-8 bytes. jsdom has no TextEncoder and no TextDecoder: tests that run in it use those of Node. */
import { nodeModule } from './node-modules.ts';

type Coders = Pick<typeof globalThis, 'TextDecoder' | 'TextEncoder'>;

const coders = () => ('TextDecoder' in globalThis ? globalThis : nodeModule<Coders>('node:util')!);

export const decodeUtf8 = (bytes: Uint8Array): string => new (coders().TextDecoder)().decode(bytes);

export const encodeUtf8 = (text: string): Uint8Array<ArrayBuffer> => new (coders().TextEncoder)().encode(text);

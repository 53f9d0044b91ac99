import { version } from '../../package.json';

/** Version of this package. package.json declares it; bundles take in nothing else of that file. */
export const VERSION: string = version;

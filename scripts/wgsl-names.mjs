/**
 * Shortens the private names of a WGSL file: the browser bundle holds every kernel as text, and long names make up 2%
 * of its compressed size. Public names stay: bindings, parameters, overrides, entry points, and everything that a
 * fragment declares outside functions.
 */

const IDENTIFIER = /(?<![.@\w])[A-Za-z_]\w*/g; // not members, swizzles, attributes
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

const identifiersOf = (code) => new Set(code.match(/[A-Za-z_]\w*/g) ?? []);

/** Names that may change: local variables and function parameters, and in a kernel also functions and constants. */
function ownNames(code, fragment) {
  const found = new Set();
  const add = (pattern) => {
    for (const [, name] of code.matchAll(pattern)) found.add(name);
  };
  add(/\b(?:let|var) (\w+)/g);
  for (const [, parameters] of code.matchAll(/\bfn \w+\(((?:[^()]|\([^()]*\))*)\)/g)) {
    for (const [, name] of parameters.matchAll(/(\w+):/g)) found.add(name);
  }
  if (!fragment) {
    add(/\bfn (\w+)/g);
    add(/\bconst (\w+)/g);
  }
  found.delete('main');
  for (const [, name] of code.matchAll(/\bvar<[^>]*>\s*(\w+)/g)) found.delete(name); // bindings
  for (const [, name] of code.matchAll(/@\w+\((\w+)/g)) found.delete(name); // values of attributes
  for (const [, members] of code.matchAll(/\bstruct \w+\{([^}]*)/g)) {
    for (const [, name] of members.matchAll(/(\w+):/g)) found.delete(name);
  }
  return found;
}

/**
 * The minified code with short names. `taken`: names that fragments declare for kernels, which must keep their meaning.
 * A name is replaced throughout the file by one that does not occur in it.
 */
export function shortenNames(code, { fragment, taken }) {
  const present = identifiersOf(code);
  const uses = new Map();
  for (const [name] of code.matchAll(IDENTIFIER)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const own = [...ownNames(code, fragment)].filter((name) => name.length > 1 && (fragment || !taken.has(name)));
  own.sort((a, b) => uses.get(b) - uses.get(a));
  const names = new Map();
  let count = 0;
  for (const name of own) {
    let short;
    do {
      const turn = Math.floor(count / LETTERS.length);
      short = LETTERS[count++ % LETTERS.length] + (turn ? turn - 1 : '');
    } while (present.has(short) || taken.has(short));
    names.set(name, short);
  }
  return code.replace(IDENTIFIER, (name) => names.get(name) ?? name);
}

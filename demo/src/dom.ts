/** Helpers for the page's elements and theme. */

/** The element with this id. Throws if it is missing, which is a defect of the page. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`expected an element #${id} in index.html`);
  return found as E;
}

/** Creates an element with properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** The current value of a colour of style.css. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export type Rgb = readonly [number, number, number];

/** '#rrggbb' as bytes. */
export const rgb = (hex: string): Rgb =>
  [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as unknown as Rgb;

/** Shows the message of an error, or hides the element without one. */
export function showProblem(place: HTMLElement, error: unknown): void {
  place.hidden = error === undefined;
  place.textContent =
    error === undefined ? '' : error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** Callbacks that redraw when colours change. */
const redraws = new Set<() => void>();
export const onTheme = (redraw: () => void): void => {
  redraws.add(redraw);
};

/** The theme button: system, light or dark. The choice is stored if the browser allows it. */
export function setUpTheme(button: HTMLButtonElement): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const choices = ['system', 'light', 'dark'];
  let choice = 'system';
  try {
    choice = localStorage.getItem('theme') ?? choice;
  } catch {} // storage may be blocked
  const apply = () => {
    const shown = choice === 'system' ? (dark.matches ? 'dark' : 'light') : choice;
    document.documentElement.dataset.theme = shown;
    button.textContent = `Theme: ${choice}`;
    for (const redraw of redraws) redraw();
  };
  button.addEventListener('click', () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length]!;
    try {
      localStorage.setItem('theme', choice);
    } catch {}
    apply();
  });
  dark.addEventListener('change', apply);
  apply();
}

/** What a report shows, as plain data. */

/** A chart in the grammar of Vega-Lite. Colours of text and lines, and its size where it has none, come from the report. */
export type Chart = Readonly<Record<string, unknown>>;

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Section {
  readonly title: string;
  /** What is seen, in a sentence or two. */
  readonly text?: string;
  readonly charts?: readonly Chart[];
  readonly table?: Table;
  /** Pictures with what they show: PNG. */
  readonly pictures?: readonly { readonly caption: string; readonly png: Uint8Array }[];
  /** Small pictures, side by side. */
  readonly gallery?: boolean;
}

export interface Report {
  /** What the runs say, computed from them. */
  readonly findings: readonly string[];
  readonly sections: readonly Section[];
}

/**
 * Every limit on data files, with its reason. Readers compare the sizes that a file declares with these limits before
 * they allocate memory or start work; a file beyond one ends in a `DataError` that names both numbers.
 */
export const limits = {
  /** Bytes of a CSV file. Its columns take several times as much memory. */
  csvBytes: 2 ** 28,
  /** Columns of a CSV file. */
  columns: 2 ** 16,
  /** Characters of one row of a CSV file. */
  rowLength: 2 ** 24,
  /**
   * Characters of one CSV cell. No number, category or class name is longer; a longer cell is usually a quote that was
   * left open.
   */
  cellLength: 2 ** 16,
  /** Bytes of a line of a JSON lines file: nested lists take some 30 times as much memory. */
  jsonLine: 2 ** 20,
  /** Cells of objects as rows: where each has other names, most cells are gaps, which no file holds. */
  cells: 2 ** 25,
  /** Magnitude of a number in a table: its square, which the standard deviation needs, has to be finite. */
  magnitude: 1e100,
  /** Distinct texts of a column that becomes one-hot. More of them are free text or an identifier of the row. */
  categories: 256,
  /** Classes of a label. */
  classes: 1024,
  /** Inputs that a table may become, rows times columns: 1 GiB of f32. */
  inputs: 2 ** 28,
  /**
   * Cells of a numeric column that are no number: up to this many, or this share of the rows, are an error and not
   * categories.
   */
  strayCells: 3,
  strayShare: 0.01,
  /** Pixels of a picture: 4096 x 4096. */
  pixels: 2 ** 24,
  /** Bytes of a PNG file: as many as the largest picture has unpacked. */
  pngBytes: 2 ** 27,
  /** Chunks of a PNG file: enough for the largest one in pieces of 2 KiB. */
  pngChunks: 2 ** 16,
  /** Bytes of a JPEG file: far more than the largest picture takes at the best quality. */
  jpegBytes: 2 ** 26,
  /** Segments of a JPEG file before its pixels: a colour profile takes up to 255, previews a few. */
  jpegSegments: 2 ** 12,
  /** Scans of a progressive JPEG file. Encoders write about ten; each one passes over all pixels. */
  jpegScans: 64,
  /** Bytes that all pictures of a folder become. */
  folderBytes: 2 ** 30,
  /** Bytes of an IDX file, unpacked. */
  idxBytes: 2 ** 30,
  /** Bytes of a FANN file. */
  fannBytes: 2 ** 26,
  /** Bytes of a package's archive, and of its files unpacked. */
  packageBytes: 2 ** 27,
  /** Bytes of an R data file, unpacked. */
  rBytes: 2 ** 26,
  /** Nested lists in an R data file; data frames have four. */
  rDepth: 64,
} as const;

/**
 * Deflate packs no better than this. A header that declares more than its file can hold is refused before memory is
 * allocated.
 */
export const BEST_DEFLATE_RATIO = 1032;

/** A JPEG takes at least one bit for each 8 x 8 pixels. */
export const BEST_JPEG_RATIO = 512;

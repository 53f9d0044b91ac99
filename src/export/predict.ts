/** Where the Python program is that predicts from a model file: beside this module, in src/export/ as in dist/. */
export const predictProgram = new URL('./predict.py', import.meta.url);

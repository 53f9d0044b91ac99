/** Fetched when it is first compiled: random_matmul_split launches it. */
export const wide = { name: 'random_matmul_wide', fetch: () => import('./random_matmul_wide.wgsl') };

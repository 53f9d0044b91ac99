/** The solvers of linear outputs. */
export const solverNames = ['ridge', 'logistic'] as const;
export type SolverName = (typeof solverNames)[number];

/** How the command line ends. */
export const exitCodes = {
  done: 0,
  /** The command failed, a check did not pass, or its output could not be written. */
  failed: 1,
  /** An unknown command or option, or a value that it does not take. */
  usage: 2,
  /** Ctrl-C or SIGTERM stopped an experiment. */
  interrupted: 130,
} as const;

/**
 * `node types.mjs TYPESCRIPT PROJECT...`: compiles projects (folders with a tsconfig.json) with one version of
 * TypeScript in one process, which parses its standard library once. Prints diagnostics as `tsc` does; exits with 1 if
 * there are any.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const [typescript, ...projects] = process.argv.slice(2);
const ts = createRequire(import.meta.url)(typescript);
const library = dirname(ts.sys.getExecutingFilePath());
/** Files of the standard library. */
const parsed = new Map();

function compile(project) {
  const diagnostics = [];
  const onUnRecoverableConfigFileDiagnostic = (diagnostic) => diagnostics.push(diagnostic);
  const config = ts.getParsedCommandLineOfConfigFile(
    join(project, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic,
    },
  );
  if (!config) return diagnostics;
  const { options, fileNames: rootNames, errors: configFileParsingDiagnostics } = config;
  if (options.target !== ts.ScriptTarget.ES2022)
    throw new Error(`${project}: expected target ES2022, by which files are shared`);
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (file, ...rest) => {
    if (dirname(file) !== library) return getSourceFile(file, ...rest);
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest));
    return parsed.get(file);
  };
  const program = ts.createProgram({ rootNames, options, configFileParsingDiagnostics, host });
  diagnostics.push(...ts.getPreEmitDiagnostics(program));
  if (!options.noEmit) diagnostics.push(...program.emit().diagnostics);
  return diagnostics;
}

const diagnostics = projects.flatMap(compile);
process.stdout.write(
  ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => process.cwd(),
    getNewLine: () => '\n',
  }),
);
process.exitCode = diagnostics.length ? 1 : 0;

/** Mesa's RADV as a compiler: from WGSL, through Dawn, to AMD machine code, without the actual chip. */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache, findCompiler, findRadv, root } from '../../scripts/setup.mjs';

export interface Shader {
  readonly code: string;
  readonly entryPoint?: string;
  /** Values of override constants. */
  readonly constants: Readonly<Record<string, number>>;
}

export interface Compiled {
  /** By the driver's names: VGPRs, Code size ... */
  readonly statistics: Readonly<Record<string, number>>;
  readonly assembly: string;
}

export interface GpuCompiler {
  /** Version of the driver: 'Mesa 22.3.6'. */
  readonly version: string;
  /** Rejects with the compiler's message if the shader does not compile. */
  compile(shader: Shader): Promise<Compiled>;
  close(): void;
}

/** There is no compiler on this machine. The message says what to install. */
export class NoGpuCompilerError extends Error {
  override readonly name = 'NoGpuCompilerError';
  /** Whether installing packages can help. */
  readonly available: boolean;

  constructor(message: string, available: boolean) {
    super(message);
    this.available = available;
  }
}

interface Reply {
  readonly adapter?: string;
  readonly text?: string;
  readonly error?: string;
}

/** Time limit for one shader. */
const COMPILE_MS = 120_000;
/** Names of chips in newer versions of Mesa. */
const RENAMED: Readonly<Record<string, string>> = { GFX1100: 'NAVI31', GFX1101: 'NAVI32', GFX1102: 'NAVI33' };

/** Builds the wrapper driver for RADV in `folder`. Returns its Vulkan manifest and the path of RADV. */
function buildDriver(folder: string): { manifest: string; radv: string } {
  if (process.platform !== 'linux') {
    const message = `expected Linux, where Mesa's RADV, the compiler of --isa, exists; got ${process.platform}`;
    throw new NoGpuCompilerError(message, false);
  }
  const [radv, cc] = [findRadv(), findCompiler()];
  if (!radv || !cc) {
    const message =
      `expected Mesa's RADV and a C compiler, found ${radv ?? 'no RADV'} and ${cc ?? 'no C compiler'}. On Debian or ` +
      'Ubuntu install them with: apt-get install --no-install-recommends mesa-vulkan-drivers tcc. Elsewhere install ' +
      "Mesa's Vulkan drivers, and gcc or clang.";
    throw new NoGpuCompilerError(message, true);
  }
  const library = join(folder, 'null_gpu.so');
  execFileSync(cc, ['-shared', '-fPIC', '-nostdlib', '-w', '-o', library, join(root, 'bench/isa/null_gpu.c')]);
  const manifest = join(folder, 'null_gpu.json');
  const icd = { library_path: library, api_version: '1.3.0' };
  writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD: icd }));
  return { manifest, radv };
}

/** The environment of a worker, without any other variable that would change what Mesa compiles. */
function environment(folder: string, gpu: string, checks: boolean): NodeJS.ProcessEnv {
  const { manifest, radv } = buildDriver(folder);
  const kept = Object.entries(process.env).filter(([name]) => !/^(RADV|ACO|AMD|MESA|VK|NIR|DRIRC)_/.test(name));
  return {
    ...Object.fromEntries(kept),
    XDG_RUNTIME_DIR: folder,
    XDG_CACHE_HOME: folder,
    VK_ICD_FILENAMES: manifest,
    VK_DRIVER_FILES: manifest, // its name in newer loaders
    NODEVICE_SELECT: '1',
    MESA_SHADER_CACHE_DISABLE: 'true',
    RADV_FORCE_FAMILY: gpu,
    NULL_GPU_DRIVER: radv,
    NULL_GPU_OUT: join(folder, 'out.txt'),
    ...(checks && { NULL_GPU_CHECKS: '1' }),
  };
}

/** The worker's next reply. Rejects if the worker exits or does not reply in time. */
function nextReply(worker: ChildProcess): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      worker.kill(); // a late reply would be taken for that of the next shader
      done(() => reject(new Error(`no reply within ${COMPILE_MS / 1000} s`)));
    }, COMPILE_MS);
    const received = (message: unknown) => done(() => resolve(message as Reply));
    const ended = (code: number | null, signal: string | null) =>
      done(() => reject(new Error(`the compiler exited (${signal ?? code})`)));
    const done = (then: () => void) => {
      clearTimeout(timer);
      worker.off('message', received).off('exit', ended);
      then();
    };
    worker.on('message', received).on('exit', ended);
  });
}

/** Parses the output of null_gpu.c: "name: value" lines, an empty line, assembly. */
export function parseOutput(text: string): Compiled {
  const end = text.indexOf('\n\n');
  const lines = text.slice(0, end).split('\n');
  const statistics = Object.fromEntries(
    lines.map((line): [string, number] => {
      const [name, value] = line.split(': ');
      return [name!, Number(value)];
    }),
  );
  return { statistics, assembly: text.slice(end) };
}

/**
 * Opens a compiler for a chip by Mesa's name: NAVI21, GFX1100. `checks`: whether to add the bounds checks of a browser.
 */
export async function openCompiler(gpu: string, checks: boolean): Promise<GpuCompiler> {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'isa-'));
  let worker: ChildProcess | undefined;
  const close = () => {
    worker?.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  let env: NodeJS.ProcessEnv;
  const start = async (): Promise<string> => {
    worker = fork(join(root, 'bench/isa/worker.mjs'), {
      env,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let said = '';
    worker.stderr!.on('data', (data) => {
      said = `${said}${data}`.slice(-2000);
    });
    const first = await nextReply(worker).catch((error: Error) => ({ error: `${error.message} ${said}` }) as Reply);
    if (first.adapter) return first.adapter;
    const renamed = RENAMED[env.RADV_FORCE_FAMILY!];
    if (!renamed || !/unknown family/i.test(first.error!)) {
      const message = `expected Mesa's RADV to compile for ${gpu} (NAVI21, GFX1100 ..., as Mesa names chips), got: ${first.error?.trim()}`;
      throw new NoGpuCompilerError(message, true);
    }
    env.RADV_FORCE_FAMILY = renamed;
    return start();
  };
  try {
    env = environment(folder, gpu, checks);
    const adapter = await start();
    return {
      version: /Mesa [\d.]+/.exec(adapter)?.[0] ?? adapter,
      async compile(shader) {
        const { exitCode, signalCode, killed } = worker!;
        if (exitCode !== null || signalCode !== null || killed) await start(); // the last shader crashed it
        worker!.send(shader);
        const { text, error } = await nextReply(worker!);
        if (text === undefined) throw new Error(error);
        return parseOutput(text);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

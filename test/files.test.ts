/** Files as the command line writes them: what stands at the target stays what it is, and no result is lost. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { DataError, WriteError } from '../src/core/errors.ts';
import { checkWritable, removeUnfinished, writeResult, writeWhole } from '../src/core/files.ts';
import { readInput } from '../src/core/read-input.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-files-'));
chmodSync(folder, 0o755); // another user runs `program`
const program = join(folder, 'files.mjs');
buildSync({
  entryPoints: [join(import.meta.dirname, '../src/core/files.ts')],
  outfile: program,
  bundle: true,
  format: 'esm',
  platform: 'node',
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let names = 0;
const fresh = () => join(folder, `file-${names++}`);
const text = (path: string) => readFileSync(path, 'utf8');
const mode = (path: string) => statSync(path).mode & 0o7777;
const unfinished = () => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

describe('readInput', () => {
  it.each([0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 2 ** 22])('%i bytes', async (size) => {
    const path = fresh();
    const content = Uint8Array.from({ length: size }, (_, i) => i * 7);
    writeFileSync(path, content);
    const seen: [number, number | undefined][] = [];
    expect(
      Buffer.compare(await readInput(path, 2 ** 22, (start, all) => seen.push([start.length, all])), content),
    ).toBe(0);
    expect(seen).toEqual([[Math.min(size, 2 ** 20), size || undefined]]);
    if (size) {
      await expect(readInput(path, size - 1)).rejects.toThrow(DataError);
      await expect(readInput(path, size - 1)).rejects.toThrow(`expected at most ${size - 1} bytes, got ${size}`);
    }
  });

  it('a device gives at most 64 MiB, and nothing of it is read that the check refuses', async () => {
    await expect(readInput('/dev/zero', 2 ** 32)).rejects.toThrow(
      '/dev/zero: expected at most 67108864 bytes from a device or a pipe, got more',
    );
    const refuse = () => {
      throw new DataError('refused');
    };
    await expect(readInput('/dev/zero', 2 ** 32, refuse)).rejects.toThrow('refused');
  });

  it('names what is no file', async () => {
    await expect(readInput(folder, 9)).rejects.toThrow(/expected a file, could not read it: EISDIR/);
    await expect(readInput(join(folder, 'none'), 9)).rejects.toThrow(/could not read it: ENOENT/);
  });
});

describe('writeWhole', () => {
  it('writes bytes, text and parts, and leaves nothing beside them', async () => {
    const path = fresh();
    await writeWhole(path, Uint8Array.of(104, 105));
    expect(text(path)).toBe('hi');
    await writeWhole(path, 'text');
    expect(text(path)).toBe('text');
    await writeWhole(path, function* () {
      yield Uint8Array.of(97);
      yield Uint8Array.of(98);
    });
    expect(text(path)).toBe('ab');
    expect(unfinished()).toEqual([]);
  });

  it('keeps the mode and the owner of what was there', async () => {
    const path = fresh();
    writeFileSync(path, 'old');
    chmodSync(path, 0o640);
    const { uid, gid } = statSync(path);
    await writeWhole(path, 'new');
    expect([text(path), mode(path)]).toEqual(['new', 0o640]);
    expect(statSync(path)).toMatchObject({ uid, gid });
    const created = fresh();
    await writeWhole(created, 'new');
    expect(mode(created)).toBe(0o666 & ~process.umask());
  });

  it('follows symbolic links, relative and dangling ones too', async () => {
    const [real, link, second, dangling] = [fresh(), fresh(), fresh(), fresh()];
    writeFileSync(real, 'old');
    symlinkSync(real, link);
    symlinkSync(link.slice(folder.length + 1), second);
    await writeWhole(second, 'new');
    expect(text(real)).toBe('new');
    mkdirSync(join(folder, 'deep'));
    symlinkSync('deep/made', dangling);
    await checkWritable(dangling);
    await writeWhole(dangling, 'made');
    expect(text(join(folder, 'deep/made'))).toBe('made');
    for (const path of [link, second, dangling]) expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  it('writes to a device and to a pipe, and replaces neither', async () => {
    await checkWritable('/dev/null');
    await writeWhole('/dev/null', 'gone');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    const pipe = fresh();
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    await checkWritable(pipe);
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
    const read = new Promise<string>((done) => {
      let said = '';
      reader.stdout.on('data', (chunk) => {
        said += chunk;
      });
      reader.once('close', () => done(said));
    });
    await writeWhole(pipe, 'through');
    expect(await read).toBe('through');
    expect(statSync(pipe).isFIFO()).toBe(true);
  });

  it('takes names of 255 bytes', async () => {
    const path = join(folder, 'n'.repeat(255));
    await writeWhole(path, 'long');
    expect(text(path)).toBe('long');
  });

  it('removes what a killed process left, and nothing that a living one writes', async () => {
    const path = fresh();
    const write = `m.writeWhole(${JSON.stringify(path)}, function* () { for (;;) yield new Uint8Array(1); })`;
    const start = async () => {
      const before = unfinished();
      const child = spawn(process.execPath, ['-e', `import(${JSON.stringify(program)}).then((m) => ${write})`]);
      await expect.poll(() => unfinished().length, { timeout: 20_000 }).toBe(before.length + 1);
      const [file] = unfinished().filter((name) => !before.includes(name));
      const kill = () =>
        new Promise((done) => {
          child.once('exit', done);
          child.kill('SIGKILL');
        });
      return { file: file!, kill };
    };
    const [first, second] = [await start(), await start()];
    await first.kill();
    await writeWhole(`${path}x`, 'another file');
    expect(unfinished().sort()).toEqual([first.file, second.file].sort());
    await writeWhole(path, 'new');
    expect(unfinished()).toEqual([second.file]);
    await second.kill();
    // As of another machine, whose processes nobody here knows: it goes after a day.
    const foreign = join(folder, second.file.replace(/\.[0-9a-f]{8}-/, '.00000000-'));
    renameSync(join(folder, second.file), foreign);
    await removeUnfinished(path);
    expect(existsSync(foreign)).toBe(true);
    const longAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
    utimesSync(foreign, longAgo, longAgo);
    await removeUnfinished(path);
    expect(unfinished()).toEqual([]);
  });

  it('breaks a hard link, so that the other name keeps the old content', async () => {
    const [path, other] = [fresh(), fresh()];
    writeFileSync(path, 'old');
    linkSync(path, other);
    await writeWhole(path, 'new');
    expect([text(path), text(other)]).toEqual(['new', 'old']);
  });
});

describe('targets that can not be written', () => {
  const file = fresh();
  writeFileSync(file, 'a file');
  const cases: [what: string, path: string, message: RegExp][] = [
    [
      'no folder',
      join(folder, 'missing/m'),
      /missing\/m: could not write there: expected an existing folder .*missing, found none\. Create/,
    ],
    ['a folder', folder, /: expected a file, got a folder\. Add the name/],
    ['a folder to be', join(folder, 'models/'), /expected a file, got a folder/],
    ['a file as a folder', join(file, 'm'), /expected .* to be a folder, got a file/],
    ['no name', '', /expected the name of a file, got an empty one/],
    ['a long name', join(folder, 'n'.repeat(300)), /the name is too long/],
  ];
  it.each(cases)('%s: named before and after, and the result is kept', async (_, path, message) => {
    await expect(checkWritable(path)).rejects.toThrow(WriteError);
    await expect(checkWritable(path)).rejects.toThrow(message);
    await expect(writeWhole(path, 'x')).rejects.toThrow(message);
    const error: WriteError = await writeResult(path, 'the result').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(WriteError);
    expect(error.message).toMatch(message);
    const [, kept] = /The result is in (.*)\.$/.exec(error.message)!;
    expect(text(kept!)).toBe('the result');
    rmSync(join(kept!, '..'), { recursive: true });
  });

  it('a circle of links is named', async () => {
    const [a, b] = [fresh(), fresh()];
    symlinkSync(a, b);
    symlinkSync(b, a);
    await expect(checkWritable(a)).rejects.toThrow(/symbolic links lead in a circle/);
  });

  it('a full disk is named', async () => {
    await expect(writeWhole('/dev/full', 'x')).rejects.toThrow(/\/dev\/full: could not write there: no space is left/);
  });

  it('a read-only file and a read-only folder are named; a file that may be written in such a folder is', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    const [own, readOnly] = [join(closed, 'own'), join(closed, 'read-only')];
    for (const path of [own, readOnly]) writeFileSync(path, 'old');
    chmodSync(own, 0o666);
    chmodSync(readOnly, 0o444);
    chmodSync(closed, 0o555);
    const script = `import(process.argv[1]).then(async (m) => {
      for (const path of process.argv.slice(2)) {
        for (const write of [m.checkWritable, m.writeWhole]) {
          await write(path, 'new').then(() => console.log('ok'), (error) => console.log(error.message));
        }
      }
    })`;
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}; // root may write anywhere
    const paths = [own, readOnly, join(closed, 'created')];
    const { stdout } = spawnSync(process.execPath, ['-e', script, program, ...paths], { encoding: 'utf8', ...user });
    const refused = (path: string) =>
      `${path}: could not write there: permission denied. Change the permissions, or name another file.`;
    const expected = ['ok', 'ok', ...paths.slice(1).flatMap((path) => [refused(path), refused(path)])];
    expect(stdout.trim().split('\n')).toEqual(expected);
    expect([text(own), text(readOnly)]).toEqual(['new', 'old']);
  });

  it('nothing is left beside a target that refuses', () => {
    expect(unfinished()).toEqual([]);
  });
});

/**
 * `npm run conformance-table` prints the Markdown table of docs/trust.md. It runs every conformance case in Node, Deno,
 * Chromium and Firefox on SwiftShader and, if Mesa is installed, in the wgpu systems on llvmpipe too. `--only
 * deno,firefox` runs a selection. All conforming devices have the same digest over all weights and integer sums; the
 * last line gives the digest of the CPU twin. Exits with 1 if a case fails, a digest differs or a system does not run.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import { serveFolder } from '../demo/serve.mjs';
import { wantedDigest } from '../dist/conformance.js';
import { softwareDriver } from '../dist/node.js';
import { browsers } from './browsers.mjs';
import { root } from './setup.mjs';

const MINUTES = 20;
const { values } = parseArgs({ options: { only: { type: 'string', default: 'node,deno,chromium,firefox' } } });

/** Folder in which Mesa's package installs the manifest of llvmpipe. */
const MANIFESTS = '/usr/share/vulkan/icd.d';
function llvmpipe() {
  try {
    const name = readdirSync(MANIFESTS).find((name) => /^lvp_icd.*json$/.test(name));
    return name && join(MANIFESTS, name);
  } catch {
    return undefined;
  }
}
const drivers = [softwareDriver(), llvmpipe()].filter(Boolean);

/** The report of the command line, run in a JavaScript runtime. */
function inRuntime(command, driver) {
  const child = spawn(command[0], [...command.slice(1), join(root, 'dist/cli.js'), 'conformance', '--json'], {
    env: { ...process.env, VK_ICD_FILENAMES: driver, DENO_NO_UPDATE_CHECK: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: MINUTES * 60_000,
  });
  let [out, said] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) =>
    child.once('close', (code) => {
      if (out.trim()) resolve(JSON.parse(out));
      else reject(new Error(`expected a report, the process ended with ${code}: ${said.slice(-500)}`));
    }),
  );
}

/** The report of a page. */
async function inBrowser(options) {
  const profile = mkdtempSync(join(tmpdir(), 'weightless-profile-'));
  const server = serveFolder(root);
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  const browser = await puppeteer.launch({
    ...options,
    headless: true,
    userDataDir: profile,
    protocolTimeout: MINUTES * 60_000,
  });
  try {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${server.address().port}/test/browser/pages/blank.html`);
    const report = await page.evaluate(`(async () => {
      const { conformance, createContext } = await import('/dist/conformance.js');
      return conformance(await createContext({ backend: 'webgpu' }));
    })()`);
    return { ...report, version: await browser.version() };
  } finally {
    await browser.close();
    server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

const deno = [process.execPath, join(root, 'test/deno/node_modules/deno/bin.cjs'), 'run', '--allow-all'];
/**
 * No Dawn on llvmpipe: Dawn needs dynamically indexed uniforms, which Debian 12's llvmpipe (Mesa 22.3) does not
 * support.
 */
const systems = [
  { name: 'node', compiler: 'Dawn, Tint', run: () => inRuntime([process.execPath], softwareDriver()) },
  { name: 'deno', compiler: 'wgpu, naga', run: (driver) => inRuntime(deno, driver) },
  {
    name: 'chromium',
    compiler: 'Dawn, Tint',
    run: () => inBrowser(browsers.Chromium()),
  },
  { name: 'firefox', compiler: 'wgpu, naga', run: (driver) => inBrowser(browsers.Firefox({ driver })) },
];

/** The adapter's own name. Firefox does not report one, so this names the driver that it was given. */
function adapterOf({ description, device, vendor, architecture }, driver) {
  const said = [vendor, architecture].filter(Boolean).join(' ');
  return description || device || said || (driver.includes('lvp') ? 'llvmpipe' : 'SwiftShader');
}

const wanted = await wantedDigest();
let wrong = false;
console.log(
  '| runtime | WebGPU, shader compiler | driver | cases | failed | weights and integer sums (SHA-256) |\n|---|---|---|---|---|---|',
);
for (const driver of drivers) {
  for (const { name, compiler, run } of systems.filter(({ name }) => values.only.split(',').includes(name))) {
    if (driver !== softwareDriver() && compiler.startsWith('Dawn')) continue;
    let cells;
    try {
      const report = await run(driver);
      const sum = (key) => report.findings.reduce((total, finding) => total + finding[key], 0);
      const same = report.digest === wanted;
      for (const { name, wrong } of report.findings) for (const line of wrong) console.error(`${name}: ${line}`);
      if (!report.passed || !same) wrong = true;
      const runtime = (report.version ?? report.runtime).replace(/^firefox/, 'Firefox');
      cells = [
        runtime,
        compiler,
        adapterOf(report.adapter, driver),
        sum('cases'),
        sum('failed'),
        `${report.digest?.slice(0, 16)}`,
      ];
    } catch (error) {
      wrong = true;
      cells = [name, compiler, driver, '', 'did not run', error.message.split('\n')[0]];
    }
    console.log(`| ${cells.join(' | ')} |`);
  }
}
console.log(`\nThe CPU twin: ${wanted.slice(0, 16)}. ${wrong ? 'NOT THE SAME EVERYWHERE' : 'All the same.'}`);
process.exit(wrong ? 1 : 0);

/** The demo's server: no request ends it, and none leaves its folder. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveFolder } from '../demo/serve.mjs';
import { requestPath } from '../scripts/request-path.mjs';

const parent = mkdtempSync(join(tmpdir(), 'weightless-demo-'));
const folder = join(parent, 'page');
mkdirSync(join(folder, 'data'), { recursive: true });
writeFileSync(join(folder, 'index.html'), 'the page');
writeFileSync(join(folder, 'data/a b.json'), '{}');
writeFileSync(join(parent, 'secret'), 'a secret');
symlinkSync(join(parent, 'secret'), join(folder, 'link'));
const server = serveFolder(folder);
beforeAll(() => new Promise<void>((done) => server.listen(0, '127.0.0.1', done)));
afterAll(() => server.close());

/** The path goes to the server as it is, which a browser or `fetch` would tidy up. */
const ask = (path: string) =>
  new Promise<string>((done, fail) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.once('end', () => done(answer)).once('error', fail);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });

it.each([
  ['/', 200],
  ['/index.html?x=%', 200],
  ['/data/a%20b.json', 200],
  ['//', 200],
  ['//index.html', 200],
  ['/%', 400],
  ['/%00', 400],
  ['/%ff', 400],
  ['/../secret', 400],
  ['/%2e%2e/secret', 400],
  ['/..%2fsecret', 400],
  ['/..%5csecret', 400],
  ['http://x', 400],
  ['/data', 404],
  ['/none', 404],
  ['/link', 404],
  [`/${'n'.repeat(5000)}`, 404],
])('%.40s: %i', async (path, status) => {
  const answer = await ask(path);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).not.toContain('a secret');
  expect(await ask('/')).toContain('the page'); // it still serves
});

it('paths are relative and decoded', () => {
  expect(['/', '/a//b/./c', '/%41?q#h', undefined].map(requestPath)).toEqual(['', 'a/b/c', 'A', '']);
});

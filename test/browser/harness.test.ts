import { expect, it } from 'vitest';
import { browserNames, openPage } from './harness.ts';

it.each(browserNames)('%s: what one page stores no other finds, on one origin too', async (name) => {
  const [first, second] = [await openPage(name), await openPage(name)];
  const address = first.url('blank.html');
  await first.page.goto(address);
  await first.page.evaluate("localStorage.setItem('key', 'value')");
  await second.page.goto(address);
  expect(await second.page.evaluate('localStorage.length')).toBe(0);
  expect(await first.page.evaluate('localStorage.length')).toBe(1);
});

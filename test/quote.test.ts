/** Untrusted text in messages: no control character reaches a terminal, and no message is long. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelFileError } from '../src/core/errors.ts';
import { escapeControls, legible, quoted } from '../src/core/quote.ts';
import { readModel } from '../src/model/safetensors.ts';
import { fileOf, hostile } from './hostile-text.ts';

const unsafe = /[^\P{Cc}\n\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const metadata = {
  format: 'weightless',
  format_version: '1',
  stream_version: '1',
  seed: '0',
  input: '[2]',
  layers: '[{"kind":"flatten"}]',
};

it('a message of 900 kB is cut in the middle', () => {
  const { message } = new ModelFileError(`${'x'.repeat(900_000)}. Fetch it again.`);
  expect(message.length).toBeLessThanOrEqual(4000);
  expect(message).toMatch(/^x+\.\.\.x+\. Fetch it again\.$/);
});

describe('text from files', () => {
  it('keeps ordinary text, in any script, and shows controls as escapes', () => {
    expect(quoted('Größe 猫 🐈')).toBe("'Größe 猫 🐈'");
    expect(quoted('a\u001b[31m\u009b\u202eb\n')).toBe("'a\\u001b[31m\\u009b\\u202eb\\u000a'");
    expect(quoted({ kind: 'x\u009b' })).toBe('{"kind":"x\\u009b"}');
    expect([quoted(undefined), quoted(1n), quoted(NaN)]).toEqual(['undefined', '1', 'NaN']);
    expect(legible('\r🐈'.repeat(2000))).not.toMatch(unsafe);
    expect(legible('one\n\ttwo\r')).toBe('one\n\ttwo\\u000d');
  });

  it('any text: nothing unsafe, bounded, and as JSON the same value', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 100 }), (part, times) => {
        const long = part.repeat(times);
        expect(quoted(long)).not.toMatch(unsafe);
        expect(quoted(long).length).toBeLessThanOrEqual(6 * 82);
        expect(legible(long)).not.toMatch(unsafe);
        expect(legible(long).length).toBeLessThanOrEqual(4000);
        expect(quoted('🐈'.repeat(part.length + 40))).not.toMatch(unsafe);
        const json = escapeControls(JSON.stringify([part]));
        expect(json).not.toMatch(unsafe);
        expect(JSON.parse(json)).toEqual([part]);
      }),
    );
  });

  it.each([
    ['the format', { __metadata__: { ...metadata, format: hostile } }],
    ['the seed', { __metadata__: { ...metadata, seed: hostile } }],
    ['a tensor', { __metadata__: metadata, [hostile]: {} }],
    ['a layer', { __metadata__: { ...metadata, layers: JSON.stringify([{ kind: hostile }]) } }],
    ['a layer of 900 kB', { __metadata__: { ...metadata, layers: JSON.stringify([{ kind: 'x'.repeat(900_000) }]) } }],
  ])('%s of a model file reaches no terminal', (_, header) => {
    const error = (() => {
      try {
        return readModel(fileOf(header));
      } catch (thrown) {
        return thrown;
      }
    })() as ModelFileError;
    expect(error).toBeInstanceOf(ModelFileError);
    expect(error.message).not.toMatch(unsafe);
    expect(error.stack).not.toMatch(unsafe);
    expect(error.message.length).toBeLessThanOrEqual(4000);
    expect(error.message).toMatch(/^model file: expected /);
  });
});

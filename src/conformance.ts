/** `weightless-gpu/conformance`: checks every kernel against its float64 twin on this device, and writes a report. */
export * from './conformance/conformance.ts';

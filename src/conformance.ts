/** `weightless-gpu/conformance`: every kernel against its float64 twin on this very device, with a report. */
export * from './conformance/conformance.ts';

/** The runtime: the current backend, evaluation of lazy tensors, compiled functions. */

export { type CompiledFunction, type CompileFunctionOptions, compile } from './compile-function.ts';
export { getBackend } from './current-backend.ts';
export { evaluate } from './evaluate.ts';
export { readableTensors, setBackend } from './set-backend.ts';
export { leakReport } from './storage.ts';

/** The runtime: the current backend, evaluation of lazy tensors, compiled functions. */

export { type CompiledFunction, compile } from './compile-function.ts';
export { getBackend, readableTensors, setBackend } from './current-backend.ts';
export { evaluate } from './evaluate.ts';
export { leakReport } from './storage.ts';

/**
 * WebGPU for benches in a page. Taken from here, the backend is of the same copy of the sources as the bench: builds
 * give what measures kernels one of its own, with whole op records (scripts/vite-strip.ts), and timestamps are read
 * from that copy's programs only.
 */

export { requestWebGPUBackend } from '../../src/backend/webgpu.ts';

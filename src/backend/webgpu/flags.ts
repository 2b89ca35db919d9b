/**
 * WebGPU's flag values as numbers. The globals that carry them (GPUBufferUsage …) exist in browsers only, and nothing
 * here may depend on a global. Source: WebGPU specification, sections 5.1.2, 5.1.5 and 8.1.
 */

export const MAP_READ = 0x0001;
export const COPY_SRC = 0x0004;
export const COPY_DST = 0x0008;
export const UNIFORM = 0x0040;
export const STORAGE = 0x0080;
export const QUERY_RESOLVE = 0x0200;

/** GPUMapMode.READ. */
export const MAP_MODE_READ = 0x0001;

/** GPUShaderStage.COMPUTE. */
export const STAGE_COMPUTE = 0x0004;

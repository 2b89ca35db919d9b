/**
 * Target: what plans are made for. It says by name what an adapter allows and what suits it; the compiler and the
 * runtime ask these capabilities and never which adapter it is.
 *
 * One table (`CAPABILITIES`) says what suits an adapter type. Backends make their target from it with `makeTarget`.
 */

import type { Tile } from './tile.ts';

/** The limits of WebGPU that a plan must respect. */
export interface Limits {
  readonly maxStorageBuffersPerShaderStage: number;
  /** Bytes. */
  readonly maxStorageBufferBindingSize: number;
  /** Bytes. */
  readonly maxBufferSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
}

/**
 * A GPU, or a driver that computes on the processor (llvmpipe, SwiftShader, WARP). Not to be confused with the CPU
 * backend.
 */
export type AdapterType = 'hardware' | 'software';

/** What suits an adapter type. */
export interface Capabilities {
  /** The adapter computes on the cores that the host runs on, so polling and waiting take time from it. */
  readonly sharesProcessor: boolean;
  /** The driver compiles a pipeline when it first runs, not when it is made. */
  readonly compilesAtFirstDispatch: boolean;
  /** Inner sizes are literals in a kernel's text, because dividing by them is faster then; else they are uniforms. */
  readonly literalSizes: boolean;
  /**
   * A kernel copies its uniforms to private variables where it begins, because reading them in branches is expensive.
   */
  readonly copiesUniforms: boolean;
  /** An invocation takes many points, as long as every core has work; else it takes one. */
  readonly manyPointsPerInvocation: boolean;
  /** A workgroup runs as one vector of a core, and loads decide: large register blocks, few invocations. */
  readonly vectorWorkgroups: boolean;
  /** Long reductions are cut until there are so many invocations, into chunks of so many elements at least. */
  readonly reductionChunks: { readonly invocations: number; readonly elements: number };
}

const CAPABILITIES: Readonly<Record<AdapterType, Capabilities>> = {
  hardware: {
    sharesProcessor: false,
    compilesAtFirstDispatch: false,
    literalSizes: true,
    copiesUniforms: false,
    manyPointsPerInvocation: false,
    vectorWorkgroups: false,
    reductionChunks: { invocations: 8192, elements: 128 },
  },
  software: {
    sharesProcessor: true,
    compilesAtFirstDispatch: true,
    literalSizes: false,
    copiesUniforms: true,
    manyPointsPerInvocation: true,
    vectorWorkgroups: true,
    reductionChunks: { invocations: 512, elements: 512 },
  },
};

/** Tiles of contractions by their signature (`tileKey`). */
export interface TileChoices {
  get(key: string): Tile | undefined;
}

export interface Target extends Limits, Capabilities {
  readonly adapterType: AdapterType;
  /** Invocations of every subgroup, where the device has subgroups and they have one size; else null. */
  readonly subgroupSize: number | null;
  /** Whether kernels may compute in half precision. */
  readonly f16: boolean;
  /** What the tuner found to be fastest on this adapter; the defaults of the adapter type where it says nothing. */
  readonly tiles?: TileChoices;
}

/** Limits that every WebGPU implementation grants (WebGPU specification, section 3.6.2). */
const GUARANTEED_LIMITS: Limits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 134217728,
  maxBufferSize: 268435456,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeInvocationsPerWorkgroup: 256,
};

/** A target of `adapterType`: the guaranteed minimum of WebGPU, but for `granted`. */
export function makeTarget(adapterType: AdapterType, granted: Partial<Omit<Target, keyof Capabilities>> = {}): Target {
  return withAdapterType({ ...GUARANTEED_LIMITS, subgroupSize: null, f16: false, ...granted }, adapterType);
}

/** The limits and features of `target` with what suits another adapter type. */
export function withAdapterType(target: Omit<Target, keyof Capabilities | 'adapterType'>, type: AdapterType): Target {
  return { ...target, adapterType: type, ...CAPABILITIES[type] };
}

/** `target` with other choices of tiles, or with none. */
export function withTiles({ tiles: _, ...target }: Target, tiles: TileChoices | undefined): Target {
  return tiles === undefined ? target : { ...target, tiles };
}

/** A GPU that grants the guaranteed minimum. */
export const DEFAULT_TARGET: Target = makeTarget('hardware');

/** A software adapter that grants the guaranteed minimum; what plans for the CPU backend are made for. */
export const SOFTWARE_TARGET: Target = makeTarget('software');

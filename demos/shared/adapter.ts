/** The adapter as the page sees it, without the engine: for panels and for reports. */

export interface AdapterReport {
  readonly name: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly browser: string;
}

const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** @throws Error when there is no adapter: ask `missingWebGPU` first. */
export async function adapterReport(): Promise<AdapterReport> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error('the browser has no adapter any more');
  const { vendor, architecture, device, description } = adapter.info;
  return {
    name: [vendor, architecture, device, description].filter(Boolean).join(' ') || 'an adapter without a name',
    features: [...adapter.features].sort(),
    limits: Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]])),
    browser: navigator.userAgent,
  };
}

/** `4 GiB`. */
export function binaryBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${units[power]}`;
}

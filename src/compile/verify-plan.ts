/**
 * The plan's specification as a check: what every backend may rely on. A planner that breaks a rule is found here, by
 * name, and not as a wrong number; a plan that exceeds a limit of the device is refused before anything is made.
 */

import { deviceBytes, type TypedArray } from '../core/dtype.ts';
import { DownhillError } from '../util/errors.ts';
import { RangeSet } from '../util/range-set.ts';
import { sizeOf } from '../util/shape.ts';
import { type Dispatch, type PlacedValue, type Plan, SCALAR_STRIDE } from './plan.ts';
import type { Target } from './target.ts';

/** Bytes of a uniform binding that every device allows (WebGPU specification, section 3.6.2). */
const MAX_UNIFORM_BYTES = 65536;

/**
 * Checks `plan` against its own rules and, when they are given, against `target`.
 * @throws DownhillError `internal` for a broken rule, `device` for an exceeded limit; both name dispatch and buffer.
 */
export function verifyPlan(plan: Plan, target?: Target): void {
  verifyBuffers(plan, target);
  verifyKernels(plan, target);
  verifyPlacedInputs(plan);
  const written = new Set<number>();
  const defined = new Map<number, RangeSet>();
  plan.dispatches.forEach((dispatch, at) => {
    const where = `plan "${plan.name}": dispatch ${at} "${dispatch.label}"`;
    verifyBindings(plan, dispatch, where, written, target);
    verifyReference(plan, dispatch, at, where, defined);
  });
  verifyOutputs(plan, defined);
}

function verifyBuffers(plan: Plan, target: Target | undefined): void {
  const where = `plan "${plan.name}"`;
  let planBytes = 0;
  let boundBytes = 0;
  plan.buffers.forEach((buffer, at) => {
    const name = `buffer ${at} "${buffer.label}"`;
    rule(buffer.id === at, `${where}: ${name} has id ${buffer.id}; ids are places in the list`);
    rule(buffer.label !== '', `${where}: buffer ${at} has no label`);
    rule(isCount(buffer.bytes), `${where}: ${name} takes ${buffer.bytes} bytes`);
    rule(
      (buffer.role === 'constant') === (buffer.data !== undefined),
      `${where}: ${name} is ${buffer.role} and has ${buffer.data === undefined ? 'no data' : 'data'}`,
    );
    rule(
      buffer.data === undefined || wordBytes(buffer.data) === buffer.bytes,
      `${where}: ${name} takes ${buffer.bytes} bytes and has data for ${wordBytes(buffer.data)}`,
    );
    if (buffer.role === 'bound') boundBytes += buffer.bytes;
    else planBytes += buffer.bytes;
    if (target !== undefined && buffer.bytes > target.maxBufferSize) {
      throw exceeded(`${where}: ${name} takes ${buffer.bytes} bytes`, 'maxBufferSize', target.maxBufferSize);
    }
  });
  const blocks = plan.buffers.filter((buffer) => buffer.role === 'scalars').length;
  rule(blocks <= 1, `${where} has ${blocks} scalar blocks; one is allowed`);
  rule(
    planBytes === plan.planBytes,
    `${where}: its own buffers take ${planBytes} bytes, planBytes is ${plan.planBytes}`,
  );
  rule(boundBytes === plan.boundBytes, `${where}: bound buffers take ${boundBytes} bytes, not ${plan.boundBytes}`);
}

function verifyKernels(plan: Plan, target: Target | undefined): void {
  plan.kernels.forEach((kernel, at) => {
    const where = `plan "${plan.name}": kernel ${at} "${kernel.label}"`;
    rule(kernel.id === at, `${where} has id ${kernel.id}; ids are places in the list`);
    rule(kernel.label !== '', `${where} has no label`);
    rule(
      isCount(kernel.uniformWords) && kernel.uniformWords % 4 === 0,
      `${where}: a uniform block of ${kernel.uniformWords} words; a multiple of 4 is needed`,
    );
    if (kernel.uniformWords * 4 > MAX_UNIFORM_BYTES) {
      throw exceeded(
        `${where}: a uniform block of ${kernel.uniformWords * 4} bytes`,
        'maxUniformBufferBindingSize',
        MAX_UNIFORM_BYTES,
      );
    }
    if (target === undefined) return;
    const most = target.maxStorageBuffersPerShaderStage;
    if (kernel.access.length > most) {
      throw exceeded(`${where} binds ${kernel.access.length} buffers`, 'maxStorageBuffersPerShaderStage', most);
    }
    const invocations = target.maxComputeInvocationsPerWorkgroup;
    if (kernel.workgroupSize > invocations) {
      const found = `${where} has ${kernel.workgroupSize} invocations a workgroup`;
      throw exceeded(found, 'maxComputeInvocationsPerWorkgroup', invocations);
    }
  });
}

function verifyPlacedInputs(plan: Plan): void {
  for (const input of plan.inputs) {
    const where = `plan "${plan.name}": input "${input.name}"`;
    verifyRange(plan, input, where);
    const { role, label } = plan.buffers[input.buffer];
    const wanted = input.kind === 'bound' ? 'bound' : 'scalars';
    rule(role === wanted, `${where} is ${input.kind} and is stored in "${label}", which is ${role}`);
    if (input.kind === 'scalar') {
      rule(!input.updated, `${where} is a scalar and marked as updated`);
      rule(
        input.offset % SCALAR_STRIDE === 0,
        `${where} starts at element ${input.offset}; slots are ${SCALAR_STRIDE} apart`,
      );
      rule(
        sizeOf(input.shape) <= SCALAR_STRIDE,
        `${where} has ${sizeOf(input.shape)} elements; a slot takes ${SCALAR_STRIDE}`,
      );
    } else {
      rule(input.offset === 0, `${where} starts at element ${input.offset} of "${label}"; it must be the whole buffer`);
    }
  }
}

/** Bindings, uniforms and grid of one dispatch; `written` gathers the buffers that kernels have written so far. */
function verifyBindings(
  plan: Plan,
  dispatch: Dispatch,
  where: string,
  written: Set<number>,
  target: Target | undefined,
): void {
  rule(dispatch.label !== '', `${where} has no label`);
  const kernel = plan.kernels[dispatch.kernel];
  rule(kernel !== undefined, `${where}: there is no kernel ${dispatch.kernel}`);
  rule(
    dispatch.uniforms.length === kernel.uniformWords,
    `${where}: ${dispatch.uniforms.length} uniform words; kernel "${kernel.label}" takes ${kernel.uniformWords}`,
  );
  rule(
    dispatch.uniforms.every((word) => isCount(word) && word < 2 ** 32),
    `${where}: uniform words must be whole numbers in [0, 2³²)`,
  );
  rule(
    dispatch.buffers.length === kernel.access.length,
    `${where}: binds ${dispatch.buffers.length} buffers; kernel "${kernel.label}" takes ${kernel.access.length}`,
  );
  const seen = new Set<number>();
  const writes: number[] = [];
  dispatch.buffers.forEach((id, k) => {
    const buffer = plan.buffers[id];
    rule(buffer !== undefined, `${where}: binding ${k + 1} is buffer ${id}, which does not exist`);
    rule(!seen.has(id), `${where}: buffer ${id} "${buffer.label}" is bound twice`);
    seen.add(id);
    const { bytes } = buffer;
    if (target !== undefined && bytes > target.maxStorageBufferBindingSize) {
      const found = `${where}: buffer "${buffer.label}" takes ${bytes} bytes`;
      throw exceeded(found, 'maxStorageBufferBindingSize', target.maxStorageBufferBindingSize);
    }
    if (kernel.access[k] === 'read_write') {
      const writable = buffer.role === 'temporary' || buffer.role === 'output' || isUpdated(plan, id);
      rule(writable, `${where}: writes buffer "${buffer.label}", which is ${buffer.role} and not updated`);
      writes.push(id);
    } else {
      const ready = (buffer.role !== 'temporary' && buffer.role !== 'output') || written.has(id);
      rule(ready, `${where}: reads buffer "${buffer.label}" before any dispatch has written it`);
    }
  });
  for (const id of writes) written.add(id);
  dispatch.workgroups.forEach((count, axis) => {
    rule(isCount(count) && count > 0, `${where}: ${count} workgroups along ${'xyz'[axis]}`);
    if (target !== undefined && count > target.maxComputeWorkgroupsPerDimension) {
      const found = `${where}: ${count} workgroups along ${'xyz'[axis]}`;
      throw exceeded(found, 'maxComputeWorkgroupsPerDimension', target.maxComputeWorkgroupsPerDimension);
    }
  });
}

/** Reference steps of one dispatch; `defined` gathers the bytes that steps have given a value so far. */
function verifyReference(
  plan: Plan,
  dispatch: Dispatch,
  at: number,
  where: string,
  defined: Map<number, RangeSet>,
): void {
  const outputs: PlacedValue[] = [];
  dispatch.reference.forEach((step, k) => {
    const name = `${where}, step ${k} (${step.op})`;
    step.inputs.forEach((input, i) => {
      if ('step' in input) {
        rule(
          isCount(input.step) && input.step < k,
          `${name}: input ${i} is step ${input.step}, which is not an earlier one`,
        );
        return;
      }
      verifyRange(plan, input, `${name}, input ${i}`);
      const { role, label } = plan.buffers[input.buffer];
      if (role !== 'temporary' && role !== 'output') return;
      const missing = (defined.get(input.buffer) ?? EMPTY).firstMissing(startOf(input), endOf(input));
      rule(missing === undefined, `${name}: input ${i} reads byte ${missing} of "${label}" before it is written`);
    });
    if (step.output === undefined) return;
    const { output } = step;
    verifyRange(plan, output, `${name}, output`);
    rule(
      sizeOf(output.shape) === sizeOf(step.shape) && output.dtype === step.dtype,
      `${name}: gives ${step.dtype}[${step.shape}], placed as ${output.dtype}[${output.shape}]`,
    );
    const { label } = plan.buffers[output.buffer];
    rule(
      writesTo(plan, at, output.buffer),
      `${name}: its output is stored in "${label}", which the dispatch does not write`,
    );
    const other = outputs.find((o) => overlap(o, output));
    rule(other === undefined, `${name}: its output overlaps another output of the dispatch in "${label}"`);
    outputs.push(output);
  });
  for (const output of outputs) {
    let ranges = defined.get(output.buffer);
    if (ranges === undefined) defined.set(output.buffer, (ranges = new RangeSet()));
    ranges.add(startOf(output), endOf(output));
  }
}

function verifyOutputs(plan: Plan, defined: ReadonlyMap<number, RangeSet>): void {
  plan.outputs.forEach((output, k) => {
    const where = `plan "${plan.name}": output ${k} "${output.name}"`;
    verifyRange(plan, output, where);
    const { role, label } = plan.buffers[output.buffer];
    rule(role !== 'temporary', `${where} is stored in "${label}", which is temporary`);
    if (role !== 'output') return;
    const missing = (defined.get(output.buffer) ?? EMPTY).firstMissing(startOf(output), endOf(output));
    rule(missing === undefined, `${where}: byte ${missing} of "${label}" is never written`);
  });
}

const EMPTY = new RangeSet();

function verifyRange(plan: Plan, value: PlacedValue, where: string): void {
  const buffer = plan.buffers[value.buffer];
  rule(buffer !== undefined, `${where} is stored in buffer ${value.buffer}, which does not exist`);
  rule(
    isCount(value.offset) && endOf(value) <= buffer.bytes,
    `${where}: bytes ${startOf(value)} to ${endOf(value)} leave buffer "${buffer.label}" of ${buffer.bytes} bytes`,
  );
}

/** A two-stage kernel writes its result in a later dispatch, which has no reference steps of its own. */
function writesTo(plan: Plan, at: number, buffer: number): boolean {
  return plan.dispatches.some(
    (dispatch, k) =>
      (k === at || (k > at && dispatch.reference.length === 0)) &&
      dispatch.buffers.some((id, b) => id === buffer && plan.kernels[dispatch.kernel]?.access[b] === 'read_write'),
  );
}

function isUpdated(plan: Plan, buffer: number): boolean {
  return plan.inputs.some((input) => input.buffer === buffer && input.kind === 'bound' && input.updated);
}

/** First byte of a value, and the one after its last. */
function startOf({ dtype, offset }: PlacedValue): number {
  return deviceBytes(dtype, offset);
}

function endOf({ dtype, offset, shape }: PlacedValue): number {
  return deviceBytes(dtype, offset + sizeOf(shape));
}

/** Bytes of host data on the device, where each of its elements takes a word. */
function wordBytes(data: TypedArray | undefined): number {
  return deviceBytes('u32', data?.length ?? 0);
}

function overlap(a: PlacedValue, b: PlacedValue): boolean {
  return a.buffer === b.buffer && startOf(a) < endOf(b) && startOf(b) < endOf(a);
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function rule(holds: boolean, message: string): asserts holds {
  if (!holds) throw new DownhillError('internal', message);
}

function exceeded(found: string, limit: string, most: number): DownhillError {
  return new DownhillError('device', `${found}; the device allows ${most} (${limit})`);
}

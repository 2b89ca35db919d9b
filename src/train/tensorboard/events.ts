/**
 * Events of a training in the form that TensorBoard reads: numbers and histograms as summaries with a tensor each, as
 * TensorFlow 2's `tf.summary` writes them. Plain bytes, for any place that keeps them.
 *
 * Invariant: the bytes equal those of TensorFlow's own writer for the same values (but for the writer's name).
 * Source: tensorflow/core/util/event.proto and summary.proto, tensorboard/plugins/histogram/summary_v2.py (`_buckets`).
 */

import { joinBytes } from '../../util/join-bytes.ts';
import { eventRecord } from './event-record.ts';
import { bytesField, doubleField, varintField } from './protobuf.ts';

/** When something was seen. */
export interface EventTime {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** Position on the axis: an epoch, a count of steps; a whole number of at least 0. */
  readonly step: number;
}

/** Buckets of a histogram, as TensorBoard's default. */
const BUCKETS = 30;

const DT_FLOAT = 1;
const DT_DOUBLE = 2;

/** The first record of every event file. @param writer what made it. */
export function versionEvent(wallTime: number, writer = 'downhill'): Uint8Array {
  return eventRecord(
    joinBytes([
      doubleField(1, wallTime),
      bytesField(3, 'brain.Event:2'),
      bytesField(10, bytesField(1, writer)), // source_metadata
    ]),
  );
}

/** The number `value`, kept as f32, under `tag`. */
export function scalarEvent(at: EventTime, tag: string, value: number): Uint8Array {
  return summaryEvent(at, tag, 'scalars', tensorProto(DT_FLOAT, [], new Float32Array([value])));
}

/**
 * How `values` are spread: f64 [buckets, 3], the edges of each bucket and the count in it. Buckets are of equal width;
 * where all values are the same, the last one holds them. NaN and infinities are left out.
 */
export function histogramEvent(
  at: EventTime,
  tag: string,
  values: ArrayLike<number>,
  { buckets = BUCKETS }: { readonly buckets?: number } = {},
): Uint8Array {
  return summaryEvent(at, tag, 'histograms', tensorProto(DT_DOUBLE, [buckets, 3], histogram(values, buckets)));
}

function summaryEvent({ wallTime, step }: EventTime, tag: string, plugin: string, tensor: Uint8Array): Uint8Array {
  const metadata = bytesField(1, bytesField(1, plugin)); // plugin_data.plugin_name
  const value = joinBytes([bytesField(1, tag), bytesField(8, tensor), bytesField(9, metadata)]);
  const stepField = step === 0 ? [] : [varintField(2, step)];
  return eventRecord(joinBytes([doubleField(1, wallTime), ...stepField, bytesField(5, bytesField(1, value))]));
}

function tensorProto(dtype: number, shape: readonly number[], data: Float32Array | Float64Array): Uint8Array {
  const dims = shape.map((size) => bytesField(2, size === 0 ? new Uint8Array(0) : varintField(1, size)));
  return joinBytes([varintField(1, dtype), bytesField(2, joinBytes(dims)), bytesField(4, littleEnd(data))]);
}

function littleEnd(data: Float32Array | Float64Array): Uint8Array {
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  data.forEach((value, k) => {
    if (data instanceof Float32Array) view.setFloat32(4 * k, value, true);
    else view.setFloat64(8 * k, value, true);
  });
  return bytes;
}

function histogram(values: ArrayLike<number>, buckets: number): Float64Array {
  const rows = new Float64Array(3 * buckets);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < values.length; k++) {
    if (!Number.isFinite(values[k])) continue;
    low = Math.min(low, values[k]);
    high = Math.max(high, values[k]);
  }
  if (low > high) return rows;
  const width = (high - low) / buckets;
  const edge = (k: number): number => (k === buckets ? high : low + k * width);
  for (let k = 0; k < buckets; k++) rows.set([edge(k), edge(k + 1)], 3 * k);
  for (let k = 0; k < values.length; k++) {
    if (!Number.isFinite(values[k])) continue;
    const bucket = width === 0 ? buckets - 1 : Math.min(buckets - 1, Math.floor((values[k] - low) / width));
    rows[3 * bucket + 2]++;
  }
  return rows;
}

/**
 * What losses and metrics see of a model's last layer: its values, and the logits behind them where the last op is a
 * softmax or a sigmoid. Cross-entropy from those logits is what Keras computes too (`_keras_logits`): exact where the
 * probabilities have been rounded to 0 or 1, and one fused op instead of four.
 */

import type { Tensor } from '../core/tensor.ts';
import { sigmoid } from '../ops/elementwise/activations.ts';
import { softmax } from '../ops/reduction/softmax.ts';

export interface ModelOutput {
  /** f32 [B, …]. */
  readonly values: Tensor;
  /** `values` = softmax(softmaxLogits) over the last axis. */
  readonly softmaxLogits?: Tensor;
  /** `values` = sigmoid(sigmoidLogits). */
  readonly sigmoidLogits?: Tensor;
}

/** `values` with the logits that its own op reveals. */
export function modelOutput(values: Tensor): ModelOutput {
  if (values.op === softmax && values.attrs.axis === values.rank - 1) {
    return { values, softmaxLogits: values.inputs[0] };
  }
  if (values.op === sigmoid) return { values, sigmoidLogits: values.inputs[0] };
  return { values };
}

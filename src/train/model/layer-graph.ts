/**
 * LayerGraph: which values flow through which layers, as plain numbers. A Sequential is a chain; a functional model is
 * what its symbols say.
 *
 * Invariant: calls are listed in the order in which they can run; each value is an input or the output of one call.
 */

import type { Layer, LayerCall, SymbolicTensor } from '../../nn/layer.ts';
import { InputLayer } from '../../nn/layers/core/input.ts';
import { DownhillError } from '../../util/errors.ts';

/** One use of a layer; values by number. */
export interface GraphCall {
  /** Position among the graph's layers. */
  readonly layer: number;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

export interface LayerGraph {
  /** Each layer once, in the order of their first uses. */
  readonly layers: readonly Layer[];
  readonly calls: readonly GraphCall[];
  /** The values that come from outside. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** One layer after another. */
export function chainGraph(layers: readonly Layer[]): LayerGraph {
  const calls = layers.map((_, k) => ({ layer: k, inputs: [k], outputs: [k + 1] }));
  return { layers, calls, inputs: [0], outputs: [layers.length] };
}

/**
 * The layers between `inputs` and `outputs`.
 * @throws DownhillError `argument` when an output needs an input that is not listed, or an input reaches no output.
 */
export function symbolGraph(
  model: string,
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
): { graph: LayerGraph; inputLayers: readonly Layer[] } {
  const numbers = new Map<SymbolicTensor, number>(inputs.map((symbol, k) => [symbol, k]));
  const used = callsBetween(model, numbers, outputs);
  const layers: Layer[] = [];
  const position = (layer: Layer): number => {
    if (!layers.includes(layer)) layers.push(layer);
    return layers.indexOf(layer);
  };
  // A symbol of another layer may be an input too: the model is cut there.
  const inputLayers = inputs.map(({ call, shape }) =>
    call.layer instanceof InputLayer ? call.layer : new InputLayer({ shape }),
  );
  inputLayers.forEach(position);
  const number = (symbol: SymbolicTensor): number => {
    if (!numbers.has(symbol)) numbers.set(symbol, numbers.size);
    return numbers.get(symbol)!;
  };
  const calls = used.map((call) => ({
    layer: position(call.layer),
    inputs: call.inputs.map(number),
    outputs: call.outputs.map(number),
  }));
  const read = new Set([...calls.flatMap((call) => call.inputs), ...outputs.map(number)]);
  inputs.forEach((input, k) => {
    if (read.has(k)) return;
    throw new DownhillError('argument', `model "${model}": no output depends on its input ${input}`);
  });
  const graph = { layers, calls, inputs: inputs.map(number), outputs: outputs.map(number) };
  return { graph, inputLayers };
}

/** The calls that `outputs` depend on, not behind the symbols of `known`, in the order in which they were made. */
function callsBetween(
  model: string,
  known: ReadonlyMap<SymbolicTensor, number>,
  outputs: readonly SymbolicTensor[],
): LayerCall[] {
  const found = new Set<LayerCall>();
  const open = [...outputs];
  for (let symbol = open.pop(); symbol !== undefined; symbol = open.pop()) {
    if (known.has(symbol) || found.has(symbol.call)) continue;
    if (symbol.call.inputs.length === 0) {
      const listed = [...known.keys()].join(', ');
      throw new DownhillError(
        'argument',
        `model "${model}": its outputs depend on ${symbol}, which is none of its inputs (${listed}); list it too`,
      );
    }
    found.add(symbol.call);
    open.push(...symbol.call.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

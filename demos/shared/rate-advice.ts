/** Advice next to the learning rate when it is far above what its optimizer is used with. Nothing is refused. */

/** Rates above these rarely train anything: about a hundred times the usual ones, which Keras' defaults are near. */
const HIGHEST: Readonly<Record<string, number>> = {
  sgd: 1,
  momentum: 1,
  nesterov: 1,
  adagrad: 10,
  adadelta: 100,
  rmsprop: 0.1,
  adam: 0.1,
  adamW: 0.1,
  nadam: 0.1,
  lion: 0.02,
};

/** @returns the advice; empty where there is none. */
export function rateAdvice(optimizer: string, rate: number): string {
  const highest = HIGHEST[optimizer];
  if (highest === undefined || !(rate > highest)) return '';
  const usual = `the rates that ${optimizer} trains with (up to ${highest})`;
  return `${rate} is far above ${usual}: the loss may stay high or become NaN.`;
}

/** Keeps the advice in `output` up to date with the two fields. */
export function adviseRate(
  optimizer: HTMLSelectElement | HTMLInputElement,
  rate: HTMLInputElement,
  output: HTMLElement,
): void {
  const look = () => {
    const text = rateAdvice(optimizer.value, Number(rate.value));
    if (output.textContent !== text) output.textContent = text;
  };
  for (const field of [optimizer, rate]) {
    field.addEventListener('input', look);
    field.addEventListener('change', look);
  }
  look();
}
